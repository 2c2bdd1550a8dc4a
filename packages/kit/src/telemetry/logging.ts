import {
  fastify,
  LogController,
  type FastifyBaseLogger,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import sonicBoom from "sonic-boom";

/**
 * JSON lines on stdout that other services' lines can be put beside: ISO time, level by name, service, request id. What is worse than
 * "info" is written at once, the rest within {@link FLUSH_INTERVAL_MS}: through Docker's log each write costs two more processes as much as
 * half a request.
 */
export function createLogger(service: string, level: string): FastifyBaseLogger {
  // Fastify's own pino, so that there is one of it.
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

/** Milliseconds. A process that is killed takes as much of its log along. */
const FLUSH_INTERVAL_MS = 100;
/** pino's number for the level. */
const INFO = 30;

const stdout = new sonicBoom.SonicBoom({
  fd: 1,
  sync: true,
  minLength: 8 * 1024,
  periodicFlush: FLUSH_INTERVAL_MS,
});
process.on("exit", () => stdout.flushSync());

/**
 * One line for each request, when it is answered. It has the route's pattern and not the path, nor the address it came from:
 * those tell of people, and an order's path is the key to it. Docker's and the gateway's questions aren't worth a line.
 */
export class RequestLog extends LogController {
  constructor() {
    super({ requestIdLogLabel: "requestId" });
  }

  override incomingRequest(): void {
    // The line at the end says it all.
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
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
    };
    if (error) request.log.warn({ ...line, err: error }, "Request broke off");
    else request.log.info(line, "Request");
  }

  override routeNotFound(): void {
    // Its path may tell of people.
  }
}

/** Whether it is asked all the time by those who watch the service. */
export function isMonitoringRoute(route: string): boolean {
  return quiet.has(route);
}

const quiet = new Set(["/healthz", "/readyz", "/metrics"]);

/** Of an error only what finds the mistake: PostgreSQL's carry rows in `detail`, and rows are about people. */
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
