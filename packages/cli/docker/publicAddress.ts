import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "@store/docker/messageOf";

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

/** Requests the gateway's list of services, each service in it, and the front page, as a client would. */
export async function askPublicAddress(url: string): Promise<PublicAnswer> {
  try {
    const list = await send(`${url}/api`);
    // All requests of this machine together have reached store:requestLimit, so a request to a service gets the same answer.
    if (isRateLimit(list)) return { kind: "ok" };
    const listed = servicesIn(await list.text());
    if (listed === undefined) return { kind: "foreign" };
    const asked = [...listed, { name: "the front page", openapi: "/" }];
    const available = await Promise.all(asked.map(({ openapi }) => isAvailable(url + openapi)));
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
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<PublicAnswer> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await askPublicAddress(url);
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
async function isAvailable(url: string): Promise<boolean> {
  try {
    return !UNAVAILABLE.has((await send(url)).status);
  } catch {
    return false;
  }
}

async function send(url: string): Promise<Response> {
  return fetch(url, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
    redirect: "manual",
    headers: { connection: "close" },
  });
}

/** Recognizes the answer 429 of the gateway (components/gateway/gatewayAnswers.ts). */
function isRateLimit({ status, headers }: Response): boolean {
  return status === 429 && headers.get("content-type") === "application/problem+json";
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
  if (name === "TimeoutError")
    return { kind: "silent", reason: `timeout after ${TIMEOUT_MS / 1000} s` };
  const { code } = (cause ?? {}) as { code?: unknown };
  if (code === "ECONNREFUSED") return { kind: "refused" };
  return { kind: "silent", reason: messageOf(cause ?? error) };
}
