import type { EngineEvent } from "../../engine/events";
import { resourceName } from "../../state/checkpoint";
import type { Checkout, Danger, Migration, Review } from "../model/reviewModel";
import { findDangers, isHostsVm } from "./dangers";
import { engineSteps } from "./engineStep";
import { policyResults } from "./policies";
import { GATEWAY } from "./serviceNames";
import { CONTAINER_TYPE, SERVICE_TYPE } from "../../state/resourceTypes";
import { compareService, reviewService } from "./services";
import { markInherited, publicStep } from "./steps";

/** Input of a review. */
export interface ReviewInput {
  readonly stack: string;
  /** Engine events of the preview. */
  readonly events: readonly EngineEvent[];
  /** The checkout that is previewed. */
  readonly head: Checkout;
  /** Review of the checkout to compare with. Defaults to none: all steps count as this request's. */
  readonly base?: Review;
  /** Migrations that differ from the base. */
  readonly migrations: readonly Migration[];
  /** Message of a failed preview, and the data that it would have deleted. */
  readonly refusal?: { readonly message: Review["refusal"]; readonly dangers: readonly Danger[] };
  readonly cost?: Review["cost"];
}

/** Collects the facts of a preview. */
export function collectReview(input: ReviewInput): Review {
  const { stack, events, head, base, migrations, refusal, cost } = input;
  const { steps: engine, unchanged } = engineSteps(events);
  const services = reviewedServices(
    head,
    base?.checkout,
    engine.map(({ urn }) => urn),
  );
  const first = unchanged.length === 0 && engine.every(({ operation }) => operation === "create");
  const steps = markInherited(
    engine.map((step) => publicStep(step, services)),
    base?.steps ?? [],
  );
  const serviceSteps = steps.map((step, index) => ({
    ...step,
    deletedFirst: engine[index]?.deletedFirst ?? false,
  }));
  const facts = {
    steps: serviceSteps,
    unchanged: unchanged.map(({ type, urn }) => ({ type, name: resourceName(urn) })),
    head,
    base: base?.checkout,
    vmReplaced: steps.some((step) => isHostsVm(step) && step.operation === "replace"),
  };
  return {
    stack,
    scope: "stack",
    first: first && engine.length > 0,
    ...(refusal && { refusal: refusal.message }),
    compared: base !== undefined,
    steps,
    unchangedResources: unchanged.length,
    services: [...services, GATEWAY].map((service) => reviewService(service, facts)),
    dangers: inheritedDangers(
      uniqueDangers([...findDangers(engine, services, first), ...(refusal?.dangers ?? [])]),
      base?.dangers ?? [],
    ),
    migrations: [...migrations],
    policies: policyResults(events),
    ...(cost && { cost }),
    checkout: head,
  };
}

/** Collects the facts that two checkouts show without the stack's state. */
export function collectCheckoutReview({
  stack,
  head,
  base,
  migrations,
}: Pick<ReviewInput, "stack" | "head" | "base" | "migrations">): Review {
  const names = reviewedServices(head, base?.checkout, []);
  return {
    stack,
    scope: "checkout",
    first: false,
    compared: base !== undefined,
    steps: [],
    unchangedResources: 0,
    services: base ? names.map((name) => compareService(name, head, base.checkout)) : [],
    dangers: [],
    migrations: [...migrations],
    policies: { packs: 0, violations: [] },
    checkout: head,
  };
}

/** Names of the services of both checkouts, and of those that only the state has. */
function reviewedServices(
  head: Checkout,
  base: Checkout | undefined,
  urns: readonly string[],
): string[] {
  const inState = urns.flatMap((urn) => {
    const [, , types = "", name = ""] = urn.split("::");
    const type = types.split("$").at(-1);
    if (!types.includes("store:index:Service$")) return [];
    if (type === SERVICE_TYPE) return name;
    return type === CONTAINER_TYPE ? name.replace(/-\d+$/, "") : [];
  });
  const names = [...head.services, ...(base?.services ?? [])].map(({ name }) => name);
  return [...new Set([...names, ...inState])].sort();
}

/** One danger for each resource: the first one says more. The password of a database goes with its data. */
function uniqueDangers(dangers: readonly Danger[]): Danger[] {
  const names = new Set(dangers.map(({ name }) => name));
  const seen = new Set<string>();
  return dangers.filter(({ kind, name, detail = "", after = "" }) => {
    if (names.has(name.replace(/-password$/, "")) && name.endsWith("-password")) return false;
    const key = JSON.stringify([kind, name, detail, after]);
    return !seen.has(key) && seen.add(key);
  });
}

function inheritedDangers(dangers: readonly Danger[], base: readonly Danger[]): Danger[] {
  const known = new Set(base.map((danger) => JSON.stringify({ ...danger, inherited: undefined })));
  return dangers.map((danger) =>
    known.has(JSON.stringify(danger)) ? { ...danger, inherited: true } : danger,
  );
}
