import { itemsOf, MonthlyCost, monthlyCost, sumOf } from "../../../policy/cost/monthlyCost";
import type { EngineEvent } from "../engine/events";
import { staysWithData } from "../lifecycle/downPlan";
import type { Checkpoint, Resource } from "../state/checkpoint";
import type { Reporter } from "../terminal/terminal";

/** Monthly cost of a stack before and after an `up`, at list prices. */
export interface CostChange {
  readonly before: MonthlyCost;
  readonly after: MonthlyCost;
}

/** Returns the cost of the resources that a preview or an `up` leaves, and of those that it found. */
export function costChange(events: readonly EngineEvent[]): CostChange {
  // Several steps replace a resource; the URN is that of all of them.
  const before = new Map<string, PlannedState>();
  const after = new Map<string, PlannedState>();
  for (const { resourcePreEvent: event } of events) {
    if (!event) continue;
    const { urn, old, new: planned, op } = event.metadata;
    if (old && !CREATIONS.has(op)) before.set(urn, old);
    if (planned && !DELETIONS.has(op)) after.set(urn, planned);
  }
  return { before: monthlyCost([...before.values()]), after: monthlyCost([...after.values()]) };
}

type PlannedState = Pick<Resource, "type" | "urn" | "inputs">;

const CREATIONS: ReadonlySet<string> = new Set(["create"]);
const DELETIONS: ReadonlySet<string> = new Set([
  "delete",
  "delete-replaced",
  "discard",
  "discard-replaced",
  "remove-pending-replace",
]);

/** Monthly cost of a stack that is removed, at list prices. */
export interface RemovalCost {
  readonly saved: MonthlyCost;
  /** Cost of what stays because it holds data. */
  readonly kept: MonthlyCost;
}

/** @param volumes Delete the data, too. */
export function removalCost(checkpoint: Checkpoint | undefined, volumes: boolean): RemovalCost {
  const existing = (checkpoint?.resources ?? []).filter(({ id }) => id !== undefined);
  const stays = (resource: Resource): boolean => staysWithData(resource) && !volumes;
  return {
    saved: monthlyCost(existing.filter((resource) => !stays(resource))),
    kept: monthlyCost(existing.filter(stays)),
  };
}

/** "Monthly cost at list prices: 137.40 USD (Standard_DS2_v2 134.32, …)"; undefined for a stack without anything to pay for. */
export function renderCostChange({ before, after }: CostChange): string | undefined {
  if (!isCharged(before) && !isCharged(after)) return undefined;
  const was =
    !isCharged(before) || before.total.amount === after.total.amount
      ? ""
      : `, before ${amount(before)}`;
  const items = after.items.map(({ what, cost }) => `${what} ${(cost?.amount ?? 0).toFixed(2)}`);
  return [
    `Monthly cost: ${amount(after)}${was}`,
    ...(items.length > 0 ? [` = ${items.join(" + ")}`] : []),
    ` (${reservations(after)})`,
  ].join("");
}

/** Reports the cost of the stack that a preview or an `up` leaves, if it has resources to pay for. */
export function reportCost(events: readonly EngineEvent[], report: Reporter): void {
  const text = renderCostChange(costChange(events));
  if (text !== undefined) report.note(text);
}

/** Says what removing a stack saves, and what keeps costing money. Undefined for a stack without anything to pay for. */
export function renderRemovalCost({ saved, kept }: RemovalCost): string | undefined {
  if (!isCharged(saved) && !isCharged(kept)) return undefined;
  const rest = isCharged(kept)
    ? ` What is kept costs ${amount(kept)} per month: ${kept.items.map(({ what }) => what).join(", ")}.`
    : " Nothing is left to pay for.";
  return `Saves ${amount(saved)} per month.${rest} (${reservations(saved)})`;
}

/** Says what a stack costs while its VM is deallocated. Undefined for a stack without anything to pay for. */
export function renderStoppedCost(checkpoint: Checkpoint | undefined): string | undefined {
  const all = (checkpoint?.resources ?? []).filter(({ id }) => id !== undefined).flatMap(itemsOf);
  const running = sumOf(all);
  const stopped = sumOf(all.filter(({ isHardware }) => !isHardware));
  if (!isCharged(running)) return undefined;
  const items = stopped.items.map(({ what }) => what).join(", ");
  return (
    `Monthly cost while it is stopped: ${amount(stopped)} instead of ${amount(running)}, ` +
    `for ${items || "nothing with a price"} (${reservations(stopped)})`
  );
}

function isCharged({ items, unpriced }: MonthlyCost): boolean {
  return items.length + unpriced.length > 0;
}

function amount({ total }: MonthlyCost): string {
  return `${total.amount.toFixed(2)} ${total.currency}`;
}

function reservations({ pricesOf, location, unpriced }: MonthlyCost): string {
  const missing =
    unpriced.length > 0 ? `; without ${unpriced.map(({ what }) => what).join(", ")}` : "";
  return `unverified list prices for ${location}, ${pricesOf}${missing}`;
}
