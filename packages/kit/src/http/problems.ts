import { STATUS_CODES } from "node:http";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { Type, type Static } from "typebox";
import { UpstreamError } from "./client.ts";
import { DatabaseBusy, DatabaseUnavailable } from "../database/errors.ts";
import { toFieldErrors, type FieldError } from "./validation.ts";

export type { FieldError };

/** The body of every error response: an RFC 9457 problem document. */
export const ProblemDocument = Type.Object(
  {
    type: Type.String({
      description:
        "A URN where a program may need to tell the problem apart, otherwise about:blank.",
    }),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String(),
    instance: Type.String({
      description: "The id of the request, as in the logs and in the x-request-id header.",
    }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          in: Type.Union([
            Type.Literal("body"),
            Type.Literal("query"),
            Type.Literal("path"),
            Type.Literal("header"),
          ]),
          pointer: Type.String({ description: "JSON pointer to the field." }),
          message: Type.String(),
        }),
        { description: "The invalid fields." },
      ),
    ),
  },
  { $id: "Problem", title: "Problem", description: "RFC 9457 problem document." },
);
export type ProblemDocument = Static<typeof ProblemDocument>;

interface ProblemOptions {
  /** Last part of the problem's URN (`urn:store:problem:…`), by which programs recognize it. @default about:blank */
  readonly type?: string;
  /** The invalid fields of the request. */
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by a route to respond with a problem document. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly options: ProblemOptions;

  constructor(status: number, detail: string, options: ProblemOptions = {}) {
    super(detail);
    this.status = status;
    this.options = options;
  }

  /** Returns the response body. */
  document(requestId: string): ProblemDocument {
    return {
      type:
        this.options.type === undefined ? "about:blank" : `urn:store:problem:${this.options.type}`,
      title: STATUS_CODES[this.status] ?? "Error",
      status: this.status,
      detail: this.message,
      instance: `urn:store:request:${requestId}`,
      ...(this.options.errors === undefined ? {} : { errors: [...this.options.errors] }),
    };
  }
}

export function problem(status: number, detail: string, options?: ProblemOptions): Problem {
  return new Problem(status, detail, options);
}

/** Sends a problem to the caller: as a problem document, or as an HTML page. */
export type ProblemRenderer = (
  problem: Problem,
  request: FastifyRequest,
  reply: FastifyReply,
) => FastifyReply;

export const sendProblem: ProblemRenderer = (problem, request, reply) =>
  reply
    .code(problem.status)
    .headers(problem.options.headers ?? {})
    .type("application/problem+json")
    .send(problem.document(request.id));

/** Converts anything thrown into a problem that reveals nothing internal to the caller. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof UpstreamError)
    return unavailable(`${error.service} can't be reached right now.`);
  if (error instanceof DatabaseUnavailable)
    return unavailable("The database can't be reached right now.");
  if (error instanceof DatabaseBusy) return unavailable("The database is busy right now.");
  if (!isFastifyError(error)) return unexpected();
  if (error.validation !== undefined) {
    const errors = toFieldErrors(error.validation, error.validationContext);
    return problem(400, `The ${errors[0]?.in ?? "body"} of the request is invalid.`, {
      type: "validation",
      errors,
    });
  }
  const status = error.statusCode ?? 500;
  if (status >= 500) return unexpected();
  return problem(status, details[error.code] ?? STATUS_CODES[status] ?? "The request is invalid.");
}

function unavailable(cause: string): Problem {
  return problem(503, `${cause} Try again.`, { headers: { "retry-after": "1" } });
}

function unexpected(): Problem {
  return problem(
    500,
    "Internal error. The service's log has the details under the id of this request.",
  );
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}

/** Replacements for Fastify's own messages, which name its internals. */
const details: Record<string, string> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "Send the body as application/json.",
  FST_ERR_CTP_EMPTY_JSON_BODY: "The body is empty.",
  FST_ERR_CTP_INVALID_JSON_BODY: "The body isn't valid JSON.",
  FST_ERR_CTP_BODY_TOO_LARGE: "The body is too large.",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "The body's length differs from the content-length header.",
  FST_ERR_BAD_URL: "The path isn't valid percent-encoded UTF-8.",
  FST_ERR_MAX_PARAM_LENGTH: "A part of the path is too long.",
};
