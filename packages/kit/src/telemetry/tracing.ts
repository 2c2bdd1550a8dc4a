import type { FastifyInstance } from "fastify";

/** Tracing of a service. Implemented with OpenTelemetry, and absent unless it is configured. */
export interface Tracing {
  /** Creates a span for each request to the service, except health checks and scrapes. */
  traceRequests(app: FastifyInstance): void;
  span<T>(span: SpanOptions, work: SpanWork<T>): Promise<T>;
  /** Returns the current span as a W3C `traceparent` header; `undefined` outside of a span. */
  traceparent(): string | undefined;
  /** Sends the remaining spans. Gives up after 1.5 s. */
  shutdown(): Promise<void>;
}

export interface SpanOptions {
  readonly name: string;
  readonly kind: "client" | "internal";
  /** Must not contain personal data: no path with ids, no value of a statement. */
  readonly attributes?: Readonly<Record<string, string | number>>;
  /** Creates no span outside of a trace, so that background polling doesn't flood the collector. @default false */
  readonly childOnly?: boolean;
  /** The parent span as `traceparent`. @default the current span */
  readonly parent?: string | undefined;
}

/**
 * Work that runs as a span. `headers` added to a request make the called service's spans children of this one; `note` adds attributes
 * to the span.
 */
export type SpanWork<T> = (
  headers: Readonly<Record<string, string>>,
  note: (attributes: Readonly<Record<string, string | number>>) => void,
) => Promise<T>;

let active: Tracing | undefined;

/** Makes withSpan create spans from now on. */
export function enableTracing(tracing: Tracing): void {
  active = tracing;
}

/** Runs `work` as a span of the current trace. Without tracing it only runs the work. */
export function withSpan<T>(span: SpanOptions, work: SpanWork<T>): Promise<T> {
  return active === undefined ? work({}, () => undefined) : active.span(span, work);
}

/** Returns the current span, to be stored as the parent of work that is done later; `undefined` without tracing. */
export function currentTraceparent(): string | undefined {
  return active?.traceparent();
}
