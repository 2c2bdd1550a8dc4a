import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes, randomInt, randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Ajv2020 } from "ajv/dist/2020.js";
import * as fc from "fast-check";
import { parse } from "yaml";
import {
  GATEWAY_ADMIN_PORT,
  GATEWAY_PORT,
  GATEWAY_PUBLISHED_PORT,
  GatewayConfig,
  haproxyConfig,
  Route,
} from "../../components/gateway/haproxy";
import gatewayApi from "../../components/gateway/gatewayApi.json";
import { RateLimit } from "../../services/spec";
import { rawRequests, type RawRequest } from "./gatewayRequests";
import { run } from "./testStore";

const COMMON = { port: 3000, healthPath: "/readyz", rateLimits: [] };
const routeOf = (service: string): Route => ({
  ...COMMON,
  service,
  prefixes: [`/api/${service}`],
  rateLimits: [{ method: "POST", path: `/api/${service}`, requests: 60, seconds: 60 }],
});

/** The gateway's configuration in a real HAProxy, in front of services that don't protect themselves. */
describe("the gateway", function () {
  this.timeout("3m");
  let network: TestNetwork;
  let gateway: Gateway;

  before(async () => {
    network = await TestNetwork.create();
    await network.startService("inventory");
    await network.startService("storefront");
    gateway = await network.startGateway({ requests: 0 });
  });
  after(() => network.dispose());

  for (const [what, routes] of [
    ["a hundred services", Array.from({ length: 100 }, (_, i) => routeOf(`service-${i}`))],
    ["a front end alone", [{ ...COMMON, service: "storefront", prefixes: ["/"] }]],
    ["one service and no front end", [routeOf("inventory")]],
    ["no service", []],
  ] as const) {
    it(`accepts the configuration of ${what}`, () => network.check(routes));
  }

  describe("lists the services", () => {
    for (const path of ["/api", "/api/"]) {
      it(`at ${path}, with the URLs of their documents`, async () => {
        const response = await fetch(gateway.published + path);
        assert.equal(response.status, 200);
        assert.equal(response.headers.get("content-type"), "application/json");
        assert.deepEqual(await response.json(), {
          services: [{ name: "inventory", openapi: "/api/inventory/openapi.json" }],
        });
      });
    }
    it("as its own OpenAPI document describes", async () => {
      const response = await fetch(`${gateway.published}/api/openapi.json`);
      assert.equal(response.headers.get("content-type"), "application/json");
      const { openapi, paths } = (await response.json()) as typeof gatewayApi;
      assert.equal(openapi, "3.1.0");
      const { schema } = paths["/api"].get.responses["200"].content["application/json"];
      const validate = new Ajv2020({ strict: false }).compile(schema);
      const listed: unknown = await (await fetch(`${gateway.published}/api`)).json();
      assert.ok(validate(listed), JSON.stringify(validate.errors));
      assert.ok(!validate({ services: [{ name: "inventory" }] }));
    });
    it("for GET and HEAD only", async () => {
      assert.equal((await fetch(`${gateway.published}/api`, { method: "HEAD" })).status, 200);
      const response = await fetch(`${gateway.published}/api`, { method: "POST", body: "x" });
      assert.equal(response.status, 405);
      assert.equal(response.headers.get("allow"), "GET, HEAD");
      await assertProblem(response);
    });
  });

  describe("routes", () => {
    it("each prefix to its service and all other paths to storefront, unchanged", async () => {
      for (const [target, service] of [
        ["/api/inventory", "inventory"],
        ["/api/inventory/products?q=a%2Fb//../c&limit=1", "inventory"],
        ["/api/inventory/caf%C3%A9", "inventory"],
        ["/api/inventory/pages", "storefront"],
        ["/api/inventory/pages/1", "storefront"],
        ["/api/inventory/pages2", "inventory"],
        ["/apis", "storefront"],
        ["/basket?next=/../x", "storefront"],
      ] as const) {
        const { status, body } = await gateway.send(`GET ${target} HTTP/1.1`);
        assert.equal(status, 200, target);
        assert.deepEqual(
          pick(JSON.parse(body), "service", "target"),
          { service, target },
          `${target}: ${body}`,
        );
      }
    });

    // The services normalize the path, and answer INTERNAL if the result is an internal route.
    for (const target of [
      "/internal/reservations/1",
      "/internal",
      "//internal/reservations/1",
      "/%69nternal/reservations/1",
      "/%2e%2e/internal/reservations/1",
      "/./internal/reservations/1",
      "/api/../internal/reservations/1",
      "/api/inventory/../internal/reservations/1",
      "/api/inventory/../../internal/reservations/1",
      "/api/inventory/%2e%2e/%2e%2e/internal/reservations/1",
      "/api/inventory/%2E%2E/%2E%2E/internal/reservations/1",
      "/api/inventory/.%2e/.%2E/internal/reservations/1",
      "/api/inventory/..%2f..%2finternal/reservations/1",
      "/api/inventory/..%2F..%2Finternal/reservations/1",
      "/api/inventory/..\\..\\internal\\reservations\\1",
      "/api/inventory/..%5c..%5cinternal/reservations/1",
      "/api/inventory//..//../internal/reservations/1",
      "/api/inventory/x/../../../internal/reservations/1",
      "http://gateway/internal/reservations/1",
      "http://gateway/api/inventory/../../internal/reservations/1",
      "http://gateway?/api/inventory/../../internal/reservations/1",
      "http://x/internal/reservations/1?/api/inventory/",
      "http://x?/internal/reservations/1",
      "http://x#/internal/reservations/1",
      "/internal/reservations/1#/api/inventory/",
      "/api/inventory/..;/..;/internal/reservations/1",
      "internal/reservations/1",
      "/internal/reservations/%2",
      "/internal/reservations/%zz",
      "/%2569nternal/reservations/1",
      "/api/inventory/%252e%252e/%252E%252E/internal/reservations/1",
      "/internal;x/reservations/1",
      "/;internal/reservations/1",
      "/api/inventory/;../%3b../internal/reservations/1",
    ]) {
      it(`no request to an internal route: ${target}`, async () => {
        for (const method of ["GET", "PUT"]) {
          const { status, body } = await gateway.send(`${method} ${target} HTTP/1.1`);
          assert.doesNotMatch(body, /INTERNAL/, `${status} ${body}`);
        }
      });
    }

    it("no request to the services' own endpoints", async () => {
      for (const path of ["/healthz", "/readyz", "/metrics", "/openapi.json"]) {
        const response = await fetch(gateway.published + path);
        assert.equal(response.status, 404, path);
        await assertProblem(response);
      }
    });

    it("no request without a matching service", async () => {
      const response = await fetch(`${gateway.published}/api/nothing/x`);
      assert.equal(response.status, 404);
      await assertProblem(response);
    });
  });

  it("answers any request without a 5xx or an internal route, in a readable format", async () => {
    const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));
    console.log(`      requests to the gateway: TEST_SEED=${seed}`);
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(rawRequests(), async (request) => {
        runs++;
        judge(request, await gateway.sendRaw(request.text));
      }),
      {
        seed,
        numRuns: GENERATED_REQUESTS,
        interruptAfterTimeLimit: GENERATED_FOR_MS,
      },
    );
    console.log(`      ${runs} requests`);
    assert.ok(runs >= GENERATED_REQUESTS / 10, "too few requests to say anything");
  });

  describe("limits", () => {
    it("the requests of a client address from outside, but not those of storefront", async () => {
      const limited = await network.startGateway({ requests: 20 });
      const statuses = async (url: string): Promise<number[]> => {
        const found: number[] = [];
        for (let i = 0; i < 25; i++) {
          const response = await fetch(url);
          found.push(response.status);
          await response.arrayBuffer();
        }
        return found;
      };
      assert.deepEqual(new Set(await statuses(limited.inside)), new Set([200]));
      assert.deepEqual(await statuses(limited.published), [
        ...Array.from({ length: 20 }, () => 200),
        ...Array.from({ length: 5 }, () => 429),
      ]);
      const refused = await fetch(limited.published);
      assert.equal(refused.headers.get("retry-after"), "10");
      await assertProblem(refused);
      assert.equal((await fetch(limited.inside)).status, 200);
    });

    it("the requests that a spec limits, in any spelling, and no others", async () => {
      const limited = await network.startGateway(
        { requests: 1_000 },
        {
          inventory: [{ method: "POST", path: "/api/inventory/orders", requests: 3, seconds: 30 }],
          storefront: [
            { method: "POST", path: "/login", requests: 2, seconds: 60 },
            { method: "PUT", path: "/login", requests: 4, seconds: 10 },
          ],
        },
      );
      const status = async (line: string) => (await limited.send(`${line} HTTP/1.1`)).status;
      const other = async () => {
        assert.equal(await status("GET /api/inventory/orders"), 200);
        assert.equal(await status("POST /api/inventory/orders/1"), 200);
        assert.equal(await status("POST /api/inventory"), 200);
        for (let i = 0; i < 5; i++)
          assert.equal(
            (await fetch(`${limited.inside}/api/inventory/orders`, { method: "POST" })).status,
            200,
          );
      };
      await other();
      for (const path of ["", "?x=1", "?/"])
        assert.equal(await status(`POST /api/inventory/orders${path}`), 200, path);
      for (const target of [
        "/api/inventory/orders",
        "/api/inventory/orders?again",
        "/api/inventory/%6frd%65rs",
        "http://gateway/api/inventory/orders",
      ])
        assert.equal(await status(`POST ${target}`), 429, target);
      assert.equal(await status("POST /api/inventory/orders#x"), 400);
      await other();

      const login = () => fetch(`${limited.published}/login`, { method: "POST" });
      for (const expected of [200, 200, 429]) assert.equal((await login()).status, expected);
      const refused = await login();
      assert.equal(refused.headers.get("retry-after"), "60");
      await assertProblem(refused);
      assert.equal(await status("PUT /login"), 200);
    });

    it("bodies to 1 MiB", async () => {
      const post = (body: RequestInit["body"]) =>
        fetch(`${gateway.published}/api/inventory/x`, { method: "POST", body });
      const whole = await post(Buffer.alloc(1024 * 1024));
      assert.equal(whole.status, 200);
      assert.deepEqual(pick(await whole.json(), "length"), { length: 1024 * 1024 });
      for (const size of [1024 * 1024 + 1, 10_000_000]) {
        const response = await post(Buffer.alloc(size));
        assert.equal(response.status, 413);
        await assertProblem(response);
      }
    });

    it("URLs to 4096 characters", async () => {
      const at = (length: number) =>
        fetch(`${gateway.published}/x?${"a".repeat(length - "/x?".length)}`);
      assert.equal((await at(4096)).status, 200);
      const response = await at(4097);
      assert.equal(response.status, 414);
      await assertProblem(response);
    });

    it("headers to the services' limit", async () => {
      const headers = (length: number) => [`x-long: ${"a".repeat(length)}`];
      assert.equal((await gateway.send("GET / HTTP/1.1", headers(14_000))).status, 200);
      assert.equal((await gateway.send("GET / HTTP/1.1", headers(16_000))).status, 400);
      const many = Array.from({ length: 200 }, (_, index) => `x-${index}: 1`);
      assert.equal((await gateway.send("GET / HTTP/1.1", many)).status, 400);
    });

    it("the time for receiving a request", async () => {
      const unfinished = ["content-length: 10", "x-unfinished"];
      const [headers, body] = await Promise.all([
        gateway.send("POST / HTTP/1.1", unfinished, { end: "" }),
        gateway.send("POST / HTTP/1.1", unfinished.slice(0, 1), { end: "\r\n\r\nhalf" }),
      ]);
      assert.equal(headers.status, 408);
      assert.equal(body.status, 400);
      assert.match(body.head, /^content-type: application\/problem\+json/im);
      assert.match(body.body, /didn’t arrive in time/);
      assert.ok(headers.milliseconds < 20_000 && body.milliseconds < 29_000);
    });
  });

  describe("answers", () => {
    it("400 to invalid HTTP without forwarding it", async () => {
      for (const line of ["nonsense", "GET /\x01 HTTP/1.1", "G{T / HTTP/1.1"]) {
        assert.equal((await gateway.send(line)).status, 400);
      }
      const twoLengths = ["content-length: 3", "content-length: 5"];
      assert.equal((await gateway.send("POST /api/inventory HTTP/1.1", twoLengths)).status, 400);
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
      const limited = await network.startGateway({ requests: 3 });
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
      const limited = await network.startGateway({ requests: 1 });
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
      const limited = await network.startGateway({ requests: 2 });
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
      const version = await fetch(`${gateway.admin}/version`);
      assert.equal(version.status, 503);
      assert.match(await version.text(), /waits for storefront/);
      await fetch(`${gateway.published}/api/x`, { headers: { "x-request-id": "after-version" } });
      await eventually(
        async () => (await gateway.log()).includes("after-version"),
        "what was asked afterwards isn't logged",
      );
      assert.doesNotMatch(await gateway.log(), /"\/version"/);
      assert.equal((await fetch(`${gateway.published}/api/inventory/x`)).status, 200);
    });
  });
});

