import assert from "node:assert/strict";
import { TestAuthority } from "../../support/certificates";
import { Http2Client, httpsOf } from "./https";
import { Gateway, TestNetwork } from "./network";

const NAME = "shop.example.org";
const CLIENT = "198.51.100.7";

describe("the gateway behind trusted proxies", () => {
  let network: TestNetwork;
  let gateway: Gateway;
  let direct: Gateway;
  let authority: TestAuthority;

  before(async () => {
    authority = new TestAuthority();
    network = await TestNetwork.create();
    const https = httpsOf(authority.bundle({ names: [NAME] }), [NAME]);
    // This machine's requests come from Docker's network, so that it is a proxy of these ranges.
    const trustedProxies = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "2001:db8:ffff::/48"];
    gateway = await network.startGateway({ requests: 10 }, {}, [], { https, trustedProxies });
    direct = await network.startGateway({ requests: 0 });
  });
  after(async () => {
    authority.dispose();
    await network.dispose();
  });

  const ask = async (to: Gateway, ...headers: readonly string[]) => {
    const { status, head, body } = await to.send("GET /x HTTP/1.1", headers);
    const received = (
      status === 200 ? (JSON.parse(body) as { headers: unknown }).headers : {}
    ) as Record<string, string | undefined>;
    return {
      status,
      head,
      address: received["x-forwarded-for"],
      scheme: received["x-forwarded-proto"],
      received,
    };
  };
  const HTTPS = "x-forwarded-proto: https";

  for (const [what, forwarded, expected] of [
    ["the address that the proxy has seen", CLIENT, CLIENT],
    ["not what the client itself has sent", `203.0.113.66, ${CLIENT}`, CLIENT],
    ["the one before a second trusted proxy", `203.0.113.66, ${CLIENT}, 10.1.2.3`, CLIENT],
    ["the one before an IPv6 proxy", `${CLIENT}, 2001:db8:ffff::1, 10.1.2.3`, CLIENT],
    ["an IPv6 client", "2001:db8::7", "2001:db8::7"],
    ["an address with a port", `${CLIENT}:50123`, CLIENT],
  ] as const) {
    it(`takes for the client: ${what}`, async () => {
      const { status, address } = await ask(gateway, HTTPS, `x-forwarded-for: ${forwarded}`);
      assert.equal(status, 200);
      assert.equal(address, expected);
    });
  }

  it("believes several headers in their order", async () => {
    const headers = [`x-forwarded-for: 203.0.113.66`, `x-forwarded-for: ${CLIENT}`];
    assert.equal((await ask(gateway, HTTPS, ...headers)).address, CLIENT);
  });

  it("takes the scheme that the proxy reports: HTTPS isn't redirected, HTTP is", async () => {
    const encrypted = await ask(gateway, HTTPS, "x-forwarded-for: 198.51.100.8");
    assert.equal(encrypted.status, 200);
    assert.equal(encrypted.scheme, "https");
    assert.match(encrypted.head, /^strict-transport-security: max-age=300\r?$/im);
    for (const headers of [["x-forwarded-proto: http"], [HTTPS, "x-forwarded-proto: http"], []])
      assert.equal((await ask(gateway, ...headers)).status, 308, headers.join());
  });

  it("believes a proxy whose client doesn't use HTTPS, although the proxy itself does", async () => {
    const http2 = await Http2Client.connect(gateway.httpsPort, authority.root.certificate, NAME);
    try {
      const forwarded = { "x-forwarded-for": "198.51.100.9" };
      const plain = await http2.request("/x", { ...forwarded, "x-forwarded-proto": "http" });
      assert.equal(plain.status, 308);
      assert.equal(plain.headers["location"], `https://${NAME}/x`);
      const encrypted = await http2.request("/x", { ...forwarded, "x-forwarded-proto": "https" });
      assert.equal(encrypted.status, 200);
      assert.equal((await http2.request("/x", forwarded)).status, 200);
    } finally {
      http2.close();
    }
  });

  it("limits the requests of each client, not those of the proxy", async () => {
    for (const client of ["198.51.100.10", "198.51.100.11"]) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => ask(gateway, HTTPS, `x-forwarded-for: ${client}`)),
      );
      const passed = answers.filter(({ status }) => status === 200).length;
      const refused = answers.filter(({ status }) => status === 429).length;
      // HAProxy's rate is an estimate: on a slow machine, some more pass.
      assert.ok(passed >= 10 && refused > 0, `${client}: ${passed} passed, ${refused} refused`);
      assert.equal(passed + refused, 20);
    }
  });

  const OTHERS = {
    ...{
      "x-forwarded-host": "evil.example",
      "x-forwarded-prefix": "/evil",
      "x-forwarded-port": "1",
    },
    ...{ "x-real-ip": CLIENT, "true-client-ip": CLIENT, "cf-connecting-ip": CLIENT },
    ...{ "x-original-url": "/internal", "x-rewrite-url": "/internal", "x-client-ip": CLIENT },
  };
  const OTHER_LINES = Object.entries(OTHERS).map(([name, value]) => `${name}: ${value}`);

  it("passes the other headers of a trusted proxy on, and removes them from everybody else's requests", async () => {
    const forwarded = await ask(gateway, HTTPS, "x-forwarded-for: 198.51.100.12", ...OTHER_LINES);
    const passed = (received: typeof forwarded.received) =>
      Object.keys(OTHERS).filter((name) => received[name] !== undefined);
    assert.deepEqual(passed(forwarded.received), Object.keys(OTHERS));
    const others = await ask(direct, ...OTHER_LINES, "x-own: 1", "x-forwardedness: 1");
    assert.deepEqual(passed(others.received), []);
    assert.deepEqual([others.received["x-own"], others.received["x-forwardedness"]], ["1", "1"]);
  });

  it("believes nobody without trusted proxies", async () => {
    const { status, head, address, scheme } = await ask(
      direct,
      HTTPS,
      `x-forwarded-for: ${CLIENT}`,
      `forwarded: for=${CLIENT}`,
    );
    assert.equal(status, 200);
    assert.equal(scheme, "http");
    assert.notEqual(address, CLIENT);
    assert.doesNotMatch(head, /strict-transport-security/i);
  });
});
