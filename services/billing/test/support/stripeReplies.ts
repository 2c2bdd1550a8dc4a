import { randomBytes } from "node:crypto";

/** A reply of the emulator of Stripe. */
export interface Reply {
  readonly status: number;
  readonly body: object;
}

/** Form parameters of a request. Stripe treats `metadata[order]` as one parameter name. */
export type Parameters = ReadonlyMap<string, string>;

export function ok(body: object): Reply {
  return { status: 200, body: { ...body } };
}

export function refuse(
  code: string | undefined,
  param: string | undefined,
  status = 400,
  value = "",
): Reply {
  // Stripe quotes the parameter, for example the token, in its message. Billing must not log it.
  const message = `Refused: ${code ?? ""} ${param ?? ""} '${value}'`;
  return { status, body: { error: { type: "invalid_request_error", code, param, message } } };
}

export function createId(prefix: string): string {
  return `${prefix}_${randomBytes(8).toString("hex")}`;
}
