import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import {
  fastify,
  type ConnectionError,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from "fastify";
import { Type, type TObject } from "typebox";
import { RequestLog } from "../telemetry/logging.ts";
import { problem, sendProblem, toProblem, type Problem, type ProblemRenderer } from "./problems.ts";
import { validatorCompiler } from "./validation.ts";

/** Fastify whose routes take their types from their TypeBox schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

interface AppOptions {
  readonly log: FastifyBaseLogger;
  /** Shared with the process's shutdown: while it drains, every response closes its connection. */
  readonly lifecycle: { readonly draining: boolean };
  /** Sends errors to the caller. @default a problem document (RFC 9457) */
  readonly renderProblem?: ProblemRenderer;
}

/** Creates the Fastify instance with the kit's limits, validation, error responses and request ids. */
export function createApp({ log, lifecycle, renderProblem = sendProblem }: AppOptions): App {
  const handleError = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    logFailure(error, request);
    // Set here as well as in the hook: a request with an undecodable path runs no hooks.
    reply.header("x-request-id", request.id);
    // Fastify closes the connection when it rejects a body, so a caller that is still sending never sees the response.
    // Drain the body instead; requestTimeout limits how long.
    reply.removeHeader("connection");
    request.raw.resume();
    return renderProblem(toProblem(error), request, reply);
  };
  const app = fastify({
    loggerInstance: log,
    logController: new RequestLog(),
    requestIdHeader: false,
    genReqId: ({ headers }) => safeRequestId(headers["x-request-id"]) ?? randomUUID(),
    // Enough for the largest order. A route that needs more sets its own limit.
    bodyLimit: 64 * 1024,
    requestTimeout: 15_000,
    // Longer than the gateway keeps an idle connection, so that the service never closes one that the gateway is about to use.
    keepAliveTimeout: 75_000,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    clientErrorHandler: rejectMalformedRequest,
    frameworkErrors: (error, request, reply) => void handleError(error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.setValidatorCompiler(validatorCompiler);
  app.setErrorHandler(handleError);
  app.addHook("onRequest", (request, reply, done) => {
    reply.header("x-request-id", request.id);
    done();
  });
  acceptOnlyJson(app);
  handleUnknownRoutes(app);
  rejectUnknownQueryParameters(app);
  app.addHook("onSend", (_request, reply, payload, done) => {
    // Otherwise the client would send its next request on this connection after the process has ended.
    if (lifecycle.draining) reply.header("connection", "close");
    done(null, payload);
  });
  return app;
}

/** Responds to bytes that Node's HTTP parser rejects. Such a request reaches no hook and no error handler. */
function rejectMalformedRequest({ code }: ConnectionError, socket: Socket): void {
  if (code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const id = randomUUID();
  const rejection = parserErrors[code] ?? problem(400, "The request isn't valid HTTP.");
  const body = JSON.stringify(rejection.document(id));
  const head = [
    `HTTP/1.1 ${rejection.status} ${STATUS_CODES[rejection.status]}`,
    "connection: close",
    "content-type: application/problem+json",
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${id}`,
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

const parserErrors: Readonly<Record<string, Problem>> = {
  ERR_HTTP_REQUEST_TIMEOUT: problem(408, "The request took too long to arrive."),
  HPE_HEADER_OVERFLOW: problem(431, "The headers are too long."),
};

/** Returns the caller's request id if it is safe to write to a log. */
function safeRequestId(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && /^[\w.:-]{8,128}$/.test(header) ? header : undefined;
}

function logFailure(error: unknown, request: FastifyRequest): void {
  const { status } = toProblem(error);
  if (status < 500) return;
  // 503 is the outage of a dependency, and its message says which one; a bug in this service needs the stack.
  if (status === 503) request.log.warn(error instanceof Error ? error.message : "unavailable");
  else request.log.error({ err: error }, "Request failed");
}

/** Accepts only JSON in valid UTF-8. Fastify's own parser would replace invalid bytes with U+FFFD. */
function acceptOnlyJson(app: App): void {
  app.removeAllContentTypeParsers();
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  const parse = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done) => {
    let text: string;
    try {
      text = typeof body === "string" ? body : utf8.decode(body);
    } catch {
      done(problem(400, "The body isn't valid UTF-8."));
      return;
    }
    void parse(request, text, done);
  });
}

/**
 * Rejects undocumented query parameters on API routes: they are typing mistakes that would otherwise be ignored silently. HTML pages
 * (routes hidden from the OpenAPI document) accept any parameter, because mail programs and other sites append their own to links.
 */
function rejectUnknownQueryParameters(app: App): void {
  app.addHook("onRoute", ({ schema }) => {
    if (schema === undefined || Reflect.get(schema, "hide") === true) return;
    const query = (schema.querystring ?? Type.Object({})) as TObject;
    schema.querystring = { ...query, additionalProperties: false };
  });
}

/**
 * Responds to requests that match no route: 405 with the allowed methods if the path exists, otherwise 404. This happens before the
 * body is parsed, so that the response doesn't complain about the body.
 */
function handleUnknownRoutes(app: App): void {
  const routes: { readonly path: RegExp; readonly method: string }[] = [];
  app.addHook("onRoute", ({ url, method }) => {
    const pattern = url
      .replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&")
      .replaceAll(/:\w+/g, "[^/]+")
      .replaceAll("*", ".*");
    for (const one of [method].flat())
      routes.push({ path: new RegExp(`^${pattern}$`), method: one });
  });
  const rejection = ({ method, url }: FastifyRequest) => {
    const [path = ""] = url.split("?", 1);
    const allowed = new Set(
      routes.filter((route) => route.path.test(path)).map((route) => route.method),
    );
    if (allowed.size === 0) return problem(404, "There is nothing at this path.");
    const list = [...allowed].sort().join(", ");
    return problem(405, `${method} isn't allowed here. Allowed: ${list}.`, {
      headers: { allow: list },
    });
  };
  app.addHook("onRequest", (request, _reply, done) => {
    if (request.is404) done(rejection(request));
    else done();
  });
  app.setNotFoundHandler((request) => {
    throw rejection(request);
  });
}
