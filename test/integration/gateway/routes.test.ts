import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import gatewayApi from "../../../components/gateway/gatewayApi.json";
import { Route } from "../../../components/gateway/haproxy";
import { assertProblem, pick } from "./http";
import { INTERNAL_TARGETS } from "./internalTargets";
import { Gateway, OUTLET, ROUTE_DEFAULTS, TestNetwork } from "./network";

const routeOf = (service: string): Route => ({
  ...ROUTE_DEFAULTS,
  service,
  prefixes: [`/api/${service}`],
  rateLimits: [{ method: "POST", path: `/api/${service}`, requests: 60, seconds: 60 }],
});

const FRONT_END: Route = { ...ROUTE_DEFAULTS, service: "storefront", prefixes: ["/"] };
const SECOND_FRONT_END: Route = {
  ...ROUTE_DEFAULTS,
  service: OUTLET,
  prefixes: ["/"],
  hosts: ["outlet.example.org", "*.outlet.example.org"],
  rateLimits: [{ method: "POST", path: "/login", requests: 2, seconds: 600 }],
};

describe("the gateway", () => {
  let network: TestNetwork;
  let gateway: Gateway;

  before(async () => {
    network = await TestNetwork.create();
    gateway = await network.startGateway({ requests: 1000 }, {}, [], {
      routes: [SECOND_FRONT_END],
    });
  });
  after(() => network.dispose());

  for (const [what, routes] of [
    ["a hundred services", Array.from({ length: 100 }, (_, i) => routeOf(`service-${i}`))],
    ["a front end alone", [FRONT_END]],
    ["one service and no front end", [routeOf("inventory")]],
    ["a second front end with limits", [SECOND_FRONT_END, FRONT_END, routeOf("inventory")]],
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

    it("a host of a second front end to that, except for paths of APIs, with its own limits", async () => {
      const ask = async (host: string, line: string) =>
        gateway.sendRaw(`${line} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
      for (const [host, target, service] of [
        // The service inventory answers by the name of the second front end, too.
        ["outlet.example.org", "/", "inventory"],
        ["OUTLET.example.org:8080", "/basket?x=1", "inventory"],
        ["a.outlet.example.org", "/", "inventory"],
        ["a.b.outlet.example.org", "/", "storefront"],
        ["example.org", "/", "storefront"],
        ["outlet.example.orgs", "/", "storefront"],
        ["outlet.example.org", "/api/inventory/pages/1", "storefront"],
      ] as const) {
        const { body } = await ask(host, `GET ${target}`);
        const title = `${host}${target}: ${body}`;
        assert.deepEqual(pick(JSON.parse(body), "service", "target"), { service, target }, title);
      }
      const statuses = async (host: string): Promise<number[]> => {
        const found: number[] = [];
        for (let i = 0; i < 4; i++) found.push((await ask(host, "POST /login")).status);
        return found;
      };
      assert.deepEqual(await statuses("example.org"), [200, 200, 200, 200]);
      assert.deepEqual(await statuses("a.outlet.example.org"), [200, 200, 429, 429]);
    });

    for (const target of INTERNAL_TARGETS) {
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
});
