import { problem, type Problem } from "@store/kit";
import type { ProviderRefusal } from "../providers/provider.ts";

export function paymentDiffers(id: string): Problem {
  return problem(422, `Payment ${id} was requested before with another order, amount or token.`, {
    type: "payment-differs",
  });
}

export function paymentVoided(id: string): Problem {
  return problem(409, `Payment ${id} is voided.`, { type: "payment-voided" });
}

export function paymentBusy(id: string): Problem {
  return problem(
    503,
    `Payment ${id} is being processed by another request. Repeat the request with the same id.`,
    {
      headers: { "retry-after": "1" },
    },
  );
}

export function outcomeUnknown(): Problem {
  return problem(
    503,
    "The payment provider gave no definite answer. Repeat the request with the same id.",
    {
      headers: { "retry-after": "1" },
    },
  );
}

export function paymentDeclined(id: string): Problem {
  return problem(409, `Payment ${id} was declined.`, { type: "payment-declined" });
}

export function providerRefused(id: string, { action, reason }: ProviderRefusal): Problem {
  return problem(409, `The payment provider refused to ${action} payment ${id}: ${reason}.`, {
    type: `${action}-refused`,
  });
}

export function paymentPending(id: string): Problem {
  return problem(
    409,
    `The outcome of authorising payment ${id} isn't known yet. Repeat the authorisation first.`,
    { type: "payment-pending" },
  );
}

export function paymentCaptured(id: string): Problem {
  return problem(409, `Payment ${id} is already captured. Refund it instead.`, {
    type: "payment-captured",
  });
}

export function orderAlreadyPaid(order: string): Problem {
  return problem(409, `Order ${order} already has a payment.`, { type: "order-already-paid" });
}