const GENERATED_REQUESTS = 2_000;
/** Time limit; a slower machine sends fewer requests. */
const GENERATED_FOR_MS = 8_000;

/** Assertions on every response. */
function judge({ method, readable }: RawRequest, { status, head, body }: Answer): void {
  assert.ok(status >= 200 && status < 500, `${status}: ${body}`);
  assert.doesNotMatch(body, REACHED);
  const header = (name: string) => new RegExp(`^${name}: *(.*)\\r?$`, "im").exec(head)?.[1];
  if (header("x-answered-by") !== undefined || !readable) return;
  const id = header("x-request-id");
  assert.match(id ?? "", /^[A-Za-z0-9._-]{8,64}$/, `${status}: ${body}`);
  const type = header("content-type");
  if (status === 200) {
    assert.equal(type, "application/json");
    return;
  }
  assert.equal(type, "application/problem+json");
  if (method === "HEAD") return;
  const problem = JSON.parse(body) as unknown;
  assert.deepEqual(pick(problem, "status", "type", "instance"), {
    ...{ status, type: "about:blank", instance: `urn:store:request:${id}` },
  });
}

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** Milliseconds until the first byte. */
  readonly milliseconds: number;
}

interface Gateway {
  /** Address of the port for requests from outside. */
  readonly published: string;
  /** Address of the port for requests from the store's own networks. */
  readonly inside: string;
  /** Address of the port for health and metrics. */
  readonly admin: string;
  /** Returns the log. */
  log(): Promise<string>;
  /** Sends a request without the normalization of `fetch`. */
  send(line: string, headers?: readonly string[], options?: { end?: string }): Promise<Answer>;
  /** Sends raw bytes. */
  sendRaw(request: string): Promise<Answer>;
}

