import { createServer, request as forward, Server } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import gatewayApi from "../../../components/gateway/gatewayApi.json";
import { liesUnder, ServiceSpec } from "../../../services/spec";

/** A service that runs on this machine. */
export interface Target {
  readonly name: string;
  readonly spec: ServiceSpec;
  readonly port: number;
}

/** For developing only: one address for all services, with the routes of their specs, as the gateway has it. */
export function createDoor(targets: readonly Target[]): Server {
  return createServer((request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    if (path === "/api") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ services: directory(targets) }));
      return;
    }
    if (path === "/api/openapi.json") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(gatewayApi));
      return;
    }
    const target = isClosed(path) ? undefined : targetOf(path, targets);
    if (target === undefined) refuse(response, 404, "No service answers at this address.");
    else pass(request, response, target);
  });
}

/** The service with the longest prefix that fits. */
export function targetOf(path: string, targets: readonly Target[]): Target | undefined {
  return targets
    .flatMap((target) => (target.spec.routes ?? []).map((prefix) => ({ prefix, target })))
    .filter(({ prefix }) => liesUnder(path, prefix))
    .sort((a, b) => b.prefix.length - a.prefix.length)[0]?.target;
}

function isClosed(path: string): boolean {
  return /^\/(internal(\/|$)|(healthz|readyz|metrics|openapi\.json)$)|\/\.{1,2}(\/|$)|%2e|%2f|\/\//i.test(
    path,
  );
}

function directory(targets: readonly Target[]): { name: string; openapi: string }[] {
  return targets
    .filter(({ name, spec }) => spec.routes?.includes(`/api/${name}`))
    .map(({ name }) => ({ name, openapi: `/api/${name}/openapi.json` }));
}

function pass(request: IncomingMessage, response: ServerResponse, { name, port }: Target): void {
  const { method, url, headers } = request;
  const onward = forward({ host: "127.0.0.1", port, method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.once("error", () => {
    if (response.headersSent) response.destroy();
    else refuse(response, 503, `${name} can't be reached at the moment.`);
  });
  response.once("close", () => onward.destroy());
  request.pipe(onward);
}

function refuse(response: ServerResponse, status: number, detail: string): void {
  const title = status === 404 ? "Not Found" : "Service Unavailable";
  response.writeHead(status, { "content-type": "application/problem+json" });
  response.end(JSON.stringify({ type: "about:blank", title, status, detail }));
}
