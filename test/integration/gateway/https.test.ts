import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import type { ConnectionOptions } from "node:tls";
import { TestAuthority } from "../../support/certificates";
import { run } from "../../support/run";
import { handshake, type Http2Answer, Http2Client, httpsOf } from "./https";
import { INTERNAL_TARGETS } from "./internalTargets";
import { Gateway, TestNetwork } from "./network";

const NAME = "shop.example.org";
const NAMES = [NAME, "www.shop.example.org"];

const S_CLIENT = `openssl s_client -connect "127.0.0.1:$1" -servername "$2" -verify_hostname "$2" \\
  -verify_return_error -showcerts -status -CAfile <(echo "$3") </dev/null`;

describe("the gateway with HTTPS", () => {
  let network: TestNetwork;
  let gateway: Gateway;
  let authority: TestAuthority;
  const root = () => authority.root.certificate;
  const trusted = (options: ConnectionOptions = {}): ConnectionOptions => ({
    ...{ ca: root(), servername: NAME },
    ...options,
  });

  before(async () => {
    authority = new TestAuthority();
    network = await TestNetwork.create();
    const https = httpsOf(authority.bundle({ names: NAMES }), NAMES);
    gateway = await network.startGateway({}, {}, [], { https, hosts: NAMES });
  });
  after(async () => {
    authority.dispose();
    await network.dispose();
  });

  async function get(
    path: string,
    headers: Readonly<Record<string, string>> = {},
    options: RequestOptions = {},
  ): Promise<{ status: number; headers: IncomingMessage["headers"]; body: string }> {
    const request = httpsRequest({
      ...{ host: "127.0.0.1", port: gateway.httpsPort, path, agent: false },
      ...{ ca: root(), servername: NAME, headers: { host: NAME, ...headers } },
      ...options,
    }).end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const { statusCode: status = 0, headers: received } = response;
    return { status, headers: received, body: await text(response) };
  }
  /** Sends a request on a connection of its own: the gateway closes one without a request after 5 s. */
  async function getByHttp2(
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Http2Answer> {
    const client = await Http2Client.connect(gateway.httpsPort, root(), NAME);
    try {
      return await client.request(path, headers);
    } finally {
      client.close();
    }
  }
  /** The headers that the service received, which it echoes. */
  const receivedIn = (body: string) =>
    (JSON.parse(body) as { headers: Record<string, string | undefined> }).headers;

  it("answers 421 by a name that isn't the store's", async () => {
    for (const [name, status] of [
      ["evil.example", 421],
      [NAME, 200],
      [`${NAME}.`, 200],
      ["203.0.113.9", 200],
    ] as const)
      assert.equal((await get("/x", { host: name })).status, status, name);
  });

  describe("encrypts", () => {
    it("with a chain that openssl verifies for each of the names", async () => {
      for (const name of NAMES) {
        const { code, output } = await run("bash", [
          ...["-c", S_CLIENT, "s_client", String(gateway.httpsPort), name, root()],
        ]);
        assert.equal(code, 0, output);
        assert.match(output, /Verification: OK/);
        assert.match(output, /Test Intermediate/);
        // Let's Encrypt ended OCSP in 2025. Compression would reveal secrets (CRIME).
        assert.match(output, /OCSP response: no response sent/);
        assert.match(output, /Compression: NONE/);
      }
    });

    it("with TLS 1.2 and 1.3 and nothing older", async () => {
      for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
        const range = { minVersion: version, maxVersion: version };
        const socket = await handshake(gateway.httpsPort, trusted(range));
        assert.equal(socket.getProtocol(), version);
        socket.destroy();
      }
      for (const version of ["TLSv1", "TLSv1.1"] as const) {
        // This machine's OpenSSL, too, offers them only at this security level.
        const ciphers = "DEFAULT:@SECLEVEL=0";
        const range = { minVersion: version, maxVersion: version, ciphers };
        await assert.rejects(handshake(gateway.httpsPort, trusted(range)), /protocol/i);
      }
    });

    it("with forward secrecy and authenticated encryption only", async () => {
      const by = (ciphers: string) =>
        handshake(gateway.httpsPort, trusted({ maxVersion: "TLSv1.2", ciphers }));
      for (const cipher of ["AES128-GCM-SHA256", "AES256-SHA", "ECDHE-ECDSA-AES128-SHA256"])
        await assert.rejects(by(cipher), /handshake failure/i, cipher);
      for (const cipher of ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"]) {
        const socket = await by(cipher);
        assert.equal(socket.getCipher().name, cipher);
        socket.destroy();
      }
    });

    it("in HTTP/2 and HTTP/1.1, as the client prefers", async () => {
      for (const [offered, chosen] of [
        [["h2", "http/1.1"], "h2"],
        [["http/1.1"], "http/1.1"],
      ] as const) {
        const socket = await handshake(gateway.httpsPort, trusted({ ALPNProtocols: [...offered] }));
        assert.equal(socket.alpnProtocol, chosen);
        socket.destroy();
      }
      assert.equal((await getByHttp2("/api/inventory/x")).status, 200);
      assert.equal((await get("/api/inventory/x")).status, 200);
    });
  });

  describe("tells the services", () => {
    const forged = {
      "x-forwarded-proto": "http",
      "x-forwarded-for": "203.0.113.66",
      forwarded: "for=203.0.113.66;proto=http",
    };
    it("scheme and address of the client, whatever the client claims, in both versions", async () => {
      const { body: plain } = await get("/x");
      const address = receivedIn(plain)["x-forwarded-for"];
      assert.match(address ?? "", /^\d+(\.\d+){3}$/);
      for (const body of [(await get("/x", forged)).body, (await getByHttp2("/x", forged)).body]) {
        const received = receivedIn(body);
        assert.equal(received["x-forwarded-proto"], "https");
        assert.equal(received["x-forwarded-for"], address);
        assert.equal(received["forwarded"], undefined);
        assert.equal(received["host"], NAME);
      }
    });

    it("no scheme for requests of the store's own networks, which aren't redirected either", async () => {
      const response = await fetch(`${gateway.inside}/x`, {
        headers: { ...forged, "x-forwarded-proto": "https" },
      });
      assert.equal(response.status, 200);
      const received = receivedIn(await response.text());
      assert.equal(received["x-forwarded-proto"], undefined);
      assert.notEqual(received["x-forwarded-for"], "203.0.113.66");
      assert.equal(response.headers.get("strict-transport-security"), null);
    });
  });

  it("asks browsers to stay with HTTPS in each of its answers over HTTPS, and in none over HTTP", async () => {
    for (const path of ["/", "/api", "/api/nothing", "/a//b"]) {
      const { headers } = await get(path);
      assert.equal(headers["strict-transport-security"], "max-age=300", path);
    }
    const { head } = await gateway.send("GET / HTTP/1.1");
    assert.doesNotMatch(head, /strict-transport-security/i);
  });

  describe("redirects requests over HTTP with status 308", () => {
    for (const [target, host, location] of [
      ["/", NAME, `https://${NAME}/`],
      [
        "/api/inventory?q=a%2Fb&x=1",
        "WWW.shop.example.org:80",
        `https://${NAMES[1]}/api/inventory?q=a%2Fb&x=1`,
      ],
      ["/internal/x", "203.0.113.5", `https://${NAME}/internal/x`],
      ["/", "evil.example", `https://${NAME}/`],
      ["//evil.example/", NAME, `https://${NAME}//evil.example/`],
      ["http://evil.example/x", "evil.example", `https://${NAME}/x`],
    ] as const) {
      it(`of ${target} at ${host} to ${location}`, async () => {
        for (const method of ["GET", "POST"]) {
          const { status, head } = await gateway.sendRaw(
            `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
          );
          assert.equal(status, 308);
          assert.equal(/^location: (.*)\r?$/im.exec(head)?.[1], location);
        }
      });
    }

    it("and never to a target of the client's choice", async () => {
      for (const line of [
        ...[
          "GET @evil.example/",
          "GET .evil.example/",
          "GET :443@evil.example",
          "GET *",
          "OPTIONS *",
        ],
        ...["GET http://evil.example?x", "GET http://evil.example#@evil.example"],
      ]) {
        const { head } = await gateway.send(`${line} HTTP/1.1`);
        const location = /^location: (.*)\r?$/im.exec(head)?.[1] ?? `https://${NAME}/`;
        assert.equal(new URL(location).host, NAME, line);
        assert.equal(new URL(location).username, "", line);
      }
    });
  });

  it("routes no request over HTTP/2 to an internal route", async () => {
    for (const target of INTERNAL_TARGETS) {
      const answer = await getByHttp2(target).catch(() => undefined);
      assert.doesNotMatch(answer?.body ?? "", /INTERNAL/, target);
      assert.ok((answer?.status ?? 400) < 500, target);
    }
    assert.equal((await getByHttp2("/")).status, 200);
  });

  it("limits the requests of a client on one HTTP/2 connection", async () => {
    const https = httpsOf(authority.bundle({ names: NAMES }), NAMES);
    const limited = await network.startGateway({ requests: 20 }, {}, [], { https });
    const client = await Http2Client.connect(limited.httpsPort, root(), NAME);
    const answers = await Promise.all(Array.from({ length: 40 }, () => client.request("/")));
    client.close();
    const refused = answers.filter(({ status }) => status === 429);
    // HAProxy's rate is an estimate: on a slow machine, some more pass.
    assert.ok(refused.length > 0 && refused.length <= 20, `${refused.length} refused`);
    assert.match(refused[0]?.body ?? "", /"detail":"More than 20 requests/);
  });

  it("reports the end of the certificate's validity to Prometheus", async () => {
    const response = await fetch(`${gateway.admin}/metrics/certificate`);
    const [, seconds = ""] =
      /^gateway_certificate_expiry_timestamp_seconds\{name="shop\.example\.org"\} (\d+)$/m.exec(
        await response.text(),
      ) ?? [];
    const days = (Number(seconds) - Date.now() / 1000) / 24 / 3600;
    assert.ok(days > 89 && days <= 90, seconds);
  });

  describe("uses a renewed certificate", () => {
    const served = async (): Promise<string> => {
      const socket = await handshake(gateway.httpsPort, trusted());
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    /** A request that is repeated once: a client does so if the server closes an HTTP/2 connection before the request. */
    const statusByHttp2 = async (): Promise<number> =>
      (await getByHttp2("/").catch(() => getByHttp2("/"))).status;

    it("after a reload, without losing a request", async () => {
      const first = await served();
      const pem = authority.bundle({ names: NAMES });
      const statuses: number[] = [];
      let done = false;
      const load = async (): Promise<void> => {
        while (!done) {
          const [{ status }, other] = await Promise.all([get("/"), statusByHttp2()]);
          statuses.push(status, other);
          await pause(20);
        }
      };
      const reload = async () => {
        network.renewCertificate(gateway, httpsOf(pem, NAMES));
        return network.reload(gateway, ["inventory", "storefront"]).finally(() => (done = true));
      };
      const [{ code, output }] = await Promise.all([reload(), load()]);
      assert.equal(code, 0, output);
      assert.notEqual(first, await served());
      assert.equal(await served(), new X509Certificate(pem).fingerprint256);
      assert.ok(statuses.length > 0);
      assert.deepEqual(new Set(statuses), new Set([200]));
    });
  });
});
