import { LEASE_SECONDS } from "../backEnd/backEnd.ts";
import type { Order } from "./checkInvariants.ts";
import { allDerivedIds } from "../backEnd/derivedIds.ts";
import type { Call } from "../proxy/faultProxy.ts";
import { isStep } from "../proxy/operations.ts";
import type { Round } from "../rounds/round.ts";

/** Milliseconds before a call in which a stall of this process makes the time of the call uncertain. */
const STALL_MARGIN_MS = 1_500;

/** Milliseconds by which the observed order of two simultaneous events may be wrong. */
const CLOCK_TOLERANCE_MS = 20;

/** Checks the invariants that the recorded calls and the logs show, and adds the results to those of the round. */
export function checkCallsAndLogs(round: Round, orders: readonly Order[]): void {
  checkLeases(round, orders);
  checkValidations(round, orders);
  checkTombstones(round);
  checkLogs(round);
}

/** Two replicas must not make calls for one order at the same time, unless one was stopped (SIGSTOP) and so lost its lease. */
function checkLeases(round: Round, orders: readonly Order[]): void {
  for (const [order, calls] of stepsByOrder(round, orders)) {
    const overlaps = calls.flatMap((one, n) =>
      calls
        .slice(n + 1)
        .filter((other) => isOverlap(round, one, other))
        .map(
          (other) =>
            `${one.operation} from ${one.caller} and, ${other.from - one.from} ms later, ${other.operation} from ${other.caller}`,
        ),
    );
    round.results.check("lease", overlaps.length === 0, `${order}: ${overlaps.join("; ")}`);
  }
}

function stepsByOrder(round: Round, orders: readonly Order[]): ReadonlyMap<string, Call[]> {
  const orderOf = new Map(orders.flatMap(({ id }) => allDerivedIds(id).map((own) => [own, id])));
  const byOrder = new Map<string, Call[]>();
  for (const call of round.calls) {
    const order = orderOf.get(call.id);
    if (order === undefined || !isStep(call.operation) || !call.caller.startsWith("orders-"))
      continue;
    byOrder.set(order, [...(byOrder.get(order) ?? []), call]);
  }
  return byOrder;
}

function isOverlap(round: Round, one: Call, other: Call): boolean {
  return (
    other.caller !== one.caller &&
    other.from + CLOCK_TOLERANCE_MS < (one.to ?? Infinity) &&
    // A replica that gets no CPU time loses its lease like one that is stopped.
    other.from - one.from < (LEASE_SECONDS * 1_000) / 2 &&
    !wasStopped(round, one.caller, one.from, other.from) &&
    !wasStalled(round, one.from, other.from + CLOCK_TOLERANCE_MS)
  );
}

function wasStopped({ backEnd }: Round, name: string, from: number, to: number): boolean {
  return backEnd
    .replica(name)
    .pauses.some(
      (pause) => pause.from < to && (pause.to ?? Infinity) > from - LEASE_SECONDS * 1_000,
    );
}

/** Returns true if the proxy may have recorded the begin or the end of a call too late. */
function wasStalled({ backEnd }: Round, from: number, to: number): boolean {
  return backEnd.proxy.stalls.some((stall) => stall.from < to && stall.to > from - STALL_MARGIN_MS);
}

/** Before its first request to reserve, a replica has got the answer that the payment method is usable. */
function checkValidations(round: Round, orders: readonly Order[]): void {
  for (const [order, calls] of stepsByOrder(round, orders)) {
    const reserved = calls.filter(({ operation }) => operation === "reserve");
    if (reserved.length === 0) continue;
    const first = Math.min(...reserved.map(({ from }) => from));
    const isValidated = calls.some(
      (call) => call.operation === "validate" && call.from <= first && isUsable(call),
    );
    round.results.check("validated", isValidated, `${order} was reserved without a validation`);
  }
}

function isUsable({ status, answer }: Call): boolean {
  return status === 200 && (JSON.parse(answer ?? "{}") as { status?: string }).status === "usable";
}

/** After a cancellation, later calls for the same id must be rejected. */
function checkTombstones(round: Round): void {
  const cancelledAt = new Map<string, number>();
  const resultOf = { cancel: "cancelled", return: "cancelled", void: "voided" } as Record<
    string,
    string
  >;
  for (const { operation, id, status, answer, to } of round.calls) {
    const result = resultOf[operation];
    if (result === undefined || status !== 200 || to === undefined) continue;
    if ((JSON.parse(answer ?? "{}") as { status?: string }).status !== result) continue;
    cancelledAt.set(id, Math.min(cancelledAt.get(id) ?? Infinity, to));
  }
  for (const { operation, id, from, status, answer } of round.calls) {
    const since = cancelledAt.get(id);
    if (since === undefined || from < since || status === undefined || status >= 500) continue;
    if (!["reserve", "commit", "authorise", "capture"].includes(operation)) continue;
    round.results.check(
      "tombstone",
      status === 409 || status === 404,
      `${operation} of ${id} after its cancellation got ${status}: ${answer}`,
    );
  }
}

function checkLogs(round: Round): void {
  for (const { name, log } of round.backEnd.replicas) {
    const errors = log.filter(
      ({ level, time }) =>
        (level === "error" || level === "fatal") && String(time) >= round.startedAt,
    );
    const examples = errors.slice(0, 3).map((line) => JSON.stringify(line));
    round.results.check("errors", errors.length === 0, `${name}: ${examples.join("\n  ")}`);
  }
}
