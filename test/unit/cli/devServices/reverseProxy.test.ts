import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, Server } from "node:http";
import type { DevService } from "@store/cli/devServices/devService";
import { WebSocket, WebSocketServer } from "ws";
import { listen } from "@store/cli/devServices/listen";
import { createReverseProxy, findService } from "@store/cli/devServices/reverseProxy";

describe("reverse proxy of ./store services", () => {
  let upstream: Server;
  let proxy: Server;
  let url: string;
  let services: DevService[];

  before(async () => {
    upstream = createServer((request, response) =>
      response.end(`${request.method} ${request.url}`),
    );
    const webSockets = new WebSocketServer({ server: upstream });
    webSockets.on("connection", (socket, { url }) =>
      socket.on("message", (data, isBinary) =>
        socket.send(isBinary ? data : `${url} ${(data as Buffer).toString()}`),
      ),
    );
    const port = await listen(upstream);
    const health = { command: ["true"] };
    services = [
      { name: "orders", port, spec: { port, health, routes: ["/api/orders"] } },
      { name: "reports", port: 9, spec: { port, health, routes: ["/api/orders/reports"] } },
      { name: "storefront", port, spec: { port, health, routes: ["/"] } },
    ];
    proxy = await createReverseProxy(services);
    url = `http://127.0.0.1:${await listen(proxy)}`;
  });
  after(() => {
    for (const server of [proxy, upstream]) {
      server.closeAllConnections();
      server.close();
    }
  });

  it("routes by the longest prefix, as the gateway does", () => {
    const nameAt = (path: string) => findService(path, services)?.name;
    assert.deepEqual(
      ["/", "/basket", "/api/orders", "/api/orders/1", "/api/orders/reports/1", "/api/x"].map(
        nameAt,
      ),
      ["storefront", "storefront", "orders", "orders", "reports", undefined],
    );
  });
  it("forwards requests unchanged", async () => {
    const response = await fetch(`${url}/api/orders/1?a=b`, { method: "PUT", body: "x" });
    assert.equal(await response.text(), "PUT /api/orders/1?a=b");
  });
  it("doesn't serve internal endpoints", async () => {
    for (const path of ["/internal/x", "/internal", "/metrics", "/readyz", "/%2e%2e/internal/x"]) {
      assert.equal((await fetch(url + path)).status, 404, path);
    }
  });
  it("lists the services, and answers 503 for a service that is down", async () => {
    assert.deepEqual(await (await fetch(`${url}/api`)).json(), {
      services: [{ name: "orders", openapi: "/api/orders/openapi.json" }],
    });
    assert.equal((await fetch(`${url}/api/orders/reports`)).status, 503);
  });
  it("forwards WebSockets in both directions", async () => {
    const socket = new WebSocket(`${url.replace("http", "ws")}/api/orders/live?a=b`);
    await once(socket, "open");
    socket.send("hello");
    const [text] = (await once(socket, "message")) as [Buffer];
    assert.equal(String(text), "/api/orders/live?a=b hello");
    const large = Buffer.alloc(300_000, 7);
    socket.send(large);
    const [binary] = (await once(socket, "message")) as [Buffer];
    assert.ok(large.equals(binary));
    socket.close(4000);
    const [code] = (await once(socket, "close")) as [number];
    assert.equal(code, 4000);
  });
  it("refuses WebSockets as it refuses requests", async () => {
    const statusAt = async (path: string): Promise<unknown> => {
      const socket = new WebSocket(url.replace("http", "ws") + path);
      const [{ message }] = (await once(socket, "error")) as [Error];
      return /\d+$/.exec(message)?.[0];
    };
    assert.equal(await statusAt("/internal/live"), "404");
    assert.equal(await statusAt("/api/orders/reports/live"), "503");
  });
});
