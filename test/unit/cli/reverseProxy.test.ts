import assert from "node:assert/strict";
import { createServer, Server } from "node:http";
import { createDoor, targetOf, Target } from "@store/cli/devServices/reverseProxy";
import { listen } from "@store/cli/devServices/pglite";

describe("the one address of services without Docker", () => {
  let upstream: Server;
  let door: Server;
  let url: string;
  let targets: Target[];

  before(async () => {
    upstream = createServer((request, response) =>
      response.end(`${request.method} ${request.url}`),
    );
    const port = await listen(upstream);
    const health = { command: ["true"] };
    targets = [
      { name: "orders", port, spec: { port, health, routes: ["/api/orders"] } },
      { name: "reports", port: 9, spec: { port, health, routes: ["/api/orders/reports"] } },
      { name: "storefront", port, spec: { port, health, routes: ["/"] } },
    ];
    door = createDoor(targets);
    url = `http://127.0.0.1:${await listen(door)}`;
  });
  after(() => {
    for (const server of [door, upstream]) {
      server.closeAllConnections();
      server.close();
    }
  });

  it("goes by the longest prefix, as the gateway does", () => {
    const nameAt = (path: string) => targetOf(path, targets)?.name;
    assert.deepEqual(
      ["/", "/basket", "/api/orders", "/api/orders/1", "/api/orders/reports/1", "/api/x"].map(
        nameAt,
      ),
      ["storefront", "storefront", "orders", "orders", "reports", undefined],
    );
  });
  it("passes requests on as they are", async () => {
    const response = await fetch(`${url}/api/orders/1?a=b`, { method: "PUT", body: "x" });
    assert.equal(await response.text(), "PUT /api/orders/1?a=b");
  });
  it("opens nothing that the gateway keeps closed", async () => {
    for (const path of ["/internal/x", "/internal", "/metrics", "/readyz", "/%2e%2e/internal/x"]) {
      assert.equal((await fetch(url + path)).status, 404, path);
    }
  });
  it("lists the services, and says 503 for one that is away", async () => {
    assert.deepEqual(await (await fetch(`${url}/api`)).json(), {
      services: [{ name: "orders", openapi: "/api/orders/openapi.json" }],
    });
    assert.equal((await fetch(`${url}/api/orders/reports`)).status, 503);
  });
});
