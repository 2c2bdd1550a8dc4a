import type { FastifyInstance } from "fastify";

/** What OpenTelemetry does for us, where it is switched on. */
export interface Tracing {
  /** Makes a span of each request to the service. */
  traceRequests(app: FastifyInstance): void;
  span<T>(span: SpanOptions, work: SpanWork<T>): Promise<T>;
  /** The span that is under way, as W3C's `traceparent` has it. */
  traceparent(): string | undefined;
  /** Sends what hasn't been sent yet, or gives it up after a moment. */
  shutdown(): Promise<void>;
}

export interface SpanOptions {
  readonly name: string;
  readonly kind: "client" | "internal";
  /** Nothing that tells of people: no path with ids, no value of a statement. */
  readonly attributes?: Readonly<Record<string, string | number>>;
  /** Only within a trace: what a service does all the time by itself would drown the rest. @default false */
  readonly childOnly?: boolean;
  /** What it is a part of, as `traceparent`. @default what is under way */
  readonly parent?: string | undefined;
}

/** Work that is a span. Sent along with a request, the headers let the called service's spans hang on this one. */
export type SpanWork<T> = (
  headers: Readonly<Record<string, string>>,
  note: (attributes: Readonly<Record<string, string | number>>) => void,
) => Promise<T>;

let active: Tracing | undefined;

/** Has spans made from now on. */
export function enableTracing(tracing: Tracing): void {
  active = tracing;
}

/** Runs `work` as a span of the trace that is under way; without traces, just runs it. */
export function withSpan<T>(span: SpanOptions, work: SpanWork<T>): Promise<T> {
  return active === undefined ? work({}, () => undefined) : active.span(span, work);
}

/** What is under way, to be kept with work that is done later; without traces, nothing. */
export function currentTraceparent(): string | undefined {
  return active?.traceparent();
}
