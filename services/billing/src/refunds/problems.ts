import { problem, type Problem } from "@store/kit";
import type { Payment } from "../payments/schemas.ts";

export function paymentNotCaptured(id: string, status: Payment["status"]): Problem {
  return problem(409, `Payment ${id} is ${status}. Only captured payments can be refunded.`, {
    type: "payment-not-captured",
  });
}

export function otherProvider(id: string, configured: string): Problem {
  return problem(
    503,
    `Payment ${id} belongs to another provider than the configured one (${configured}).`,
  );
}

export function currencyDiffers(id: string, currency: string): Problem {
  return problem(422, `Payment ${id} is in ${currency}.`, {
    type: "currency-differs",
    errors: [{ in: "body", pointer: "/amount/currency", message: `must be ${currency}` }],
  });
}

/** @param left Amount that can still be refunded, in the currency's minor unit. */
export function refundExceeds(id: string, left: number, currency: string): Problem {
  return problem(
    409,
    `At most ${left} ${currency} (in minor units) of payment ${id} can still be refunded.`,
    {
      type: "refund-exceeds",
      errors: [{ in: "body", pointer: "/amount/amount", message: `must be at most ${left}` }],
    },
  );
}

export function idempotencyKeyReused(): Problem {
  return problem(422, "This idempotency-key was used for another refund. Use a new key.", {
    type: "idempotency-key-reused",
    errors: [{ in: "header", pointer: "/idempotency-key", message: "was used with another body" }],
  });
}
