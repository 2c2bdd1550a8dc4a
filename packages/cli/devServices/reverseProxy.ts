import { createServer, Server, ServerResponse } from "node:http";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ProxyServer } from "httpxy" with { "resolution-mode": "import" };
import gatewayApi from "../../../components/gateway/gatewayApi.json";
import { liesUnder } from "../../../services/spec";
import type { DevService } from "./devService";

/** Creates a reverse proxy with the gateway's routes, for requests and WebSockets. For development only. */
export async function createReverseProxy(services: readonly DevService[]): Promise<Server> {
  const proxy = await createForwarder();
  const server = createServer((request, response) => {
    const path = pathOf(request);
    if (path === "/api") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ services: apiDirectory(services) }));
      return;
    }
    if (path === "/api/openapi.json") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(gatewayApi));
      return;
    }
    const service = publicService(path, services);
    if (service === undefined) sendProblem(response, 404, "No service answers at this address.");
    else void proxy.web(request, response, { target: addressOf(service) });
  });
  server.on("upgrade", (request, socket: Socket, head: Buffer) => {
    const service = publicService(pathOf(request), services);
    if (service === undefined) refuseUpgrade(socket, 404);
    else void proxy.ws(request, socket, { target: addressOf(service) }, head);
  });
  return server;
}

/** Creates the client that forwards requests. It answers 503 for a service that can't be reached. */
async function createForwarder(): Promise<ProxyServer> {
  // An ES module.
  const { createProxyServer } = await import("httpxy");
  const proxy = createProxyServer();
  const upgraded = new WeakSet<Duplex>();
  proxy.on("proxyReqWs", (upstream, _request, socket) => {
    upstream.once("upgrade", () => upgraded.add(socket));
  });
  proxy.on("error", (_error, _request, answer) => {
    if (!(answer instanceof ServerResponse)) {
      if (answer && !upgraded.has(answer)) refuseUpgrade(answer, 503);
    } else if (answer.headersSent) answer.destroy();
    else sendProblem(answer, 503, "The service can't be reached at the moment.");
  });
  return proxy;
}

function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "/";
}

function addressOf({ port }: DevService): string {
  return `http://127.0.0.1:${port}`;
}

/** Returns the service that answers at a path, as at the gateway. */
function publicService(path: string, services: readonly DevService[]): DevService | undefined {
  return isInternal(path) ? undefined : findService(path, services);
}

/** Returns the service whose route has the longest prefix of the path. */
export function findService(path: string, services: readonly DevService[]): DevService | undefined {
  return services
    .flatMap((service) => (service.spec.routes ?? []).map((prefix) => ({ prefix, service })))
    .filter(({ prefix }) => liesUnder(path, prefix))
    .sort((a, b) => b.prefix.length - a.prefix.length)[0]?.service;
}

/** Returns true for paths that the gateway doesn't serve: internal endpoints and paths that could be normalized to one. */
function isInternal(path: string): boolean {
  return /^\/(internal(\/|$)|(healthz|readyz|metrics|openapi\.json)$)|\/\.{1,2}(\/|$)|%2e|%2f|\/\//i.test(
    path,
  );
}

function apiDirectory(services: readonly DevService[]): { name: string; openapi: string }[] {
  return services
    .filter(({ name, spec }) => spec.routes?.includes(`/api/${name}`))
    .map(({ name }) => ({ name, openapi: `/api/${name}/openapi.json` }));
}

function sendProblem(response: ServerResponse, status: 404 | 503, detail: string): void {
  const title = TITLES[status];
  response.writeHead(status, { "content-type": "application/problem+json" });
  response.end(JSON.stringify({ type: "about:blank", title, status, detail }));
}

/** Answers the request for a WebSocket. */
function refuseUpgrade(socket: Duplex, status: 404 | 503): void {
  socket.end(
    `HTTP/1.1 ${status} ${TITLES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
  );
}

const TITLES = { 404: "Not Found", 503: "Service Unavailable" } as const;
