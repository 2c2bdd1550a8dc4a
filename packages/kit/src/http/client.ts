import { setTimeout as delay } from "node:timers/promises";
import type { FastifyRequest } from "fastify";
import { httpRequest, TimeoutError } from "./httpRequest.ts";
import { withSpan } from "../telemetry/tracing.ts";
import createOpenApiClient, { type Client as OpenApiClient } from "openapi-fetch";

/**
 * A service that we call: gone, too slow, failing (5xx) or refusing for now (429). Whether it did what it was asked isn't
 * known, so what matters is asked again under the same id. Our own caller is told 503.
 */
export class UpstreamError extends Error {
  override readonly name = "UpstreamError";
  readonly service: string;
  /** No instance took the request, so another try soon may reach one. */
  readonly retryable: boolean;

  constructor(service: string, message: string, gone: boolean, options?: ErrorOptions) {
    super(`${service}: ${message}`, options);
    this.service = service;
    this.retryable = gone;
  }
}

/** A client typed by the `paths` that openapi-typescript made of a service's published document. */
export type Client<Paths extends object> = OpenApiClient<Paths>;

export interface ClientOptions {
  /** Name of the service for messages. */
  readonly service: string;
  readonly baseUrl: string;
  /** Milliseconds for one attempt. @default 2000 */
  readonly timeout?: number;
}

export function createClient<Paths extends object>(options: ClientOptions): Client<Paths> {
  const { service, baseUrl, timeout = 2_000 } = options;
  return createOpenApiClient<Paths>({
    baseUrl,
    fetch: (request) => send(request, service, timeout),
    headers: { accept: "application/json" },
  });
}

/** Headers that let the called service's log be read together with ours. */
export function forwardCorrelationHeaders(request: FastifyRequest): { "x-request-id": string } {
  return { "x-request-id": request.id };
}

/** Pauses before the second and third attempt, in milliseconds: an instance that is going away is gone by then. */
const pauses = [50, 250];

async function send(request: Request, service: string, timeout: number): Promise<Response> {
  // Only what changes nothing may be sent twice. The rest is its caller's to repeat, under an idempotency key.
  const repeatable = request.method === "GET" || request.method === "HEAD";
  for (const pause of repeatable ? pauses : []) {
    try {
      return await attempt(request, service, timeout);
    } catch (error) {
      if (!(error instanceof UpstreamError) || !error.retryable) throw error;
      await delay(pause);
    }
  }
  return attempt(request, service, timeout);
}

function attempt(request: Request, service: string, timeout: number): Promise<Response> {
  const { method } = request;
  const attributes = { "http.request.method": method, "server.address": service };
  return withSpan({ name: `${method} ${service}`, kind: "client", attributes }, (headers, note) => {
    for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
    return ask(request, service, timeout, (status) =>
      note({ "http.response.status_code": status }),
    );
  });
}

async function ask(
  request: Request,
  service: string,
  timeout: number,
  answered: (status: number) => void,
): Promise<Response> {
  try {
    const response = await httpRequest(request, timeout);
    const { status } = response;
    answered(status);
    if (status < 500 && status !== 429) return response;
    // Asked to slow down, we don't ask again at once.
    throw new UpstreamError(service, `answered ${status}`, status > 500);
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    throw new UpstreamError(service, reason(error), !(error instanceof TimeoutError), { cause: error });
  }
}

/** Node tries each address of a name; the error over all of them has no message. */
function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join(", ");
  return error instanceof Error ? error.message : String(error);
}