/** A Docker network with HAProxy and services. */
class TestNetwork {
  private readonly folder = mkdtempSync(join(tmpdir(), "store-gateway-"));
  private readonly dispose_ = () => this.removeAll();

  private constructor(private readonly name: string) {
    process.once("exit", this.dispose_);
  }

  static async create(): Promise<TestNetwork> {
    const network = new TestNetwork(`store-test-gateway-${randomBytes(4).toString("hex")}`);
    await docker("network", "create", "--label", network.label, network.name);
    return network;
  }

  async startService(name: string): Promise<void> {
    await this.start(name, imageOf("node"), "node", ["-e", CARELESS_SERVICE, name]);
  }

  async stopService(name: string): Promise<void> {
    await docker("rm", "--force", `${this.name}-${name}`);
  }

  async startGateway(
    limits: { requests: number },
    { inventory = [], storefront = [] }: Readonly<Record<string, readonly RateLimit[]>> = {},
  ): Promise<Gateway> {
    const { files } = haproxyConfig(
      [
        { ...COMMON, service: "inventory", prefixes: ["/api/inventory"], rateLimits: inventory },
        {
          ...COMMON,
          service: "storefront",
          prefixes: ["/", "/api/inventory/pages"],
          rateLimits: storefront,
        },
      ],
      limits,
    );
    const name = `gateway-${limits.requests}`;
    const folder = this.write(name, files);
    const ports = [GATEWAY_PORT, GATEWAY_PUBLISHED_PORT, GATEWAY_ADMIN_PORT];
    await this.start(
      name,
      imageOf("haproxy"),
      "haproxy",
      ["-W", "-db", "-f", "/etc/store/haproxy.cfg"],
      [
        ...["--volume", `${folder}:/etc/store:ro`, "--tmpfs", "/tmp"],
        ...ports.flatMap((port) => ["--publish", `127.0.0.1::${port}`]),
      ],
    );
    const address = async (port: number): Promise<string> =>
      `http://${(await docker("port", `${this.name}-${name}`, `${port}/tcp`)).trim()}`;
    const [inside = "", published = "", admin = ""] = await Promise.all(ports.map(address));
    await eventually(
      async () => (await fetch(`${admin}/version`, { signal: AbortSignal.timeout(2_000) })).ok,
      `${name} isn't ready`,
    );
    return {
      inside,
      published,
      admin,
      log: () => docker("logs", `${this.name}-${name}`),
      send: (line, headers = [], { end = "\r\n\r\n" } = {}) =>
        send(
          published,
          [line, "host: gateway", "connection: close", ...headers].join("\r\n") + end,
        ),
      sendRaw: (request) => send(published, request),
    };
  }

