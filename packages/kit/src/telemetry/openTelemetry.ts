import { AsyncLocalStorage } from "node:async_hooks";
import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type Tracer,
} from "@opentelemetry/api";
import { ExportResultCode, W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider, type SpanExporter } from "@opentelemetry/sdk-trace";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import { isMonitoringRoute } from "./logging.ts";
import type { SpanOptions, SpanWork, Tracing } from "./tracing.ts";

/** Timeout for sending the last spans when the service ends, in milliseconds. */
const SHUTDOWN_MS = 1_500;

/** Creates the tracing of a service that exports spans to an OTLP endpoint. */
export function createTracing(
  service: { readonly name: string; readonly version: string },
  endpoint: string,
  log: FastifyBaseLogger,
): Tracing {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      "service.name": service.name,
      "service.version": service.version,
    }),
    // Spans are sent in the background. While the endpoint is down, spans beyond a queue of 2,048 are dropped.
    spanProcessors: [
      new BatchSpanProcessor({ exporter: exporter(endpoint, log), scheduledDelayMillis: 1_000 }),
    ],
  });
  return new OpenTelemetry(provider, service.name);
}

class OpenTelemetry implements Tracing {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #propagator = new W3CTraceContextPropagator();
  readonly #current = new AsyncLocalStorage<Context>();

  constructor(provider: TracerProvider, name: string) {
    this.#provider = provider;
    this.#tracer = provider.getTracer(name);
  }

  traceRequests(app: FastifyInstance): void {
    const spans = new WeakMap<object, Span>();
    app.addHook("onRequest", (request, _reply, done) => {
      const route = request.routeOptions.url;
      if (route === undefined || isMonitoringRoute(route)) {
        done();
        return;
      }
      const caller = this.#propagator.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter);
      const span = this.#tracer.startSpan(
        // The route's pattern, because the path of an order contains its id, which gives access to it.
        `${request.method} ${route}`,
        {
          kind: SpanKind.SERVER,
          attributes: {
            "http.request.method": request.method,
            "http.route": route,
            "store.request_id": request.id,
          },
        },
        caller,
      );
      spans.set(request, span);
      this.#current.run(trace.setSpan(caller, span), done);
    });
    app.addHook("onResponse", (request, reply, done) => {
      const span = spans.get(request);
      span?.setAttribute("http.response.status_code", reply.statusCode);
      if (reply.statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
      span?.end();
      done();
    });
  }

  async span<T>(options: SpanOptions, work: SpanWork<T>): Promise<T> {
    const parent =
      options.parent === undefined ? this.#current.getStore() : this.#extract(options.parent);
    if (parent === undefined && options.childOnly === true) return work({}, () => undefined);
    const span = this.#tracer.startSpan(
      options.name,
      {
        kind: options.kind === "client" ? SpanKind.CLIENT : SpanKind.INTERNAL,
        attributes: { ...options.attributes },
      },
      parent ?? ROOT_CONTEXT,
    );
    const context = trace.setSpan(parent ?? ROOT_CONTEXT, span);
    const headers = this.#inject(context);
    try {
      return await this.#current.run(context, () =>
        work(headers, (attributes) => void span.setAttributes({ ...attributes })),
      );
    } catch (error) {
      // Only the name, because a message may contain personal data.
      span.setAttribute("error.type", error instanceof Error ? error.name : typeof error);
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  }

  traceparent(): string | undefined {
    const context = this.#current.getStore();
    return context && this.#inject(context)["traceparent"];
  }

  #inject(context: Context): Record<string, string> {
    const headers: Record<string, string> = {};
    this.#propagator.inject(context, headers, defaultTextMapSetter);
    return headers;
  }

  #extract(traceparent: string): Context {
    return this.#propagator.extract(ROOT_CONTEXT, { traceparent }, defaultTextMapGetter);
  }

  async shutdown(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise((resolve) => (timer = setTimeout(resolve, SHUTDOWN_MS)));
    // The exporter has already logged its errors.
    await Promise.race([this.#provider.shutdown().catch(() => undefined), timeout]);
    clearTimeout(timer);
  }
}

/** Creates an OTLP/HTTP exporter that logs once when the endpoint goes down and once when it is back. */
function exporter(endpoint: string, log: FastifyBaseLogger): SpanExporter {
  const otlp = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: 5_000 });
  let isDown = false;
  return {
    export: (spans, done) =>
      otlp.export(spans, (result) => {
        const failed = result.code === ExportResultCode.FAILED;
        if (failed && !isDown) {
          log.warn(`Traces can't be sent to ${endpoint}: ${result.error?.message ?? "refused"}`);
        }
        if (!failed && isDown) log.info(`Traces are sent to ${endpoint} again`);
        isDown = failed;
        done(result);
      }),
    forceFlush: () => otlp.forceFlush(),
    shutdown: () => otlp.shutdown(),
  };
}
