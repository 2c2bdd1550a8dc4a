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
  readonly lifecycle: { readonly draining: boolean };
  readonly renderProblem?: ProblemRenderer;
}

export function createApp({ log, lifecycle, renderProblem = sendProblem }: AppOptions): App {
  const fail = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    logFailure(error, request);
    // Here too: a path that can't be read comes past no hook.
    reply.header("x-request-id", request.id);
    // Fastify closes the connection on a body that it doesn't want, and a caller that is still sending never learns why.
    // Reading on lets it; requestTimeout ends that.
    reply.removeHeader("connection");
    request.raw.resume();
    return renderProblem(toProblem(error), request, reply);
  };
  const app = fastify({
    loggerInstance: log,
    logController: new RequestLog(),
    requestIdHeader: false,
    genReqId: ({ headers }) => acceptableId(headers["x-request-id"]) ?? randomUUID(),
    // Nobody orders more than this says; a route that takes more sets its own.
    bodyLimit: 64 * 1024,
    requestTimeout: 15_000,
    // Longer than the gateway keeps a connection, so that it is never us who close one that it is about to use.
    keepAliveTimeout: 75_000,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    clientErrorHandler: refuseMalformed,
    frameworkErrors: (error, request, reply) => void fail(error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.setValidatorCompiler(validatorCompiler);
  app.setErrorHandler(fail);
  app.addHook("onRequest", (request, reply, done) => {
    reply.header("x-request-id", request.id);
    done();
  });
  acceptJson(app);
  refuseUnknown(app);
  refuseUnknownParameters(app);
  app.addHook("onSend", (_request, reply, payload, done) => {
    // A connection that stays open would bring its next request after we have gone.
    if (lifecycle.draining) reply.header("connection", "close");
    done(null, payload);
  });
  return app;
}

/** Answers what Node's parser doesn't take for a request: it comes past no hook and no error handler. */
function refuseMalformed({ code }: ConnectionError, socket: Socket): void {
  if (code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const id = randomUUID();
  const refusal = malformed[code] ?? problem(400, "This isn't a request in HTTP.");
  const body = JSON.stringify(refusal.document(id));
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    "connection: close",
    "content-type: application/problem+json",
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${id}`,
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

const malformed: Readonly<Record<string, Problem>> = {
  ERR_HTTP_REQUEST_TIMEOUT: problem(408, "The request took too long to arrive."),
  HPE_HEADER_OVERFLOW: problem(431, "The headers are too long."),
};

/** A caller's id is taken when it can't do harm in a log. */
function acceptableId(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && /^[\w.:-]{8,128}$/.test(header) ? header : undefined;
}

function logFailure(error: unknown, request: FastifyRequest): void {
  const { status } = toProblem(error);
  if (status < 500) return;
  // 503 is somebody else's outage, known by its message; our own mistake needs the stack.
  if (status === 503) request.log.warn(error instanceof Error ? error.message : "unavailable");
  else request.log.error({ err: error }, "Request failed");
}

/** JSON in valid UTF-8 and nothing else. Fastify's own parser would put U+FFFD where a byte is wrong. */
function acceptJson(app: App): void {
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
 * A parameter of the query that isn't documented is a mistyped one, and what it was meant to say would be left out without a word. Not so
 * of pages, which aren't documented: links to them carry whatever those add who send people there.
 */
function refuseUnknownParameters(app: App): void {
  app.addHook("onRoute", ({ schema }) => {
    if (schema === undefined || Reflect.get(schema, "hide") === true) return;
    const query = (schema.querystring ?? Type.Object({})) as TObject;
    schema.querystring = { ...query, additionalProperties: false };
  });
}

/**
 * Answers what no route takes: 405 with what is allowed where the path is known by another method, else 404. It does so
 * before the body is looked at, or a wrong body would be what the caller is told of.
 */
function refuseUnknown(app: App): void {
  const routes: { readonly path: RegExp; readonly method: string }[] = [];
  app.addHook("onRoute", ({ url, method }) => {
    const pattern = url
      .replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&")
      .replaceAll(/:\w+/g, "[^/]+")
      .replaceAll("*", ".*");
    for (const one of [method].flat())
      routes.push({ path: new RegExp(`^${pattern}$`), method: one });
  });
  const refusal = ({ method, url }: FastifyRequest) => {
    const [path = ""] = url.split("?", 1);
    const allowed = new Set(
      routes.filter((route) => route.path.test(path)).map((route) => route.method),
    );
    if (allowed.size === 0) return problem(404, "There is nothing at this path.");
    const list = [...allowed].sort().join(", ");
    return problem(405, `${method} isn't possible here, but ${list}.`, {
      headers: { allow: list },
    });
  };
  app.addHook("onRequest", (request, _reply, done) => {
    if (request.is404) done(refusal(request));
    else done();
  });
  app.setNotFoundHandler((request) => {
    throw refusal(request);
  });
}
