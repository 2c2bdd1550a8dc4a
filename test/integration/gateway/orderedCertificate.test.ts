import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Https } from "../../../components/gateway/https";
import { TestAuthority } from "../../support/certificates";
import { eventually } from "../support/eventually";
import { handshake, Http2Client } from "./https";
import { Gateway, TestNetwork } from "./network";

const NAME = "shop.example.org";
const FILE = `${NAME}-0123.pem`;
const THUMBPRINT = "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s";

describe("the gateway with an ordered certificate", () => {
  let network: TestNetwork;
  let gateway: Gateway;
  let authority: TestAuthority;
  let placeholder: string;
  let https: Https;

  before(async () => {
    authority = new TestAuthority();
    const selfSigned = authority.selfSigned({ names: [NAME] });
    placeholder = selfSigned.certificate;
    network = await TestNetwork.create();
    https = {
      ...{ names: [NAME], port: 443, hstsSeconds: 300 },
      certificate: {
        placeholder: selfSigned.certificate + selfSigned.key,
        challengeAnswer: `%[path,field(-1,/)].${THUMBPRINT}`,
        volumeName: "",
        file: FILE,
      },
    };
    gateway = await network.startGateway({ requests: 20 }, {}, [], { https });
  });
  after(async () => {
    authority.dispose();
    await network.dispose();
  });

  const served = async ({ httpsPort } = gateway): Promise<string> => {
    const socket = await handshake(httpsPort, {
      ...{ rejectUnauthorized: false, servername: NAME },
    });
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const fingerprint = (pem: string): string => new X509Certificate(pem).fingerprint256;
  /** Publishes a certificate as the container that orders does. */
  const publish = (pem: string, file = FILE): void => {
    const path = join(network.orderedFolder, file);
    writeFileSync(`${path}.new`, pem);
    renameSync(`${path}.new`, path);
  };
  const expiry = async (): Promise<number> => {
    const text = await (await fetch(`${gateway.admin}/metrics/certificate`)).text();
    const [, seconds] =
      /^gateway_certificate_expiry_timestamp_seconds\{name="shop\.example\.org"\} (\d+)$/m.exec(
        text,
      ) ?? [];
    return Number(seconds);
  };

  it("starts with the self-signed one, which counts as expired", async () => {
    assert.equal(await served(), fingerprint(placeholder));
    assert.equal(await expiry(), 0);
    const { status } = await gateway.send("GET / HTTP/1.1");
    assert.notEqual(status, 308, "redirects to a certificate that browsers refuse");
  });

  it("answers the authority's challenge over HTTP, without a redirect and beyond its limit of requests", async () => {
    for (let i = 0; i < 30; i++) {
      const { status, body } = await gateway.send(
        `GET /.well-known/acme-challenge/token_-${i} HTTP/1.1`,
      );
      assert.equal(status, 200);
      assert.equal(body, `token_-${i}.${THUMBPRINT}`);
    }
  });

  it("answers nothing else below that path", async () => {
    for (const path of ["", "a/b", "a%2Fb", "x".repeat(129), "a.b", "%5B"]) {
      const { body } = await gateway.send(`GET /.well-known/acme-challenge/${path} HTTP/1.1`);
      assert.doesNotMatch(body, new RegExp(THUMBPRINT), path);
    }
  });

  it("uses the ordered certificate as soon as it is there, and keeps open connections", async () => {
    const client = await Http2Client.connect(gateway.httpsPort, placeholder, NAME);
    const pem = authority.bundle({ names: [NAME] });
    publish(pem);
    // The gateway closes a connection that is idle for 15 s.
    const requests = setInterval(() => void client.request("/").catch(() => undefined), 2_000);
    try {
      await eventually(async () => (await served()) === fingerprint(pem), "the certificate is old");
    } finally {
      clearInterval(requests);
    }
    assert.ok((await client.request("/")).status < 500);
    client.close();
    await eventually(
      async () => (await gateway.send("GET / HTTP/1.1")).status === 308,
      "HTTP isn't redirected",
    );
    await eventually(
      async () => (await expiry()) === new Date(new X509Certificate(pem).validTo).getTime() / 1000,
      "the metric is old",
    );
  });

  it("goes on with the certificate in use if another one is damaged", async () => {
    const before = await served();
    const { key } = authority.issue({ names: [NAME] });
    publish(authority.issue({ names: [NAME] }).certificate + key);
    await eventually(
      async () => /certificate is damaged/.test(await gateway.log()),
      "the damage isn't noticed",
    );
    assert.equal(await served(), before);
  });

  it("keeps the ordered certificate after a reload", async () => {
    const pem = authority.bundle({ names: [NAME] });
    publish(pem);
    await eventually(async () => (await served()) === fingerprint(pem), "the certificate is old");
    const { code, output } = await network.reload(gateway, ["inventory", "storefront"]);
    assert.equal(code, 0, output);
    assert.equal(await served(), fingerprint(pem));
    assert.ok((await expiry()) > 0);
  });

  it("goes on with the one in use when the names change, until another is there, and uses it again when they change back", async () => {
    const { certificate } = https;
    assert.ok("file" in certificate);
    const before = await served();
    const file = `${NAME}-4567.pem`;
    network.nameCertificate(gateway, { ...certificate, file });
    assert.equal(await served(), before);
    const pem = authority.bundle({ names: [NAME, "www.shop.example.org"] });
    publish(pem, file);
    await eventually(async () => (await served()) === fingerprint(pem), "the certificate is old");
    network.nameCertificate(gateway, certificate);
    await eventually(async () => (await served()) === before, "the first one isn't used again");
  });

  it("starts with the ordered certificate if it is there", async () => {
    publish(authority.bundle({ names: [NAME] }));
    const another = await network.startGateway({ requests: 21 }, {}, [], { https });
    const first = await served(another);
    await eventually(async () => (await served()) === first, "the other gateway has another one");
  });
});
