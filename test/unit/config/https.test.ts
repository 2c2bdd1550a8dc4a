import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { readConfig, StoreConfig } from "../../../config/config";
import { TestAuthority } from "../../support/certificates";
import { promiseOf } from "../mocks";
import { resetConfig, setConfig } from "./stackConfig";

describe("readConfig for HTTPS", () => {
  let authority: TestAuthority;
  let pem: string;
  let folder: string;

  before(() => {
    authority = new TestAuthority();
    pem = authority.bundle({ names: ["shop.example.org", "www.shop.example.org"] });
    folder = mkdtempSync(join(tmpdir(), "store-https-"));
  });
  after(() => {
    authority.dispose();
    rmSync(folder, { recursive: true });
  });
  afterEach(resetConfig);

  function read(
    keys: Record<string, unknown> = {},
    encrypted: readonly string[] = ["store:certificate"],
  ): StoreConfig {
    setConfig({ dockerHost: "unix:///test.sock", ...keys }, encrypted);
    return readConfig(new Map());
  }
  const mistakesOf = (...args: Parameters<typeof read>): string => {
    try {
      read(...args);
    } catch (error) {
      assert.ok(pulumi.RunError.isInstance(error));
      const { message } = error;
      assert.doesNotMatch(message, /PRIVATE KEY/);
      return message;
    }
    return "";
  };
  const domain = "shop.example.org";

  it("has no HTTPS by default", () => {
    const { https, trustedProxies, warnings } = read();
    assert.deepEqual([https, trustedProxies, warnings], [undefined, [], []]);
  });

  it("returns the names, and the certificate as a secret", async () => {
    const names = "Shop.Example.org, www.shop.example.org  shop.example.org";
    const { https } = read({ domain: names, certificate: pem });
    assert.deepEqual(https?.names, ["shop.example.org", "www.shop.example.org"]);
    assert.deepEqual([https.port, https.hstsSeconds], [443, 86_400]);
    const content = pulumi.output(https.certificate.pem);
    assert.equal(await pulumi.isSecret(content), true);
    assert.equal(await promiseOf(content), pem);
  });

  it("reads the certificate from a file, which needn't be encrypted", async () => {
    const certificate = join(folder, "shop.pem");
    writeFileSync(certificate, pem);
    const { https } = read({ domain, certificate }, []);
    assert.ok(https);
    assert.equal(await pulumi.isSecret(pulumi.output(https.certificate.pem)), true);
  });

  it("rejects names without a certificate and a certificate without names, and says what to set", () => {
    assert.match(
      mistakesOf({ domain }),
      /^store:domain: needs a certificate\. Set one.*for shop\.example\.org.*config set .*--secret certificate < FILE$/,
    );
    assert.match(
      mistakesOf({ certificate: pem }),
      /^store:certificate: is set, but store:domain names no domain.*config set .* domain NAME$/,
    );
  });

  it("rejects a private key that isn't encrypted", () => {
    assert.match(
      mistakesOf({ domain, certificate: pem }, []),
      /^store:certificate: has the private key in clear\. .* --secret certificate < FILE$/,
    );
  });

  it("rejects a file that doesn't exist, and an encrypted text that is no certificate without showing it", () => {
    assert.match(
      mistakesOf({ domain, certificate: "certificates/none.pem" }, []),
      /^store:certificate: can't read the file certificates\/none\.pem: there is none\. Name a file/,
    );
    const encoded = Buffer.from(pem).toString("base64");
    assert.ok(!mistakesOf({ domain, certificate: encoded }, []).includes(encoded.slice(0, 40)));
    const mistake = mistakesOf({ domain, certificate: "s3cret" });
    assert.match(mistake, /^store:certificate: isn't a certificate in PEM/);
    assert.doesNotMatch(mistake, /s3cret/);
  });

  it("reports the certificate's mistakes together with those of other keys", () => {
    assert.match(
      mistakesOf({ domain: "other.example.org", certificate: pem, httpPort: 443, owner: "<" }),
      /^store:owner: .*\nstore:httpsPort: 443 is store:httpPort, too\..*\nstore:certificate: isn't valid for other\.example\.org/,
    );
  });

  for (const wrong of [
    "https://shop.example.org",
    "shop.example.org/path",
    "shop.example.org:8443",
    "*.example.org",
    "203.0.113.7",
    "bücher.example",
    "shop..example.org",
    "shop.example.org -x.example.org",
  ]) {
    it(`rejects the domain ${wrong}`, () => {
      assert.match(mistakesOf({ domain: wrong }), /^store:domain: ".*" should be names such as/);
    });
  }

  it("accepts single addresses and ranges of both kinds as trusted proxies, and rejects others", () => {
    const trustedProxies = ["10.0.0.0/8", "203.0.113.7", "2001:db8::/32", "::1"];
    assert.deepEqual(read({ trustedProxies }).trustedProxies, trustedProxies);
    for (const [range, expected] of [
      ["0.0.0.0/0", /every client could claim any address/],
      ["::/0", /every client could claim any address/],
      ["10.1/8", /address range such as 10\.0\.0\.0\/8 or/],
      ["10.0.0.0/33", /address range such as/],
      ["10.0.0.1 } acl x", /address range such as/],
      ["proxy.example", /address range such as/],
    ] as const)
      assert.match(mistakesOf({ trustedProxies: [range] }), expected);
  });
});