  /** Validates a configuration with `haproxy -c`. Fails the test with its output. */
  async check(routes: readonly Route[]): Promise<void> {
    const folder = this.write("check", haproxyConfig(routes, { requests: 20 }).files);
    await docker(
      ...["run", "--rm", "--label", this.label, "--volume", `${folder}:/etc/store:ro`],
      ...["--entrypoint", "haproxy", imageOf("haproxy"), "-c", "-f", "/etc/store/haproxy.cfg"],
    );
  }

  /** Writes the files into a folder that any user can read, like the gateway's volume. */
  private write(name: string, files: GatewayConfig["files"]): string {
    const folder = join(this.folder, name);
    mkdirSync(folder, { recursive: true });
    for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
    return folder;
  }

  async dispose(): Promise<void> {
    process.off("exit", this.dispose_);
    this.removeAll();
    return Promise.resolve();
  }

  private get label(): string {
    return `dev.store.test.gateway=${this.name}`;
  }

  private async start(
    name: string,
    image: string,
    program: string,
    args: readonly string[],
    options: readonly string[] = [],
  ): Promise<void> {
    await docker(
      ...["run", "--detach", "--name", `${this.name}-${name}`, "--label", this.label],
      ...["--network", this.name, "--network-alias", name, "--entrypoint", program],
      ...[...options, image, ...args],
    );
  }

