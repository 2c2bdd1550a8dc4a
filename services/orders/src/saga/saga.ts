import type { Answer } from "./answers.ts";
import {
  authorisePayment,
  cancelReservation,
  cancelShipment,
  capturePayment,
  commitReservation,
  createShipment,
  holdStock,
  refundPayment,
  returnReservation,
  validatePaymentMethod,
  voidPayment,
  type Call,
} from "./calls.ts";

/**
 * The state machine of an order: validate → reserve → authorise → commit → capture → ship → confirmed.
 *
 * Stock is held only after billing accepted the payment method, so that nobody holds stock with a made-up payment token.
 *
 * The commit of the reservation is the pivot. An order that is refused before it is compensated: release → void → cancelled.
 * Inventory alone decides whether it was reached: a reservation is either committed or cancelled. So compensation cancels the
 * reservation first and voids the payment only if inventory agreed. If inventory refused, the goods are committed and the order
 * continues with the capture.
 *
 * After the pivot, an order goes forward, unless its payment can't be captured: revoke → return → cancelled. Billing alone decides
 * that: a payment is either captured or voided, permanently. So the payment is voided first, and the goods are returned only if
 * billing agreed. If billing refused, the payment is captured and the order continues.
 *
 * Staff may cancel an order until its parcel is dispatched, also by refunding everything: unship → refund → return → cancelled. Shipping
 * alone decides that: a parcel is either dispatched or cancelled, permanently. So the parcel is cancelled first, and nothing more is
 * refunded if shipping refused.
 *
 * Every call is idempotent, even if it arrives late or twice at once: it has the same ID each time, a definite answer stays the
 * same, and a cancelled resource refuses later calls. So a saga can be resumed at any step that it has reached.
 */
export const saga: Readonly<Record<Step, Rule>> = {
  validate: {
    call: validatePaymentMethod,
    // Not the end: an earlier attempt may have held stock before the payment method became unusable.
    done: { usable: to("reserve"), declined: cancelDeclined },
    refused: {},
  },
  reserve: {
    call: holdStock,
    done: { held: to("authorise"), committed: to("authorise") },
    refused: {
      "out-of-stock": cancel("out_of_stock"),
      "reservation-cancelled": cancel("reservation_cancelled"),
    },
  },
  authorise: {
    call: authorisePayment,
    done: { authorised: to("commit"), captured: to("commit"), declined: cancelDeclined },
    refused: { "payment-voided": cancel("payment_failed") },
  },
  commit: {
    call: commitReservation,
    done: { committed: to("capture") },
    refused: {
      "out-of-stock": cancel("out_of_stock"),
      "reservation-cancelled": cancel("reservation_cancelled"),
    },
  },
  capture: {
    call: capturePayment,
    done: { captured: to("ship") },
    refused: {
      "payment-voided": { to: "revoke", reason: "payment_failed" },
      "payment-declined": { to: "revoke", reason: "payment_failed" },
    },
  },
  ship: {
    call: createShipment,
    done: {
      pending: end("confirmed"),
      dispatched: end("confirmed"),
      delivered: end("confirmed"),
    },
    refused: {},
  },
  unship: {
    call: cancelShipment,
    done: { cancelled: to("refund") },
    refused: { "shipment-dispatched": end("confirmed") },
  },
  refund: {
    call: refundPayment,
    // A reason of its own: the customers of all other cancelled orders were never charged.
    done: { refunded: { to: "return", reason: "refunded_by_store" } },
    refused: {},
  },
  release: {
    call: cancelReservation,
    done: { cancelled: to("void") },
    refused: { "reservation-committed": { to: "capture", reason: null } },
  },
  void: {
    call: voidPayment,
    done: { voided: end("cancelled"), declined: end("cancelled") },
    refused: {},
  },
  revoke: {
    call: voidPayment,
    done: { voided: to("return"), declined: to("return") },
    refused: { "payment-captured": { to: "capture", reason: null } },
  },
  return: {
    call: returnReservation,
    done: { cancelled: end("cancelled") },
    refused: {},
  },
};

export type Step =
  | "validate"
  | "reserve"
  | "authorise"
  | "commit"
  | "capture"
  | "ship"
  | "release"
  | "void"
  | "revoke"
  | "return"
  | "unship"
  | "refund";

/**
 * Steps that are saved before their call; from then on the payment token isn't needed. commit: only the holder of the lease can
 * pass the pivot. release, refund, return: a compensation isn't restarted from the beginning. Other steps are saved only if an order waits at
 * them.
 */
export const savedBeforeCall: ReadonlySet<Step> = new Set([
  "commit",
  "release",
  "return",
  "refund",
]);

/** Consequence of a definite answer: another step or the end. */
export type Transition =
  | {
      readonly to: Step;
      /** Reason for the cancellation; null: no longer being cancelled. @default unchanged */
      readonly reason?: string | null;
    }
  | { readonly end: "confirmed" | "cancelled" };

interface Rule {
  readonly call: Call;
  /** Transitions by the `status` of a successful answer. */
  readonly done: Readonly<Record<string, Transition | ((answer: Answer) => Transition)>>;
  /** Transitions by the problem type of a refusal (4xx). */
  readonly refused: Readonly<Record<string, Transition>>;
}

/** Returns the transition for an answer; `undefined` for an unexpected answer, which staff must handle. */
export function transitionFor(step: Step, answer: Answer): Transition | undefined {
  const transitions: Rule["done"] = answer.refused ? saga[step].refused : saga[step].done;
  // The outcome is external input: "constructor" is no transition.
  if (!Object.hasOwn(transitions, answer.outcome)) return undefined;
  const transition = transitions[answer.outcome];
  return typeof transition === "function" ? transition(answer) : transition;
}

function to(step: Step): Transition {
  return { to: step };
}

function cancel(reason: string): Transition {
  return { to: "release", reason };
}

function end(status: "confirmed" | "cancelled"): Transition {
  return { end: status };
}

/** Keeps billing's reason if it is a valid identifier. */
function cancelDeclined({ reason = "declined" }: Answer): Transition {
  if (reason === "declined" || !/^[a-z][a-z0-9_]{0,39}$/.test(reason))
    return cancel("payment_declined");
  return cancel(reason);
}
