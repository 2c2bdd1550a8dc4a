import { once } from "node:events";
import {
  createServer,
  request as send,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";

/**
 * A test double of the gateway for services that run as processes. It has the real gateway's routes (`/api/NAME` to NAME, nothing under
 * `/internal`, all other paths to the storefront, a list of the APIs at `/api`) and none of its other functions.
 */
export interface TestGateway {
  readonly url: string;
  /** URLs of the services by name; `undefined` for a service that is down. */
  readonly targets: Map<string, string | undefined>;
  /** Called for each request before it is forwarded. Returns true if it has responded itself. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Returns true to close the connection instead of forwarding the response, after the request took effect. */
  dropResponse: ((request: IncomingMessage) => boolean) | undefined;
  stop(): Promise<void>;
}

/** The service for every path that isn't under `/api/NAME`. */
const DEFAULT_SERVICE = "storefront";

export async function startGateway(): Promise<TestGateway> {
  const targets: TestGateway["targets"] = new Map();
  const gateway: Omit<TestGateway, "url"> = {
    targets,
    intercept: undefined,
    dropResponse: undefined,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  // Longer than any client keeps an idle connection: closing one just when it is reused would lose a request.
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    if (gateway.intercept?.(request, response) === true) return;
    const { pathname } = new URL(request.url ?? "/", "http://gateway");
    if (pathname === "/api") {
      json(response, 200, { services: listApis(targets) });
      return;
    }
    const name = serviceOf(pathname);
    if (name === undefined || !targets.has(name)) {
      json(response, 404, { title: "Not Found", status: 404 });
      return;
    }
    const target = targets.get(name);
    if (target === undefined) json(response, 503, { title: "Service Unavailable", status: 503 });
    else {
      const dropResponse = gateway.dropResponse?.(request) ?? false;
      forward(request, response, { target, dropResponse });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return Object.assign(gateway, { url: `http://127.0.0.1:${address.port}` });
}

function serviceOf(path: string): string | undefined {
  const [, name] = /^\/api\/([^/]+)/.exec(path) ?? [];
  if (name !== undefined) return name;
  return /^\/(api|internal|healthz|readyz|metrics|openapi\.json)(\/|$)/.test(path)
    ? undefined
    : DEFAULT_SERVICE;
}

function listApis(targets: TestGateway["targets"]): { name: string; openapi: string }[] {
  return [...targets.keys()]
    .filter((name) => name !== DEFAULT_SERVICE)
    .sort()
    .map((name) => ({ name, openapi: `/api/${name}/openapi.json` }));
}

interface ForwardOptions {
  /** Base URL of the service. */
  readonly target: string;
  readonly dropResponse: boolean;
}

function forward(
  request: IncomingMessage,
  response: ServerResponse,
  { target, dropResponse }: ForwardOptions,
): void {
  const { method, headers, url = "/" } = request;
  const forwarded = send(target + url, { method, headers }, (upstreamResponse) => {
    if (dropResponse) {
      upstreamResponse.resume().once("end", () => response.destroy());
      return;
    }
    response.writeHead(upstreamResponse.statusCode ?? 502, upstreamResponse.headers);
    upstreamResponse.pipe(response);
  });
  forwarded.once("error", () => {
    if (response.headersSent) response.destroy();
    else json(response, 503, { title: "Service Unavailable", status: 503 });
  });
  request.pipe(forwarded);
}

function json(response: ServerResponse, status: number, body: unknown): void {
  const type = status < 400 ? "application/json" : "application/problem+json";
  response.writeHead(status, { "content-type": type });
  response.end(JSON.stringify(body));
}
