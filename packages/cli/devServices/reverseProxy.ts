import { createServer, request as sendRequest, Server } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import gatewayApi from "../../../components/gateway/gatewayApi.json";
import { liesUnder } from "../../../services/spec";
import type { DevService } from "./devService";

/** Creates a reverse proxy with the gateway's routes, for development only. */
export function createReverseProxy(services: readonly DevService[]): Server {
  return createServer((request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
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
    const service = isInternal(path) ? undefined : findService(path, services);
    if (service === undefined) sendProblem(response, 404, "No service answers at this address.");
    else forward(request, response, service);
  });
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

function forward(
  request: IncomingMessage,
  response: ServerResponse,
  { name, port }: DevService,
): void {
  const { method, url, headers } = request;
  const options = { host: "127.0.0.1", port, method, path: url, headers };
  const upstream = sendRequest(options, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  upstream.once("error", () => {
    if (response.headersSent) response.destroy();
    else sendProblem(response, 503, `${name} can't be reached at the moment.`);
  });
  response.once("close", () => upstream.destroy());
  request.pipe(upstream);
}

function sendProblem(response: ServerResponse, status: 404 | 503, detail: string): void {
  const title = status === 404 ? "Not Found" : "Service Unavailable";
  response.writeHead(status, { "content-type": "application/problem+json" });
  response.end(JSON.stringify({ type: "about:blank", title, status, detail }));
}
