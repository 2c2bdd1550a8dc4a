import { STATUS_CODES } from "node:http";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { Type, type Static } from "typebox";
import { UpstreamError } from "./client.ts";
import { DatabaseBusy, DatabaseUnavailable } from "../database/errors.ts";
import { toFieldErrors, type FieldError } from "./validation.ts";

export type { FieldError };

/** What every error looks like to a caller: an RFC 9457 problem document. */
export const ProblemDocument = Type.Object(
  {
    type: Type.String({
      description: "A URN for problems that a program may want to tell apart, else about:blank.",
    }),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String(),
    instance: Type.String({
      description: "The request's id, as in the logs and the header x-request-id.",
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
        { description: "The fields that are wrong." },
      ),
    ),
  },
  { $id: "Problem", title: "Problem", description: "RFC 9457 problem document." },
);
export type ProblemDocument = Static<typeof ProblemDocument>;

interface ProblemOptions {
  /** Last part of the URN of a problem that a program may want to tell apart. @default about:blank */
  readonly type?: string;
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by a route to answer with a problem document. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly options: ProblemOptions;

  constructor(status: number, detail: string, options: ProblemOptions = {}) {
    super(detail);
    this.status = status;
    this.options = options;
  }

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

/** How a problem is sent. */
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

/** What to tell the caller about anything that was thrown. Says nothing of the inside of the service. */
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
    return problem(400, `The request's ${errors[0]?.in ?? "body"} isn't as described.`, {
      type: "validation",
      errors,
    });
  }
  const status = error.statusCode ?? 500;
  if (status >= 500) return unexpected();
  return problem(status, details[error.code] ?? STATUS_CODES[status] ?? "The request is wrong.");
}

function unavailable(what: string): Problem {
  return problem(503, `${what} Try again.`, { headers: { "retry-after": "1" } });
}

function unexpected(): Problem {
  return problem(
    500,
    "Something went wrong in the service. Its log has more under this request's id.",
  );
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}

/** Fastify's own messages name its internals. */
const details: Record<string, string> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "Send the body as application/json.",
  FST_ERR_CTP_EMPTY_JSON_BODY: "The body is empty.",
  FST_ERR_CTP_INVALID_JSON_BODY: "The body isn't valid JSON.",
  FST_ERR_CTP_BODY_TOO_LARGE: "The body is too large.",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "The body's length differs from the content-length header.",
  FST_ERR_BAD_URL: "The path isn't valid percent-encoded UTF-8.",
  FST_ERR_MAX_PARAM_LENGTH: "A part of the path is too long.",
};
