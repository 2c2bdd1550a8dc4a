import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";

/** No complete response arrived within the timeout. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/** Milliseconds for which an idle connection is kept. Shorter than a server's keep-alive, so that the server never closes it first. */
const IDLE_MS = 10_000;
const options = { keepAlive: true, timeout: IDLE_MS };
const agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };

/**
 * Sends a request over a keep-alive connection and returns the complete response. Does the same as fetch for a fifth of the CPU time:
 * with fetch, calls between the services cost more CPU time than the work that they asked for.
 *
 * @param timeout Milliseconds within which the complete response must have arrived.
 * @throws TimeoutError after the timeout, otherwise the connection's error.
 */
export async function httpRequest(request: Request, timeout: number): Promise<Response> {
  const body = request.body === null ? undefined : Buffer.from(await request.arrayBuffer());
  const { method, url } = request;
  const headers = Object.fromEntries(request.headers);
  const secure = url.startsWith("https:");
  return new Promise((resolve, reject) => {
    const sent = (secure ? requestHttps : requestHttp)(url, {
      method,
      headers: body === undefined ? headers : { ...headers, "content-length": body.length },
      agent: secure ? agents.https : agents.http,
    });
    const timer = setTimeout(() => {
      reject(new TimeoutError(`no answer within ${timeout} ms`));
      sent.destroy();
    }, timeout);
    sent.once("close", () => clearTimeout(timer));
    // Also catches errors after the first one: an unhandled 'error' event would end the process.
    sent.on("error", reject);
    sent.once("response", (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.once("end", () => {
        try {
          resolve(toResponse(incoming, Buffer.concat(chunks)));
        } catch (error) {
          // Response refuses a status outside 200 to 599.
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
    sent.end(body);
  });
}

function toResponse({ statusCode = 0, headers }: IncomingMessage, body: Buffer): Response {
  return new Response(body.length === 0 ? null : body, {
    status: statusCode,
    headers: Object.entries(headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((one): [string, string] => [name, one]),
    ),
  });
}