  /** Removes everything synchronously, for an interrupted run. */
  private removeAll(): void {
    const list = spawnSync("docker", ["ps", "-aq", "--filter", `label=${this.label}`], {
      encoding: "utf8",
    });
    const ids = list.stdout.split("\n").filter((id) => id !== "");
    if (ids.length > 0) spawnSync("docker", ["rm", "--force", "--volumes", ...ids]);
    spawnSync("docker", ["network", "rm", this.name]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Response of a service that was reached on an internal route. */
const REACHED = /"reached":"INTERNAL"/;

/** A service that echoes the request, and normalizes its path as far as possible. */
const CARELESS_SERVICE = `
  const decode = (text) => { try { return decodeURIComponent(text); } catch { return text; } };
  require("http").createServer((request, response) => {
    let length = 0;
    request.on("data", (data) => (length += data.length)).on("end", () => {
      const path = decode(decode(request.url.split(/[?#]/)[0])).replaceAll("\\\\", "/").replace(/^https?:\\/\\/[^/]*/, "");
      const leadsInside = (path) => /^\\/internal(\\/|$)/.test(require("path").posix.normalize("/" + path));
      const inside = [path, path.replaceAll(";", ""), path.replaceAll(/;[^/]*/g, "")].some(leadsInside);
      const own = { "content-security-policy": "default-src 'self'", "referrer-policy": "same-origin" };
      response.writeHead(Number(request.headers["x-answer"] ?? 200), { server: "careless/1.0", "x-answered-by": process.argv[1], ...(request.url === "/own-policy" ? own : {}) });
      response.end(JSON.stringify({
        service: process.argv[1], target: request.url, length, headers: request.headers,
        ...(inside ? { reached: "INTERNAL" } : {}),
      }));
    });
  }).on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\\r\\nx-answered-by: " + process.argv[1] + "\\r\\nconnection: close\\r\\n\\r\\n");
  }).listen(3000);
  process.on("SIGTERM", () => process.exit());`;

/** Sends bytes, and reads the response until the server closes the connection. */
function send(address: string, request: string): Promise<Answer> {
  const { hostname, port } = new URL(address);
  return new Promise((done, reject) => {
    let text = "";
    let milliseconds = NaN;
    const started = Date.now();
    const socket = connect(Number(port), hostname, () => socket.write(request, "latin1"));
    socket.setEncoding("utf8");
    socket.once("data", () => (milliseconds = Date.now() - started));
    socket.on("data", (data: string) => {
      text += data;
      // A server that rejects an incomplete request waits for the client to close.
      if (isComplete(text)) socket.destroy();
    });
    socket.once("error", reject);
    socket.once("close", () => {
      text = text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, "");
      const end = text.indexOf("\r\n\r\n");
      const head = text.slice(0, end);
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0);
      const chunked = /^transfer-encoding: chunked/im.test(head);
      const rest = text.slice(end + 4);
      done({ status, head, body: chunked ? unchunked(rest) : rest, milliseconds });
    });
  });
}

/** Returns whether a response is complete. Without a length, it is complete when the server closes the connection. */
function isComplete(answer: string): boolean {
  const [, length, body] = /^content-length: (\d+)\r\n.*?\r\n\r\n(.*)$/ims.exec(answer) ?? [];
  return body !== undefined && Buffer.byteLength(body) >= Number(length);
}

function unchunked(text: string): string {
  const [size = "0"] = text.split("\r\n", 1);
  const length = parseInt(size, 16);
  // The last chunk, or none: the response to HEAD has no body.
  if (!(length > 0)) return "";
  const start = size.length + 2;
  return text.slice(start, start + length) + unchunked(text.slice(start + length + 2));
}

/** Asserts that a page is self-contained and allows no other sources. */
function assertPage({ status, head, body }: Answer, expected: number, words: RegExp): void {
  assert.equal(status, expected, body);
  const header = (name: string) => new RegExp(`^${name}: (.*)\\r$`, "im").exec(head)?.[1];
  assert.equal(header("content-type"), "text/html; charset=utf-8");
  assert.equal(header("cache-control"), "no-store");
  assert.equal(header("x-content-type-options"), "nosniff");
  assert.equal(header("x-gateway-answer"), undefined);
  assert.match(body, /^<!doctype html><html lang="en-AU">/);
  assert.match(body, words);
  assert.match(body, new RegExp(`Reference: ${header("x-request-id")}<`));
  assert.doesNotMatch(body, /<script|<link|src=|url\(|"type"/);
  const [, style = ""] = /<style>(.*)<\/style>/s.exec(body) ?? [];
  const hash = createHash("sha256").update(style).digest("base64");
  assert.equal(
    header("content-security-policy"),
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
}

async function assertProblem(response: Response): Promise<void> {
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const document = (await response.json()) as Record<string, unknown>;
  assert.equal(document["status"], response.status);
  assert.equal(document["type"], "about:blank");
  for (const field of ["title", "detail"]) assert.equal(typeof document[field], "string");
  assert.equal(document["instance"], `urn:store:request:${response.headers.get("x-request-id")}`);
}

function pick(value: unknown, ...keys: readonly string[]): Record<string, unknown> {
  const record = value as Record<string, unknown>;
  return Object.fromEntries(keys.map((key) => [key, record[key]]));
}

async function docker(...args: string[]): Promise<string> {
  const { code, output } = await run("docker", args);
  assert.equal(code, 0, `docker ${args.join(" ")}:\n${output}`);
  return output;
}

/** Returns the base image that the stacks use. */
function imageOf(kind: "node" | "haproxy"): string {
  const project = parse(readFileSync(resolve(__dirname, "../../Pulumi.yaml"), "utf8")) as {
    readonly config: Readonly<Record<string, { readonly default: string }>>;
  };
  const image = project.config[`store:${kind}Image`]?.default;
  assert.ok(image);
  return image;
}

async function eventually(condition: () => Promise<boolean>, problem: string): Promise<void> {
  for (let attempt = 0; attempt < 150; attempt++) {
    if (await condition().catch(() => false)) return;
    await new Promise((resume) => setTimeout(resume, 200));
  }
  assert.fail(problem);
}
