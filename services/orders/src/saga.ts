import {
  authorisePayment,
  cancelReservation,
  capturePayment,
  commitReservation,
  createShipment,
  holdStock,
  voidPayment,
  type Answer,
  type Call,
} from "./calls.ts";

/**
 * How an order goes: reserve → authorise → commit → capture → ship, and it is confirmed.
 *
 * The commit of the reservation is the pivot. Refused before it, an order is undone: release, void, and it is cancelled. From
 * it on, an order only goes forward. It is inventory alone that decides which of the two: a reservation is committed or
 * cancelled, once and for all. So an order is undone by cancelling the reservation first, and the payment is given up only
 * when that was granted; when it wasn't, the goods are the customer's and the order goes on to be paid.
 *
 * Every call may be made any number of times, also late and by two at once: it has the same id each time, a definite
 * answer stays the same, and what was cancelled refuses what comes later. So a saga may be taken up at any step that it has
 * been at, and is always right to be taken up at an earlier one.
 */
export const saga: Readonly<Record<Step, Rule>> = {
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
    refused: {},
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
};

export type Step = "reserve" | "authorise" | "commit" | "capture" | "ship" | "release" | "void";

/**
 * Steps that the database must know an order to be at before they are asked for; from then on the payment's token isn't
 * needed. commit: so that only who holds the order's lease can pass the pivot. release: so that an order which is being
 * undone isn't tried again from the start. The others are kept only when an order has to wait at them.
 */
export const keptBefore: ReadonlySet<Step> = new Set(["commit", "release"]);

/** What a definite answer means: another step or the end. */
export type Move =
  | {
      readonly to: Step;
      /** Why the order is being undone from now on; null: it isn't any more. @default as it was */
      readonly reason?: string | null;
    }
  | { readonly end: "confirmed" | "cancelled" };

interface Rule {
  readonly call: Call;
  /** What to do next, by the `status` of an answer 200. */
  readonly done: Readonly<Record<string, Move | ((answer: Answer) => Move)>>;
  /** What a refusal (4xx) means, by the type of its problem. */
  readonly refused: Readonly<Record<string, Move>>;
}

/** What an answer to a step means; `undefined`: it isn't foreseen, and a person must look at it. */
export function moveFor(step: Step, answer: Answer): Move | undefined {
  const moves: Rule["done"] = answer.refused ? saga[step].refused : saga[step].done;
  // The word comes from outside: "constructor" is no move.
  if (!Object.hasOwn(moves, answer.word)) return undefined;
  const move = moves[answer.word];
  return typeof move === "function" ? move(answer) : move;
}

function to(step: Step): Move {
  return { to: step };
}

function cancel(reason: string): Move {
  return { to: "release", reason };
}

function end(status: "confirmed" | "cancelled"): Move {
  return { end: status };
}

/** Billing's word for why stays, if it is a word. */
function cancelDeclined({ reason = "declined" }: Answer): Move {
  if (reason === "declined" || !/^[a-z][a-z0-9_]{0,39}$/.test(reason))
    return cancel("payment_declined");
  return cancel(reason);
}
