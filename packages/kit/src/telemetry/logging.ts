import {
  fastify,
  LogController,
  type FastifyBaseLogger,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import sonicBoom from "sonic-boom";
import { callerOf } from "../http/callers.ts";

/**
 * Creates a logger that writes JSON lines to stdout, with the same fields in all services: ISO time, level by name, service, request id.
 * Levels above "info" are written at once, other lines within {@link FLUSH_INTERVAL_MS}: with Docker's log driver, each write costs two
 * other processes as much CPU time as half a request.
 */
export function createLogger(service: string, level: string): FastifyBaseLogger {
  // Uses Fastify's copy of pino, to avoid a second one.
  return fastify({
    logger: {
      level,
      stream: stdout,
      hooks: {
        logMethod(args, method, level) {
          method.apply(this, args);
          if (level > INFO) stdout.flushSync();
        },
      },
      base: { service },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError },
    },
  }).log;
}

/** Milliseconds between writes. A process that is killed (SIGKILL) loses at most this much of its log. */
const FLUSH_INTERVAL_MS = 100;
/** pino's number of the level "info". */
const INFO = 30;

const stdout = new sonicBoom.SonicBoom({
  fd: 1,
  sync: true,
  minLength: 8 * 1024,
  periodicFlush: FLUSH_INTERVAL_MS,
});
process.on("exit", () => stdout.flushSync());

/**
 * Logs one line for each request when its response is sent. The line has the route's pattern instead of the path and no client address:
 * those are personal data, and the path of an order gives access to it. Health checks and scrapes aren't logged.
 */
export class RequestLog extends LogController {
  constructor() {
    super({ requestIdLogLabel: "requestId" });
  }

  override incomingRequest(): void {
    // requestCompleted logs the request.
  }

  override requestCompleted(
    error: Error | null | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    const route = request.routeOptions.url;
    if (route !== undefined && isMonitoringRoute(route) && !error) return;
    const line = {
      method: request.method,
      route: route ?? "unknown",
      caller: callerOf(request),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
    };
    if (error) request.log.warn({ ...line, err: error }, "Request aborted");
    else request.log.info(line, "Request");
  }

  override routeNotFound(): void {
    // Fastify's own line would contain the path, which may be personal data.
  }
}

/** Returns true for the routes that Docker, the gateway and Prometheus request every few seconds. */
export function isMonitoringRoute(route: string): boolean {
  return monitoringRoutes.has(route);
}

const monitoringRoutes = new Set(["/healthz", "/readyz", "/metrics"]);

/** Returns the fields of an error that may be logged. PostgreSQL's errors have rows in `detail`, and rows contain personal data. */
function serializeError(error: Error): {
  type: string;
  message: string;
  stack: string;
  [key: string]: unknown;
} {
  return {
    type: error.name,
    message: error.message,
    stack: error.stack ?? "",
    ...("code" in error ? { code: error.code } : {}),
    ...(error.cause instanceof Error ? { cause: serializeError(error.cause) } : {}),
  };
}
