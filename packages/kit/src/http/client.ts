import { setTimeout as delay } from "node:timers/promises";
import type { FastifyRequest } from "fastify";
import { messageOf } from "../errorMessage.ts";
import { httpRequest, TimeoutError } from "./httpRequest.ts";
import { INTERNAL } from "./internalPaths.ts";
import { withSpan } from "../telemetry/tracing.ts";
import createOpenApiClient, { type Client as OpenApiClient } from "openapi-fetch";

/**
 * A call to another service failed: it is unreachable, too slow, failing (5xx), rate limiting (429) or doesn't know this service's token
 * (401 of an internal route), as for a moment while the token is replaced. The request may or may not have taken effect, so requests with
 * effects are repeated under the same id. Answered as 503 to this service's own caller.
 */
export class UpstreamError extends Error {
  override readonly name = "UpstreamError";
  readonly service: string;
  /** See {@link UpstreamErrorOptions}. */
  readonly retryable: boolean;

  constructor(service: string, message: string, options: UpstreamErrorOptions = {}) {
    const { retryable = false, ...errorOptions } = options;
    super(`${service}: ${message}`, errorOptions);
    this.service = service;
    this.retryable = retryable;
  }
}

interface UpstreamErrorOptions extends ErrorOptions {
  /** No instance accepted the request, so a retry within a second may reach one. @default false */
  readonly retryable?: boolean;
}

/** A client typed by the `paths` that openapi-typescript generates from a service's OpenAPI document. */
export type Client<Paths extends object> = OpenApiClient<Paths>;

export interface ClientOptions {
  /** Name of the called service, for messages and spans. */
  readonly service: string;
  readonly baseUrl: string;
  /** Reads the token that the called service's internal routes require. @default none */
  readonly token?: (() => string) | undefined;
  /** Timeout of one attempt in milliseconds. @default 2000 */
  readonly timeout?: number;
}

export function createClient<Paths extends object>(options: ClientOptions): Client<Paths> {
  const { service, baseUrl, token, timeout = 2_000 } = options;
  return createOpenApiClient<Paths>({
    baseUrl,
    fetch: (request) => {
      // Read for each request, so that a new token needs no restart.
      if (token) request.headers.set("authorization", `Bearer ${token()}`);
      return sendWithRetries(request, service, timeout);
    },
    headers: { accept: "application/json" },
  });
}

/** Returns the headers that make the called service log the same request id as this one. */
export function forwardCorrelationHeaders(request: FastifyRequest): { "x-request-id": string } {
  return { "x-request-id": request.id };
}

/** Pauses before the second and third attempt, in milliseconds. By then, an instance that is shutting down no longer accepts requests. */
const RETRY_PAUSES_MS = [50, 250];

async function sendWithRetries(
  request: Request,
  service: string,
  timeout: number,
): Promise<Response> {
  // Only requests without effects are retried here. Callers repeat the others themselves, under an idempotency key.
  const repeatable = request.method === "GET" || request.method === "HEAD";
  for (const pause of repeatable ? RETRY_PAUSES_MS : []) {
    try {
      return await sendTraced(request, service, timeout);
    } catch (error) {
      if (!(error instanceof UpstreamError) || !error.retryable) throw error;
      await delay(pause);
    }
  }
  return sendTraced(request, service, timeout);
}

function sendTraced(request: Request, service: string, timeout: number): Promise<Response> {
  const { method } = request;
  const attributes = { "http.request.method": method, "server.address": service };
  return withSpan({ name: `${method} ${service}`, kind: "client", attributes }, (headers, note) => {
    for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
    return sendOnce(request, service, timeout, (status) =>
      note({ "http.response.status_code": status }),
    );
  });
}

async function sendOnce(
  request: Request,
  service: string,
  timeout: number,
  onResponse: (status: number) => void,
): Promise<Response> {
  try {
    const response = await httpRequest(request, timeout);
    const { status } = response;
    onResponse(status);
    if (status === 401 && new URL(request.url).pathname.startsWith(INTERNAL))
      throw new UpstreamError(service, "answered 401: it doesn't know this service's token");
    if (status < 500 && status !== 429) return response;
    // 429 and 500 aren't retried; 502, 503 and 504 are.
    throw new UpstreamError(service, `answered ${status}`, { retryable: status > 500 });
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    const retryable = !(error instanceof TimeoutError);
    throw new UpstreamError(service, messageOf(error), { retryable, cause: error });
  }
}
