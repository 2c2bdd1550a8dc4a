import { once } from "node:events";
import {
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";

/** Timeout in milliseconds, longer than those of the callers: a process that continues after SIGSTOP still gets the request. */
const UPSTREAM_TIMEOUT_MS = 20_000;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Message {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export async function forwardRequest(
  port: number,
  { method, path, headers, body }: Message,
): Promise<Answer> {
  const outgoing = request({
    ...{ host: "127.0.0.1", port, method, path, agent: false, timeout: UPSTREAM_TIMEOUT_MS },
    headers: {
      ...endToEndHeaders(headers),
      ...(body.length === 0 ? {} : { "content-length": body.length }),
    },
  });
  outgoing.on("timeout", () =>
    outgoing.destroy(new Error(`no answer in ${UPSTREAM_TIMEOUT_MS} ms`)),
  );
  outgoing.end(body);
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  return {
    status: response.statusCode ?? 0,
    headers: endToEndHeaders(response.headers),
    body: await readBody(response),
  };
}

export function respond(outgoing: ServerResponse, { status, headers, body }: Answer): void {
  outgoing.writeHead(status, { ...headers, "content-length": body.length });
  outgoing.end(body);
}

/** Returns the headers without those that belong to a connection (hop-by-hop). */
function endToEndHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name)));
}

const hopByHop = new Set(
  "connection host keep-alive transfer-encoding content-length expect".split(" "),
);

export async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
