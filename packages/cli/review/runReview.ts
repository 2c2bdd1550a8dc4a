import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CliError, ExitCode } from "@store/docker/cliError";
import { messageOf } from "@store/docker/messageOf";
import { costChange } from "../cost/stackCost";
import { applyRules, diagnoseRun } from "../diagnostics/diagnose";
import { collectErrors } from "../diagnostics/engineErrors";
import { policyViolations } from "../engine/policyPack";
import type { EngineContext } from "../engine/setup";
import type { EngineRun } from "../engine/runEngine";
import { isLocal, type Session } from "../project/session";
import { storeCommand } from "../project/storeCommand";
import { changedFiles } from "./checkout/compareCheckouts";
import { readCheckout } from "./checkout/readCheckout";
import { collectCheckoutReview, collectReview, type ReviewInput } from "./collect/collectReview";
import { protectedDangers, publicRefusal } from "./collect/refusal";
import { type ChangedMigration, reviewMigration } from "./migrations/reviewMigration";
import type { Checkout, Migration, Review } from "./model/reviewModel";
import { summarize } from "./summarize";
import { parseSummary, type Summary } from "./summary";

/**
 * Reads the summary of the base.
 *
 * @throws CliError if the file can't be read, is something else, or belongs to another stack.
 */
export function readBase(file: string, stack: string): Review {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new CliError(`The base ${file} can't be read: ${messageOf(error)}.`, {
      hint: "Make it in a checkout of the base: ./store preview STACK --json > FILE",
      cause: error,
    });
  }
  const { review } = parseSummary(text, file);
  if (review.stack === stack) return review;
  throw new CliError(`${file} is a preview of the stack ${review.stack}, not of ${stack}.`, {
    hint: `Make it for this stack: ${storeCommand("preview --json", stack)} > FILE`,
  });
}

/** Compares the checkout with the base, without the stack's state. */
export async function reviewCheckout(
  { project, stack }: Pick<Session, "project" | "stack">,
  base: Review | undefined,
): Promise<Summary> {
  const head = readCheckout(project, stack);
  const migrations = await reviewMigrations(project.root, head, base?.checkout);
  return summarize(collectCheckoutReview({ stack: stack.name, head, base, migrations }));
}

/** A finished preview with what is needed to diagnose a failed one. */
export interface PreviewRun {
  readonly session: Session;
  readonly context: EngineContext;
  readonly run: EngineRun;
}

/**
 * Reviews a preview of the engine. A failed preview is a review, too: its message is for the reviewer.
 *
 * @returns the summary, and the error of a failed preview for the terminal.
 * @throws CliError if the preview was interrupted, or another run works on the stack.
 */
export async function reviewPreview(
  preview: PreviewRun,
  base: Review | undefined,
): Promise<{ readonly summary: Summary; readonly error?: CliError }> {
  const { session, run } = preview;
  const failure = run.exitCode === 0 ? undefined : await diagnose(preview);
  const head = readCheckout(session.project, session.stack);
  const migrations = await reviewMigrations(session.project.root, head, base?.checkout);
  const review = collectReview({
    stack: session.stack.name,
    events: run.events,
    head,
    base,
    migrations,
    refusal: failure?.refusal,
    cost: failure ? undefined : monthlyCostOf(run.events),
  });
  return { summary: summarize(review), error: failure?.error };
}

async function diagnose({
  session,
  context,
  run,
}: PreviewRun): Promise<{ readonly error: CliError; readonly refusal?: ReviewInput["refusal"] }> {
  const error = await diagnoseRun("preview", session, context.docker, run);
  const found = applyRules(collectErrors(run.events, run.stderr), isLocal(session));
  if (error.exitCode === ExitCode.Interrupted || found[0]?.rule.name === "stack-locked") {
    throw error;
  }
  // The review lists the violations themselves.
  const isPolicy = policyViolations(run.events).some(({ isMandatory }) => isMandatory);
  if (isPolicy && found.length === 0) return { error };
  const message = publicRefusal(error, found, session.stack.name);
  return { error, refusal: { message, dangers: protectedDangers(found) } };
}

/** Returns the cost before and after; undefined for a stack without anything to pay for. */
export function monthlyCostOf(events: EngineRun["events"]): Review["cost"] {
  const { before, after } = costChange(events);
  if ([before, after].every(({ items, unpriced }) => items.length + unpriced.length === 0)) {
    return undefined;
  }
  const { total, pricesOf, unpriced } = after;
  return {
    currency: total.currency,
    ...(before.total.amount > 0 && { before: before.total.amount }),
    after: total.amount,
    prices: pricesOf,
    unpriced: unpriced.length,
  };
}

const MIGRATION = /\/migrations\/[^/]+\.sql$/;

/** Judges the migrations that differ from the base; none without a base. */
async function reviewMigrations(
  root: string,
  head: Checkout,
  base: Checkout | undefined,
): Promise<Migration[]> {
  if (base === undefined) return [];
  const changed = head.services.flatMap((service): ChangedMigration[] => {
    const before = base.services.find(({ name }) => name === service.name);
    // A new service has no release before.
    if (before === undefined) return [];
    return changedFiles(service, before)
      .filter(({ path }) => MIGRATION.test(path))
      .map(({ path, change }) => ({
        service: service.name,
        file: path,
        change,
        ...(change !== "deleted" && { sql: readFileSync(join(root, path), "utf8") }),
      }));
  });
  return Promise.all(changed.map(reviewMigration));
}
