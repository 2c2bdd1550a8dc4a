/**
 * SUBSTITUTE for GitHub's API, for tests: an HTTP server on this machine. It knows the calls that `./store ci` makes and refuses
 * what GitHub refuses: a missing or weak token, bodies over 65,536 characters, unknown fields, calls beyond the rate limit. Lists
 * come in pages with Link headers. It is no proof that GitHub behaves so; docs/team-workflow.md lists what was never tried there.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ROUTES } from "./routes";
import { Refusal, type GitHubState, type Right } from "./state";

/** A failure injected into the next matching call. */
interface Fault {
  readonly method: string;
  readonly path: RegExp;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The call takes effect although it fails, as behind a proxy that loses the answer. */
  readonly takesEffect?: boolean;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

export class GitHubApi {
  /** All calls, in their order. */
  readonly calls: Call[] = [];
  readonly faults: Fault[] = [];
  /** Called before each call, for changes by somebody else at the same time. */
  beforeCall?: (call: Call) => void | Promise<void>;
  private server?: Server;

  constructor(readonly state: GitHubState) {}

  async start(): Promise<string> {
    const server = createServer((request, response) => void this.answer(request, response));
    this.server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const { server } = this;
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  }

  /** Calls that change something. */
  get writes(): string[] {
    return this.calls
      .filter(({ method, path }) => method !== "GET" && path !== "/graphql")
      .map(({ method, path }) => `${method} ${path}`);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", `http://${request.headers.host ?? ""}`);
    const call = { method: request.method ?? "", path: url.pathname, body: await json(request) };
    this.calls.push(call);
    await this.beforeCall?.(call);
    try {
      const fault = this.takeFault(call);
      if (fault && !fault.takesEffect) throw new Refusal(fault.status, "injected", fault.headers);
      const result = this.route(call, url, request.headers.authorization);
      if (fault) throw new Refusal(fault.status, "injected", fault.headers);
      const paged = Array.isArray(result.data) ? page(result.data, url) : undefined;
      send(response, result.status, paged?.items ?? result.data, paged?.headers ?? {});
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      send(response, error.status, { message: error.message }, error.headers);
    }
  }

  private takeFault({ method, path }: Call): Fault | undefined {
    const index = this.faults.findIndex((f) => f.method === method && f.path.test(path));
    return index < 0 ? undefined : this.faults.splice(index, 1)[0];
  }

  private route(
    call: Call,
    url: URL,
    authorization = "",
  ): { readonly status: number; readonly data: unknown } {
    const token = this.state.tokens.get(authorization.replace(/^(token|bearer) /i, ""));
    if (token === undefined) {
      throw new Refusal(401, authorization === "" ? "Requires authentication" : "Bad credentials");
    }
    for (const { method, path, rights, run } of ROUTES) {
      const match = new RegExp(`^${path}$`).exec(call.path);
      if (method !== call.method || match === null) continue;
      requireRight(token.rights, rights);
      const parameters = match.slice(1).map(decodeURIComponent);
      return run({ state: this.state, account: token.account, url, body: call.body, parameters });
    }
    throw new Refusal(404, "Not Found");
  }
}

/** One of the rights is enough, as for comments on pull requests. */
function requireRight(given: readonly Right[], accepted: readonly Right[]): void {
  if (accepted.length === 0 || accepted.some((right) => given.includes(right))) return;
  throw new Refusal(403, "Resource not accessible by integration", {
    "x-accepted-github-permissions": accepted.map((r) => r.replace(":", "=")).join("; "),
    "x-ratelimit-remaining": "4999",
  });
}

async function json(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? undefined : JSON.parse(text);
}

/** Cuts a list into pages of 30, or of `per_page` up to 100. */
function page(
  all: readonly unknown[],
  url: URL,
): { readonly items: readonly unknown[]; readonly headers: Readonly<Record<string, string>> } {
  const size = Math.min(100, Number(url.searchParams.get("per_page") ?? 30));
  const number = Number(url.searchParams.get("page") ?? 1);
  const items = all.slice((number - 1) * size, number * size);
  if (number * size >= all.length) return { items, headers: {} };
  const next = new URL(url);
  next.searchParams.set("page", String(number + 1));
  return { items, headers: { link: `<${next.href}>; rel="next"` } };
}

function send(
  response: ServerResponse,
  status: number,
  data: unknown,
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
  response.end(data === undefined ? undefined : JSON.stringify(data));
}
