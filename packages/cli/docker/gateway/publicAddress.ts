import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "@store/docker/messageOf";
import { serverName } from "./servedCertificate";

/** Result of a request to the store's public address. */
export type PublicAnswer =
  | { readonly kind: "ok" }
  /** The connection is refused, because no process listens at the address. */
  | { readonly kind: "refused" }
  /** No answer for another reason: a timeout, or a closed connection. */
  | { readonly kind: "silent"; readonly reason: string }
  /** Another server than the gateway. */
  | { readonly kind: "foreign" }
  /** These services don't answer the gateway. */
  | { readonly kind: "unavailable"; readonly services: readonly string[] };

const TIMEOUT_MS = 3_000;

/** Statuses by which the gateway says that a service doesn't answer. */
const UNAVAILABLE: ReadonlySet<number> = new Set([502, 503, 504]);

/**
 * Requests the gateway's list of services, each service in it, and the front page, as a client would.
 *
 * @param host Address of the host. With HTTPS, requests go there: the store's name may not lead there yet, and its certificate is a
 *   matter of its own (servedCertificate.ts).
 */
export async function askPublicAddress(url: string, host: string): Promise<PublicAnswer> {
  const send = url.startsWith("https:") ? sendHttps(host) : sendHttp;
  try {
    const list = await send(`${url}/api`);
    // All requests of this machine together have reached store:requestLimit, so a request to a service gets the same answer.
    if (isRateLimit(list)) return { kind: "ok" };
    const listed = servicesIn(list.text);
    if (listed === undefined) return { kind: "foreign" };
    const asked = [...listed, { name: "the front page", openapi: "/" }];
    const available = await Promise.all(
      asked.map(({ openapi }) => isAvailable(send, url + openapi)),
    );
    const services = asked.filter((_, i) => !available[i]).map(({ name }) => name);
    return services.length === 0 ? { kind: "ok" } : { kind: "unavailable", services };
  } catch (error) {
    return failure(error);
  }
}

/**
 * Asks until the answer is as it should be, at most for this time.
 *
 * @param signal Ends the wait with an error. @default never
 * @returns the last answer
 */
export async function awaitPublicAddress(
  url: string,
  host: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<PublicAnswer> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await askPublicAddress(url, host);
    if (answer.kind === "ok" || Date.now() >= end) return answer;
    await sleep(300, undefined, { signal });
  }
}

/** Describes an answer, as the predicate of a sentence whose subject is the address. */
export function describeAnswer(answer: PublicAnswer): string {
  switch (answer.kind) {
    case "ok":
      return "answers";
    case "refused":
      return "refuses connections: nothing listens there";
    case "silent":
      return `doesn't answer: ${answer.reason}`;
    case "foreign":
      return "is answered by another server";
    case "unavailable":
      return `answers, but not for ${answer.services.join(", ")}`;
  }
}

/** A service that doesn't answer in time isn't available either. */
async function isAvailable(send: Send, url: string): Promise<boolean> {
  try {
    return !UNAVAILABLE.has((await send(url)).status);
  } catch {
    return false;
  }
}

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly text: string;
}

type Send = (url: string) => Promise<Answer>;

async function sendHttp(url: string): Promise<Answer> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
    redirect: "manual",
    headers: { connection: "close" },
  });
  const { status, headers } = response;
  return { status, type: headers.get("content-type") ?? undefined, text: await response.text() };
}

/** Not by fetch, which can't connect to another address than the URL's. */
function sendHttps(host: string): Send {
  return async (url) => {
    const { hostname, port, pathname } = new URL(url);
    const request = httpsRequest({
      ...{ host, port: port || 443, path: pathname, agent: false, rejectUnauthorized: false },
      servername: serverName(hostname),
      headers: { host: port ? `${hostname}:${port}` : hostname },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const { statusCode: status = 0, headers } = response;
    return { status, type: headers["content-type"], text: await text(response) };
  };
}

/** Recognizes the answer 429 of the gateway (components/gateway/gatewayAnswers.ts). */
function isRateLimit({ status, type }: Answer): boolean {
  return status === 429 && type === "application/problem+json";
}

/** Returns undefined if the text isn't the gateway's answer to GET /api (components/gateway/gatewayApi.json). */
function servicesIn(text: string): { name: string; openapi: string }[] | undefined {
  try {
    const { services } = JSON.parse(text) as { services?: { name: string; openapi: string }[] };
    return Array.isArray(services) ? services : undefined;
  } catch {
    return undefined;
  }
}

function failure(error: unknown): PublicAnswer {
  const { name, cause } = error as { name?: string; cause?: unknown };
  if (name === "TimeoutError" || (cause as { name?: string } | undefined)?.name === "TimeoutError")
    return { kind: "silent", reason: `timeout after ${TIMEOUT_MS / 1000} s` };
  // The cause of an error of fetch; an error of node:https has the code itself.
  const { code } = (cause ?? error) as { code?: unknown };
  if (code === "ECONNREFUSED") return { kind: "refused" };
  return { kind: "silent", reason: messageOf(cause ?? error) };
}
