import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { readConfig, StoreConfig } from "../../../config/config";
import { TestAuthority } from "../../support/certificates";
import type { ServiceSpec } from "../../../services/spec";
import { keyPair } from "../host/keys";
import { promiseOf } from "../mocks";
import { resetConfig, setConfig } from "./stackConfig";

const { public: HOST_KEY, private: PRIVATE_KEY } = keyPair();

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
  const pemOf = ({ certificate }: NonNullable<StoreConfig["https"]>): pulumi.Output<string> => {
    assert.ok("pem" in certificate);
    return pulumi.output(certificate.pem);
  };

  it("has no HTTPS by default", () => {
    const { https, trustedProxies, warnings } = read();
    assert.deepEqual([https, trustedProxies, warnings], [undefined, [], []]);
  });

  it("returns the names, and the certificate as a secret", async () => {
    const names = "Shop.Example.org, www.shop.example.org  shop.example.org";
    const { https } = read({ domain: names, certificate: pem });
    assert.deepEqual(https?.names, ["shop.example.org", "www.shop.example.org"]);
    assert.deepEqual([https.port, https.hstsSeconds], [443, 86_400]);
    const content = pemOf(https);
    assert.equal(await pulumi.isSecret(content), true);
    assert.equal(await promiseOf(content), pem);
  });

  it("reads the certificate from a file, which needn't be encrypted", async () => {
    const certificate = join(folder, "shop.pem");
    writeFileSync(certificate, pem);
    const { https } = read({ domain, certificate }, []);
    assert.ok(https);
    assert.equal(await pulumi.isSecret(pemOf(https)), true);
  });

  it("rejects names without a certificate on this machine and a certificate without names, and says what to set", () => {
    assert.match(
      mistakesOf({ domain }),
      /^store:domain: needs a certificate: no authority reaches a store on your own machine.* Set one.*for shop\.example\.org.*config set .*--secret certificate < FILE$/,
    );
    assert.match(
      mistakesOf({ certificate: pem }),
      /^store:certificate: is set, but store:domain names no domain.*config set .* domain NAME$/,
    );
  });

  describe("with an ordered certificate", () => {
    const reachable = (keys: Record<string, unknown> = {}): Record<string, unknown> => ({
      ...{ host: "ssh", sshAddress: "203.0.113.7", httpPort: 80, domain },
      ...{ sshHostKey: HOST_KEY, sshPrivateKey: PRIVATE_KEY },
      ...keys,
    });
    const directory = "https://acme-v02.api.letsencrypt.org/directory";

    it("returns Let's Encrypt as its authority by default, without a contact", () => {
      const { https, warnings } = read(reachable());
      assert.deepEqual(https?.certificate, { directory });
      assert.deepEqual(warnings, []);
    });

    it("returns the authority and the contact of the configuration", () => {
      const acmeDirectory = "https://ca.internal:9000/acme/acme/directory";
      const keys = { acmeDirectory, acmeEmail: "ops@example.org", domain: "shop.internal" };
      const { https } = read(reachable(keys));
      assert.deepEqual(https?.certificate, { directory: acmeDirectory, email: "ops@example.org" });
    });

    it("asks Let's Encrypt for a certificate of a few days if a name is an address", () => {
      const { https } = read(reachable({ domain: `${domain} 203.0.114.7` }));
      assert.deepEqual(https?.names, [domain, "203.0.114.7"]);
      assert.deepEqual(https.certificate, { directory, profile: "shortlived" });
      const acmeDirectory = "https://ca.internal/directory";
      const own = read(reachable({ domain: "10.0.0.7", acmeDirectory }));
      assert.deepEqual(own.https?.certificate, { directory: acmeDirectory });
    });

    it("returns the root certificate of an authority of one's own, from the value or a file", () => {
      const root = authority.root.certificate;
      const acmeRoot = join(folder, "root.pem");
      writeFileSync(acmeRoot, root);
      for (const value of [root, acmeRoot])
        assert.deepEqual(read(reachable({ acmeRoot: value })).https?.certificate, {
          ...{ directory, root },
        });
    });

    for (const [keys, expected] of [
      [
        { acmeRoot: "/none.pem" },
        /^store:acmeRoot: can't read the file \/none\.pem: there is none/,
      ],
      [
        { acmeRoot: "-----BEGIN KEY-----" },
        /^store:acmeRoot: has no certificate\. It should be PEM/,
      ],
      [
        { acmeRoot: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" },
        /^store:acmeRoot: the first certificate is damaged/,
      ],
      [
        { domain: "10.0.0.7" },
        /^store:domain: Let's Encrypt issues no certificate for 10\.0\.0\.7, w/,
      ],
      [{ domain: "localhost" }, /^store:domain: Let's Encrypt issues no certificate for localhost/],
      [
        { domain: `${domain} shop.internal` },
        /issues no certificate for shop\.internal, .*--secret certificate < FILE.*acmeDirectory URL$/,
      ],
      [
        { domain: Array.from({ length: 101 }, (_, i) => `shop-${i}.example.org`).join(" ") },
        /^store:domain: has 101 names, but .* 100 at most/,
      ],
      [{ acmeDirectory: "http://ca.example/directory" }, /^store:acmeDirectory: .*should be a dir/],
      [{ acmeDirectory: 'https://ca.example/"' }, /^store:acmeDirectory: .*should be a directory/],
      [{ acmeEmail: "ops" }, /^store:acmeEmail: .*should be an e-mail address/],
    ] as const) {
      it(`rejects ${JSON.stringify(keys).slice(0, 70)}`, () => {
        assert.match(mistakesOf(reachable(keys)), expected);
      });
    }

    it("warns of a port that the authority doesn't ask, and of names that share a limit with others", () => {
      const label = "shop.australiaeast.cloudapp.azure.com";
      const { https, warnings } = read(reachable({ httpPort: 8080, domain: label }));
      assert.ok(https);
      assert.match(
        warnings.join("\n"),
        /^store:httpPort: is 8080, but .* port 80 .*config set .* httpPort 80\nstore:domain: all customers of Azure/,
      );
    });
  });

  describe("with a service that has hosts of its own", () => {
    const specs = new Map<string, ServiceSpec>([
      ["outlet", { port: 3000, routes: ["/"], hosts: ["outlet.example.org", "*.example.net"] }],
    ]);
    const readHosts = (keys: Record<string, unknown>): StoreConfig => {
      setConfig({ dockerHost: "unix:///test.sock", ...keys }, ["store:certificate"]);
      return readConfig(specs);
    };

    it("needs a certificate for them, too, and has their names after its own", () => {
      assert.throws(
        () => readHosts({ domain, certificate: pem }),
        /isn't valid for outlet\.example\.org, \*\.example\.net/,
      );
      const names = [domain, "outlet.example.org", "*.example.net"];
      const certificate = authority.bundle({ names });
      assert.deepEqual(readHosts({ domain, certificate }).https?.names, names);
      assert.equal(readHosts({}).https, undefined);
    });

    it("orders no certificate for a wildcard, and says what to do", () => {
      const ssh = { host: "ssh", sshAddress: "203.0.113.7", httpPort: 80, domain };
      assert.throws(
        () => readHosts({ ...ssh, sshHostKey: HOST_KEY, sshPrivateKey: PRIVATE_KEY }),
        /store:certificate: is empty, but a service has the hosts \*\.example\.net.*Or list each host/,
      );
    });
  });

  describe("on Azure without a domain", () => {
    const azure = (keys: Record<string, unknown>) => ({
      ...{ host: "azure", httpPort: 80, owner: "team", adminCidrs: ["203.0.113.7/32"] },
      ...{ azureRegistry: "Basic", ...keys },
    });

    it("uses the name that Azure gives to the label, and warns of the limit that it shares", () => {
      const { https, warnings } = read(azure({ dnsLabel: "shop" }));
      assert.deepEqual(https?.names, ["shop.australiaeast.cloudapp.azure.com"]);
      assert.match(
        warnings.join("\n"),
        /^store:dnsLabel: all customers of Azure.* served by HTTP; .*config set .*domain NAME$/,
      );
    });

    it("prefers the domain to the label", () => {
      const { https, warnings } = read(azure({ dnsLabel: "shop", domain }));
      assert.deepEqual(https?.names, [domain]);
      assert.deepEqual(warnings, []);
    });

    it("warns that there is no HTTPS without a label, and says how to get it", () => {
      const { https, warnings } = read(azure({}));
      assert.equal(https, undefined);
      assert.match(
        warnings.join("\n"),
        /^store:domain: is empty, .*domain NAME; .*dnsLabel LABEL$/,
      );
    });

    it("rejects one port for HTTP and HTTPS with a label, too", () => {
      assert.match(
        mistakesOf(azure({ dnsLabel: "shop", httpsPort: 80 })),
        /^store:httpsPort: 80 is store:httpPort, too/,
      );
    });
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
    "300.0.113.7",
    "bücher.example",
    "shop..example.org",
    "shop.example.org -x.example.org",
  ]) {
    it(`rejects the domain ${wrong}`, () => {
      assert.match(mistakesOf({ domain: wrong }), /^store:domain: ".*" should be names such as/);
    });
  }

  it("accepts further host names or any, and rejects others", () => {
    const allowedHosts = ["origin.example.org", "Shop", "*"];
    assert.deepEqual(read({ allowedHosts }).allowedHosts, allowedHosts);
    for (const wrong of ["https://shop.example", "shop.example:8080", "*.example.org", "a b", ""])
      assert.match(
        mistakesOf({ allowedHosts: [wrong] }),
        /store:allowedHosts: .* host name such as/,
      );
  });

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
