import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { StepEventMetadata } from "@pulumi/pulumi/automation";
import { type EngineEvent, parseEvents } from "@store/cli/engine/events";
import { collectReview, type ReviewInput } from "@store/cli/review/collect/collectReview";
import type { Checkout, Review } from "@store/cli/review/model/reviewModel";
import { summarize } from "@store/cli/review/summarize";
import type { Summary } from "@store/cli/review/summary";

const RECORDINGS = join(__dirname, "recordings");

export const NO_CHECKOUT: Checkout = { services: [] };

/** Events of a preview, recorded by scripts/recordReviews.ts. */
export function recordedEvents(name: string): EngineEvent[] {
  return parseEvents(readFileSync(join(RECORDINGS, `${name}.jsonl`), "utf8"));
}

/** Checkouts of a recording, with the files that differ between them. */
export function recordedCheckouts(name: string): {
  readonly head: Checkout;
  readonly base: Checkout;
} {
  const text = readFileSync(join(RECORDINGS, `${name}.checkouts.json`), "utf8");
  return JSON.parse(text) as { head: Checkout; base: Checkout };
}

/** Review of the base, of which an `up` has nothing to do. */
export function baseReview(checkout: Checkout, stack = "staging"): Review {
  return reviewOf({ events: [], head: checkout, stack });
}

export function reviewOf(input: Partial<ReviewInput>): Review {
  return collectReview({
    stack: "staging",
    events: [],
    head: NO_CHECKOUT,
    migrations: [],
    ...input,
  });
}

export function summaryOf(input: Partial<ReviewInput>): Summary {
  return summarize(reviewOf(input));
}

/** A step of the engine in a test. */
export interface TestStep {
  readonly op: string;
  readonly type: string;
  readonly name: string;
  /** Components that contain the resource. Defaults to the store. */
  readonly parents?: string;
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  readonly protect?: boolean;
  readonly diff?: readonly string[];
  /** Paths for which the resource is replaced. Defaults to none. */
  readonly causes?: readonly string[];
}

/** Returns the engine's events of a preview with these steps. */
export function previewEvents(...steps: readonly TestStep[]): EngineEvent[] {
  return steps.map((step, sequence) => ({
    sequence,
    timestamp: 0,
    resourcePreEvent: { metadata: metadata(step) },
  }));
}

function metadata(step: TestStep): StepEventMetadata {
  const { op, type, name, parents = "store:index:Store", before, after, protect } = step;
  const { diff, causes = [] } = step;
  const urn = `urn:pulumi:staging::store::${parents}$${type}::${name}`;
  const state = (inputs: Readonly<Record<string, unknown>>) => ({
    ...{ type, urn, id: "", parent: "", provider: "", outputs: {} },
    inputs,
    ...(protect && { protect }),
  });
  return {
    ...{ op: op as StepEventMetadata["op"], urn, type, provider: "" },
    ...(before && { old: state(before) }),
    ...(after && { new: state(after) }),
    ...(diff && {
      detailedDiff: Object.fromEntries(
        diff.map((path) => [
          path,
          {
            diffKind: (causes.includes(path) ? "update-replace" : "update") as never,
            inputDiff: true,
          },
        ]),
      ),
    }),
  };
}
