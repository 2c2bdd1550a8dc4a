import { applyRules, diagnoseRun } from "@store/cli/diagnostics/diagnose";
import { collectErrors } from "@store/cli/diagnostics/engineErrors";
import type { EngineEvent } from "@store/cli/engine/events";
import { changedFiles } from "@store/cli/review/checkout/compareCheckouts";
import { collectCheckoutReview, type ReviewInput } from "@store/cli/review/collect/collectReview";
import { protectedDangers, publicRefusal } from "@store/cli/review/collect/refusal";
import { monthlyCostOf } from "@store/cli/review/runReview";
import { reviewMigration } from "@store/cli/review/migrations/reviewMigration";
import type { Checkout, Migration } from "@store/cli/review/model/reviewModel";
import { summarize } from "@store/cli/review/summarize";
import type { Summary, Verdict } from "@store/cli/review/summary";
import { createSession } from "../diagnostics/failedRun";
import { baseReview, recordedCheckouts, recordedEvents, summaryOf } from "./reviews";

/** A kind of review, with a recorded preview. */
export interface Variant {
  /** Name of the expected text and of the picture. */
  readonly name: string;
  /** Completes "where …". */
  readonly title: string;
  readonly recording: string;
  readonly verdict: Verdict;
  readonly exitCode: Summary["exitCode"];
}

export const VARIANTS: readonly Variant[] = [
  variant("nothing", "nothing changes", "unchanged", 0),
  variant("first", "the stack doesn't exist yet", "changes", 0),
  variant("one-service", "one service changes", "changes", 0),
  variant("settings", "a variable and the port change", "changes", 0),
  variant("data-at-risk", "data would be deleted", "data at risk", 3),
  variant("refused", "the preview is refused, because data is protected", "data at risk", 1),
  variant("invalid", "the configuration is invalid", "refused", 1),
  variant("policy-violated", "a mandatory policy is violated", "policy violated", 1),
  variant("first-azure", "an Azure stack doesn't exist yet", "changes", 0),
  variant("exposure", "more addresses may use SSH", "opens to the network", 3),
  variant("vm-replaced", "a virtual machine is replaced", "virtual machine replaced", 3),
  { ...variant("fork", "only checkouts are compared", "changes", 0), recording: "one-service" },
  { ...variant("too-long", "a comment can't hold all steps", "changes", 0), recording: "first" },
];

function variant(
  name: string,
  title: string,
  verdict: Verdict,
  exitCode: Summary["exitCode"],
): Variant {
  return { name, title, recording: name, verdict, exitCode };
}

/** SQL of the migration that scripts/recordReviews.ts adds. */
const MIGRATION = "ALTER TABLE products ADD COLUMN shelf text;\n";

/** Makes the review of a variant as `./store preview --base` does. */
export async function variantSummary(name: string): Promise<Summary> {
  const found = VARIANTS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`There is no variant ${name}.`);
  const { head, base: before } = recordedCheckouts(found.recording);
  const base = baseReview(before);
  const migrations = await migrationsOf(head, before);
  if (name === "fork")
    return summarize(collectCheckoutReview({ stack: "staging", head, base, migrations }));
  const recorded = recordedEvents(found.recording);
  const events = name === "too-long" ? severalTimes(recorded, 40) : recorded;
  const refusal = await refusalOf(events);
  return summaryOf({
    events,
    head,
    base: name.startsWith("first") ? undefined : base,
    migrations,
    refusal,
    cost: refusal ? undefined : monthlyCostOf(events),
  });
}

function migrationsOf(head: Checkout, base: Checkout): Promise<Migration[]> {
  const changed = head.services.flatMap((service) =>
    changedFiles(
      service,
      base.services.find(({ name }) => name === service.name),
    )
      .filter(({ path }) => path.endsWith(".sql"))
      .map(({ path, change }) => ({ service: service.name, file: path, change, sql: MIGRATION })),
  );
  return Promise.all(changed.map(reviewMigration));
}

async function refusalOf(events: readonly EngineEvent[]): Promise<ReviewInput["refusal"]> {
  const found = applyRules(collectErrors(events, ""), true);
  if (found.length === 0) return undefined;
  const session = createSession({ "store:host": "local" });
  const run = { exitCode: 255, interrupted: false, events, stderr: "" };
  const staging = { ...session, stack: { ...session.stack, name: "staging" } };
  const error = await diagnoseRun("preview", staging, undefined, run);
  return { message: publicRefusal(error, found, "staging"), dangers: protectedDangers(found) };
}

/** The same steps with other names, as if the store had many times the services. */
function severalTimes(events: readonly EngineEvent[], count: number): EngineEvent[] {
  const text = JSON.stringify(events);
  return Array.from({ length: count }, (_, index) => {
    const copy = text.replace(
      /::(inventory|orders|billing|shipping|storefront)-/g,
      (_all, service: string) => `::${service}${index}-`,
    );
    return JSON.parse(copy) as EngineEvent[];
  }).flat();
}
