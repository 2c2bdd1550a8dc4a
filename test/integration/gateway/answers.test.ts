import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { eventually } from "../support/eventually";
import { assertPage, pick, send } from "./http";
import { docker } from "../../support/run";
import { countForMinutes, Gateway, TestNetwork } from "./network";

describe("the gateway answers", () => {
  let network: TestNetwork;
  let gateway: Gateway;

  before(async () => {
    network = await TestNetwork.create();
    const hosts = ["203.0.113.9", "shop.example.org"];
    gateway = await network.startGateway({ requests: 0 }, {}, [], { hosts });
  });
  after(() => network.dispose());

  it("400 to invalid HTTP without forwarding it", async () => {
    for (const line of ["nonsense", "GET /\x01 HTTP/1.1", "G{T / HTTP/1.1"]) {
      assert.equal((await gateway.send(line)).status, 400);
    }
    const twoLengths = ["content-length: 3", "content-length: 5"];
    assert.equal((await gateway.send("POST /api/inventory HTTP/1.1", twoLengths)).status, 400);
  });

  it("400 to HTTP/2 without TLS, over which none of the other tests goes", async () => {
    const { head } = await gateway.sendRaw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert.match(head, /^HTTP\/1\.1 400 /);
  });

  const byName = (target: string, ...headers: readonly string[]) =>
    send(target, ["GET /x HTTP/1.1", "connection: close", ...headers].join("\r\n") + "\r\n\r\n");

  it("200 by the store's names, by addresses, and by names that nobody can register", async () => {
    for (const name of [
      ...["shop.example.org", "SHOP.example.org:8080", "shop.example.org.", "203.0.113.9"],
      ...["localhost:8080", "a.localhost", "127.0.0.1:8080", "192.168.1.20", "[::1]:8080"],
      ...["[fe80::1]", "gateway", "my-laptop:8080", "my-laptop.local", "host.docker.internal"],
    ]) {
      const { status, body } = await byName(gateway.published, `host: ${name}`);
      assert.equal(status, 200, `${name}: ${body}`);
    }
  });

  it("421 by other names, with the key that takes further ones", async () => {
    for (const name of [
      ...["evil.example", "evil.example:8080", "localhost.evil.example", "1.2.3.4x"],
      ...["shop.example.org.evil.example", "xshop.example.org", "127.0.0.1.evil.example"],
      "notlocalhost.example",
    ]) {
      const page = await byName(gateway.published, `host: ${name}`, "accept: text/html");
      assertPage(page, 421, /isn’t our address/);
      const problem = JSON.parse(
        (await byName(gateway.published, `host: ${name}`)).body,
      ) as unknown;
      assert.match(String(pick(problem, "detail")["detail"]), /store:allowedHosts/);
    }
  });

  it("200 without a name, and by any name from the store's own networks", async () => {
    const old = await gateway.sendRaw("GET /x HTTP/1.0\r\n\r\n");
    assert.equal(old.status, 200, old.body);
    assert.equal((await byName(gateway.inside, "host: evil.example")).status, 200);
    const health = "GET /healthz HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert.equal((await send(gateway.admin, health)).status, 200);
  });

  it("405 to proxy requests", async () => {
    const { status, head, body } = await gateway.send("CONNECT gateway:80 HTTP/1.1");
    assert.equal(status, 405, body);
    assert.match(head, /^allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r$/im);
    assert.match(head, /^content-type: application\/problem\+json\r$/im);
  });

  it("with security headers and without a Server header", async () => {
    for (const path of ["/", "/api/inventory/x", "/api", "/api/nothing", "/metrics"]) {
      const { headers } = await fetch(gateway.published + path);
      assert.equal(headers.get("x-content-type-options"), "nosniff", path);
      assert.equal(headers.get("referrer-policy"), "no-referrer", path);
      assert.equal(
        headers.get("content-security-policy"),
        "default-src 'none'; frame-ancestors 'none'",
        path,
      );
      assert.equal(headers.get("server"), null, path);
      // Without TLS, HSTS would lock users out.
      assert.equal(headers.get("strict-transport-security"), null, path);
    }
  });

  it("with a service's own Content-Security-Policy, if it has one", async () => {
    const { headers } = await fetch(`${gateway.published}/own-policy`);
    assert.equal(headers.get("content-security-policy"), "default-src 'self'");
    assert.equal(headers.get("referrer-policy"), "same-origin");
  });

  it("with the request ID, which is the caller's if it is valid", async () => {
    const ask = async (id: string, path = "/") => {
      const response = await fetch(gateway.published + path, { headers: { "x-request-id": id } });
      return { answered: response.headers.get("x-request-id"), text: await response.text() };
    };
    const { answered, text } = await ask("my-request-1");
    assert.equal(answered, "my-request-1");
    assert.match(text, /"x-request-id":"my-request-1"/);
    assert.match((await ask("{bad}")).answered ?? "", /^[0-9a-f-]{36}$/);
    for (const ids of [
      ["x-request-id: my-request-1", "x-request-id: {bad}"],
      ["x-request-id: my-request-1, {bad}"],
    ]) {
      const { head } = await gateway.send("GET /api/x HTTP/1.1", ids);
      assert.match(head, /^x-request-id: [0-9a-f-]{36}\r$/m);
    }
    assert.match((await ask("my-request-2", "/api/x")).text, /urn:store:request:my-request-2/);
  });

  it("with one log line for each rejected request, or one for a flood", async () => {
    const limited = await network.startGateway({ requests: 3 }, {}, [], {
      edit: countForMinutes,
    });
    const ask = (id: string, path = "/") =>
      fetch(limited.published + path, { headers: { "x-request-id": id } });
    assert.equal((await ask("answered-by-service")).status, 200);
    assert.equal((await ask("refused-here-404", "/api/nothing")).status, 404);
    await ask("answered-by-service-2");
    for (const n of [1, 2, 3]) assert.equal((await ask(`too-many-${n}`)).status, 429);
    const logged = async () =>
      [...(await limited.log()).matchAll(/"reqId": ?"([^"]*)"/g)].map(([, id]) => id);
    await eventually(async () => (await logged()).length >= 2, "nothing is logged");
    assert.deepEqual(await logged(), ["refused-here-404", "too-many-1"]);
  });

  it("without logging the caller's text: only the service's prefix of a URL, and only known methods", async () => {
    const order = randomUUID();
    const person = "zaphod@betelgeuse.example";
    const secrets = [order, person, encodeURIComponent(person), "zaphod"];
    const limited = await network.startGateway({ requests: 1 }, {}, [], {
      edit: countForMinutes,
    });
    const failed = ["x-answer: 500"];
    const asked: [line: string, headers: readonly string[], status: number][] = [
      [`GET /api/inventory/${order}?email=${person} HTTP/1.1`, failed, 500],
      [`GET /api/inventory?email=${person} HTTP/1.1`, failed, 500],
      [`GET /orders/${order} HTTP/1.1`, failed, 500],
      [`GET /api/inventory.${order} HTTP/1.1`, [], 404],
      [`GET /api/${person} HTTP/1.1`, [], 404],
      [`GET http://gateway/api/orders/${order} HTTP/1.1`, [], 404],
      [`GET /orders//${order} HTTP/1.1`, [], 400],
      [`GET /orders/${order}/%zz HTTP/1.1`, [], 400],
      [`GET /orders/${order}?${"a".repeat(5000)} HTTP/1.1`, [], 414],
      [`POST /orders/${order} HTTP/1.1`, ["content-length: 2000000"], 413],
      [`zaphod /api/${order} HTTP/1.1`, [], 404],
      ["GETzaphod /api/x HTTP/1.1", [], 404],
      ["CONNECT zaphod:443 HTTP/1.1", ["host: zaphod:443"], 400],
      [`${person} / HTTP/1.1`, [], 400],
      [`GET ${person} HTTP/1.1`, [], 400],
      [`GET /orders/${order}\x01 HTTP/1.1`, [], 400],
      [`GET /orders/${order} ${person} HTTP/1.1`, [], 400],
      [person, [], 400],
    ];
    for (const [line, headers, status] of asked)
      assert.equal((await gateway.send(line, headers)).status, status, line);
    await fetch(`${gateway.published}/api/x`, { headers: { "x-request-id": "after-secrets" } });
    for (const status of [200, 429])
      assert.equal((await limited.send(`GET /orders/${order} HTTP/1.1`)).status, status);
    await eventually(
      async () =>
        (await gateway.log()).includes("after-secrets") && (await limited.log()).includes("429"),
      "what was asked isn't logged",
    );
    const lines = [...(await gateway.log()).split("\n"), ...(await limited.log()).split("\n")];
    for (const secret of secrets)
      assert.equal(
        lines.find((line) => line.includes(secret)),
        undefined,
        secret,
      );
    const logged = lines
      .filter((line) => line.startsWith("{"))
      .map((line) => pick(JSON.parse(line), "route", "method", "status", "backend"));
    for (const line of [
      { route: "/api/inventory", method: "GET", status: 500, backend: "inventory" },
      { route: "", method: "GET", status: 500, backend: "storefront" },
      { route: "", method: "", status: 404, backend: "public" },
      { route: "", method: "GET", status: 404, backend: "public" },
    ])
      assert.ok(
        logged.some((one) => isDeepStrictEqual(one, line)),
        JSON.stringify(line) + lines.join("\n"),
      );
  });

  it("browsers with a page, and programs with a problem document", async () => {
    const limited = await network.startGateway({ requests: 2 }, {}, [], {
      edit: countForMinutes,
    });
    const accept = "accept: text/html,application/xhtml+xml,*/*;q=0.8";
    const asked: [line: string, headers: readonly string[], status: number, words: RegExp][] = [
      ["GET /a//b HTTP/1.1", [], 400, /<h1>We can’t read that<\/h1>/],
      ["GET /internal/x HTTP/1.1", [], 404, /<h1>We can’t find that<\/h1>/],
      ["POST /x HTTP/1.1", ["content-length: 2000000"], 413, /Go back and send less/],
      [`GET /${"a".repeat(5000)} HTTP/1.1`, [], 414, /That address is too long/],
    ];
    for (const [line, headers, status, words] of asked)
      assertPage(await gateway.send(line, [accept, ...headers]), status, words);
    for (const status of [200, 200]) {
      const answer = await limited.send("GET /own-policy HTTP/1.1", [accept]);
      assert.equal(answer.status, status);
      // A service's own response isn't changed.
      assert.match(answer.head, /^content-security-policy: default-src 'self'\r$/im);
      assert.doesNotMatch(answer.head, /^content-type/im);
    }
    const tooMany = await limited.send("GET / HTTP/1.1", [accept]);
    assertPage(tooMany, 429, /Wait 10 seconds, then reload this page/);
    assert.match(tooMany.head, /^retry-after: 10\r$/im);

    for (const [path, ...headers] of [
      ["/api/nothing", accept],
      ["/api/inventory//x", accept],
      ["/internal/x"],
      ["/internal/x", "accept: */*"],
      ["/internal/x", "accept: application/json"],
    ]) {
      const { head, body } = await gateway.send(`GET ${path} HTTP/1.1`, headers);
      assert.match(head, /^content-type: application\/problem\+json\r$/im, path);
      assert.match(head, /^content-security-policy: default-src 'none'; frame-anc/im);
      assert.equal(typeof (JSON.parse(body) as { detail: unknown }).detail, "string");
    }
  });

  it("503 with Retry-After while a service is down", async () => {
    await network.stopService("storefront");
    // On a new connection: on a reused one, HAProxy may close the connection so that the caller retries.
    const { status, head, body } = await gateway.send("GET / HTTP/1.1");
    assert.equal(status, 503);
    assert.match(head, /^retry-after: 1\r\n/im);
    assert.match(head, /^content-type: application\/problem\+json/im);
    assert.match(body, /storefront can’t be reached/);
    const page = await gateway.send("POST /checkout HTTP/1.1", ["accept: text/html"]);
    assertPage(page, 503, /doesn’t answer at the moment\. Wait a few seconds, then reload/);
    assert.match(page.head, /^retry-after: 1\r\n/im);
    await eventually(async () => {
      const version = await fetch(`${gateway.admin}/version`);
      return version.status === 503 && /waits for storefront/.test(await version.text());
    }, "/version doesn't name the service");
    await fetch(`${gateway.published}/api/x`, { headers: { "x-request-id": "after-version" } });
    await eventually(
      async () => (await gateway.log()).includes("after-version"),
      "what was asked afterwards isn't logged",
    );
    assert.doesNotMatch(await gateway.log(), /"\/version"/);
    assert.equal((await fetch(`${gateway.published}/api/inventory/x`)).status, 200);
  });

  it("with a changed configuration while services are down, as before", async () => {
    await network.stopService("inventory");
    const answer = async (): Promise<string> => (await fetch(`${gateway.admin}/version`)).text();
    await eventually(
      async () => (await answer()).endsWith(" waits for inventory storefront"),
      "/version doesn't list both services",
    );
    const services = ["inventory", "storefront"];
    const { code, output } = await network.reload(gateway, services);
    assert.equal(code, 0, output);
    assert.match(output, /^unreachable.*: inventory storefront$/m);
  });

  it("after it was replaced while a service is down that Docker doesn't report as healthy", async () => {
    await docker("restart", gateway.container);
    const { code, output } = await network.awaitConfig(gateway, []);
    assert.equal(code, 0, output);
    assert.match(output, /^unreachable.*: inventory storefront$/m);
  });
});
