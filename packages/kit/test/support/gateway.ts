import { once } from "node:events";
import {
  createServer,
  request as send,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";

/**
 * Test support: stands in for the gateway where services run as processes. It routes like the real one (`/api/NAME` to NAME,
 * nothing under `/internal`, all else to the storefront, a list of the interfaces at `/api`), and does nothing else of what
 * that does.
 */
export interface TestGateway {
  readonly url: string;
  /** Where a service answers; `undefined` while it is away. */
  readonly targets: Map<string, string | undefined>;
  /** Sees each request before it is passed on, and may answer it itself, by returning true. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Passes on the answer, or loses it after the service has done what it was asked. */
  dropResponse: ((request: IncomingMessage) => boolean) | undefined;
  stop(): Promise<void>;
}

/** What takes every path that no service's interface is under. */
const DEFAULT = "storefront";

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
  // Longer than any client keeps a connection: one that is closed by us just then would lose a request that isn't sent twice.
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    if (gateway.intercept?.(request, response) === true) return;
    const { pathname } = new URL(request.url ?? "/", "http://gateway");
    if (pathname === "/api") {
      json(response, 200, { services: interfaces(targets) });
      return;
    }
    const name = serviceOf(pathname);
    if (name === undefined || !targets.has(name)) {
      json(response, 404, { title: "Not Found", status: 404 });
      return;
    }
    const target = targets.get(name);
    if (target === undefined) json(response, 503, { title: "Service Unavailable", status: 503 });
    else passOn(request, response, { target, lose: gateway.dropResponse?.(request) ?? false });
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
    : DEFAULT;
}

function interfaces(targets: TestGateway["targets"]): { name: string; openapi: string }[] {
  return [...targets.keys()]
    .filter((name) => name !== DEFAULT)
    .sort()
    .map((name) => ({ name, openapi: `/api/${name}/openapi.json` }));
}

interface Way {
  readonly target: string;
  readonly lose: boolean;
}

function passOn(request: IncomingMessage, response: ServerResponse, { target, lose }: Way): void {
  const { method, headers, url = "/" } = request;
  const forwarded = send(target + url, { method, headers }, (answer) => {
    if (lose) {
      answer.resume().once("end", () => response.destroy());
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
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
