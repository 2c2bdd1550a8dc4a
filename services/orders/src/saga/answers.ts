import { createParser, Type, UpstreamError } from "@store/kit";

/** A definite answer: the service did the step or refused it. */
export interface Answer {
  /** True for a 4xx response. */
  readonly refused: boolean;
  /** `status` of the body, or the problem type of a refusal. Empty if missing. */
  readonly outcome: string;
  /** Reason for the status. */
  readonly reason?: string;
  /** Description for staff and the log. */
  readonly text: string;
}

/** The fields of answers that the saga relies on. They decide over money, so they are validated. */
const readStatus = createParser(
  Type.Object({ status: Type.String(), reason: Type.Optional(Type.String()) }),
);
const readProblem = createParser(Type.Object({ type: Type.String(), detail: Type.String() }));

interface Response {
  readonly response: { readonly ok: boolean; readonly status: number };
  readonly data?: unknown;
  readonly error?: unknown;
}

/**
 * Reads the answer in a response.
 *
 * @throws UpstreamError if the response doesn't tell whether the service did the step.
 */
export function answerOf(service: string, { response, data, error }: Response): Answer {
  const summary = `${service} answered ${response.status}`;
  if (response.ok) {
    const { status = "", reason } = readStatus(data) ?? {};
    return {
      refused: false,
      outcome: status,
      ...(reason === undefined ? {} : { reason }),
      text: [summary, status, reason].filter(Boolean).join(" "),
    };
  }
  // The server or a proxy timed out waiting for our request, which may have been processed all the same.
  if (response.status === 408) throw new UpstreamError(service, "answered 408");
  const { type = "", detail = "" } = readProblem(error) ?? {};
  const outcome = type.replace(/^urn:store:problem:/, "");
  // PostgreSQL rejects NUL in text: the order's progress couldn't be saved.
  const text = `${summary} ${outcome}: ${detail}`.replaceAll("\0", "").slice(0, 500);
  return { refused: true, outcome, text };
}
