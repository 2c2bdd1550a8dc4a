import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { askPublicAddress } from "@store/cli/docker/gateway/publicAddress";

describe("askPublicAddress", () => {
  let server: Server;
  let answer: RequestListener;
  let url: string;

  beforeEach(async () => {
    server = createServer((request, response) => answer(request, response));
    await once(server.listen(0, "127.0.0.1"), "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  const SERVICES = {
    services: ["orders", "billing"].map((name) => ({ name, openapi: `/api/${name}/openapi.json` })),
  };
  const statuses =
    (byPath: Readonly<Record<string, number>>): RequestListener =>
    ({ url = "" }, response) => {
      response.statusCode = byPath[url] ?? 200;
      response.end(url === "/api" ? JSON.stringify(SERVICES) : "");
    };

  it("is ok if the gateway and all services answer, whatever the status", async () => {
    answer = statuses({ "/": 404, "/api/orders/openapi.json": 429 });
    assert.deepEqual(await askPublicAddress(url, "localhost"), { kind: "ok" });
  });

  it("is ok if the gateway refuses more requests of this machine, for example during a load test", async () => {
    answer = (_request, response) =>
      response.writeHead(429, { "content-type": "application/problem+json" }).end("{}");
    assert.deepEqual(await askPublicAddress(url, "localhost"), { kind: "ok" });
    answer = (_request, response) => response.writeHead(429).end();
    assert.deepEqual(await askPublicAddress(url, "localhost"), { kind: "foreign" });
  });

  it("names the services that the gateway can't reach, or that don't answer", async () => {
    answer = (request, response) => {
      if (request.url?.startsWith("/api/billing")) return;
      statuses({ "/": 503, "/api/orders/openapi.json": 502 })(request, response);
    };
    assert.deepEqual(await askPublicAddress(url, "localhost"), {
      kind: "unavailable",
      services: ["orders", "billing", "the front page"],
    });
  });

  it("recognizes another server", async () => {
    answer = (_request, response) => response.end("<h1>It works!</h1>");
    assert.deepEqual(await askPublicAddress(url, "localhost"), { kind: "foreign" });
  });

  it("tells a closed port from a connection without an answer", async () => {
    answer = ({ socket }) => socket.destroy();
    assert.equal((await askPublicAddress(url, "localhost")).kind, "silent");
    server.close();
    server.closeAllConnections();
    assert.deepEqual(await askPublicAddress(url, "localhost"), { kind: "refused" });
  });
});
