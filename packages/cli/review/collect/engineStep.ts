import type { StepEventMetadata, StepEventStateMetadata } from "@pulumi/pulumi/automation";
import type { EngineEvent } from "../../engine/events";
import type { Step } from "../model/reviewModel";
import { resourceName } from "../../state/checkpoint";

/** A step of the engine with its inputs, which may be secret. Nothing of it reaches a text but by publicValues.ts. */
export interface EngineStep {
  readonly operation: Step["operation"];
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly old?: StepEventStateMetadata;
  readonly new?: StepEventStateMetadata;
  /** Paths of the properties that change. */
  readonly paths: readonly string[];
  /** Those of the paths for which the resource is replaced. Empty unless it is replaced. */
  readonly causes: readonly string[];
  /** The old resource is deleted before the new one is created. */
  readonly deletedFirst: boolean;
}

/** Steps of a preview, and the number of resources that stay as they are. */
export interface EngineSteps {
  readonly steps: readonly EngineStep[];
  /** Resources without a change, by their inputs: some name the tags of unchanged images. */
  readonly unchanged: readonly StepEventMetadata[];
}

/** Parts of a replacement, which has a step of its own. */
const PARTS = new Set(["create-replacement", "delete-replaced", "discard-replaced"]);

const OPERATIONS: Readonly<Record<string, Step["operation"]>> = {
  create: "create",
  import: "create",
  update: "update",
  replace: "replace",
  "import-replacement": "replace",
  delete: "delete",
};

/**
 * Returns one step for each resource that changes, sorted by name: the engine's own order differs between runs. Reads and refreshes of
 * the state change nothing.
 */
export function engineSteps(events: readonly EngineEvent[]): EngineSteps {
  const all = events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? []);
  const order = new Map<string, string[]>();
  for (const { urn, op } of all) {
    if (PARTS.has(op)) order.set(urn, [...(order.get(urn) ?? []), op]);
  }
  const byUrn = new Map<string, EngineStep>();
  for (const metadata of all) {
    const operation = OPERATIONS[metadata.op];
    // A resource may be replaced and have an older original deleted: the replacement says more.
    if (operation === undefined || byUrn.get(metadata.urn)?.operation === "replace") continue;
    byUrn.set(
      metadata.urn,
      engineStep(metadata, operation, order.get(metadata.urn)?.[0] === "delete-replaced"),
    );
  }
  return {
    steps: [...byUrn.values()].filter(({ type }) => !isBookkeeping(type)).sort(byName),
    unchanged: all.filter(({ op, type }) => op === "same" && !isBookkeeping(type)),
  };
}

function byName(a: EngineStep, b: EngineStep): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.type < b.type ? -1 : 1;
}

function engineStep(
  metadata: StepEventMetadata,
  operation: Step["operation"],
  deletedFirst: boolean,
): EngineStep {
  const { urn, type, old, new: after, detailedDiff, diffs = [], keys = [] } = metadata;
  const paths = Object.keys(detailedDiff ?? {});
  const replacing = Object.entries(detailedDiff ?? {})
    .filter(([, { diffKind }]) => diffKind.endsWith("replace"))
    .map(([path]) => path);
  const all = paths.length > 0 ? paths : [...new Set([...diffs, ...keys])];
  const causes = [replacing, keys, all].find(({ length }) => length > 0) ?? [];
  return {
    operation,
    urn,
    type,
    name: resourceName(urn),
    old,
    new: after,
    paths: all,
    causes: operation === "replace" ? causes : [],
    deletedFirst,
  };
}

/** The stack, components and providers: nothing that exists outside of the state. */
function isBookkeeping(type: string): boolean {
  return type.startsWith("pulumi:") || type.startsWith("store:");
}
