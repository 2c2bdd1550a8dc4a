import type { PaymentMethods } from "../../methods/schemas.ts";
import type { ValidationOutcome } from "../provider.ts";

/** Payment methods of the simulated provider. Their tokens choose the outcome. */
export const methods: PaymentMethods["methods"] = [
  {
    token: "tok_ok",
    name: "Card that is accepted",
    description: "The payment is confirmed at once.",
    outcome: "authorised",
  },
  {
    token: "tok_slow",
    name: "Slow bank",
    description: "The payment is confirmed after five seconds.",
    outcome: "authorised",
  },
  {
    token: "tok_flaky",
    name: "Unreliable bank",
    description: "The bank fails at random and we retry. You are charged once.",
    outcome: "authorised",
  },
  {
    token: "tok_declined",
    name: "Declined card",
    description: "The bank declines the card.",
    outcome: "declined",
    reason: "declined",
  },
  {
    token: "tok_insufficient_funds",
    name: "Card without funds",
    description: "The card has insufficient funds.",
    outcome: "declined",
    reason: "insufficient_funds",
  },
];

/** Returns the reason for declining a token; undefined if it is accepted. */
export function declineReason(token: string): string | undefined {
  const method = methods.find((method) => method.token === token);
  return method === undefined ? INVALID : method.reason;
}

/** Declines unknown tokens only: the declined cards are declined by the simulated bank. */
export function validateMethod(token: string): ValidationOutcome {
  const exists = methods.some((method) => method.token === token);
  return exists ? { status: "usable" } : { status: "declined", reason: INVALID };
}

const INVALID = "invalid_token";
