import type { StepEventMetadata, StepEventStateMetadata } from "@pulumi/pulumi/automation";
import type { EngineEvent } from "@store/cli/engine/events";
import { itemsOf } from "../policy/cost/monthlyCost";

/** Longest text in a recording: scripts and keys are of no use to the tests. */
const TEXT_LIMIT = 120;

/**
 * Returns the events that a review or a diagnosis reads, without times, outputs and long texts. Unchanged resources have their inputs only
 * if they cost money.
 *
 * @param replace Replaces names in the JSON text of an event.
 */
export function slimEvents(
  events: readonly EngineEvent[],
  replace: (text: string) => string,
): EngineEvent[] {
  return events.flatMap((event, index) => {
    const slim = slimEvent(event);
    const numbered = { sequence: index, timestamp: 0, ...slim };
    return slim === undefined ? [] : [JSON.parse(replace(JSON.stringify(numbered))) as EngineEvent];
  });
}

function slimEvent(event: EngineEvent): Omit<EngineEvent, "sequence" | "timestamp"> | undefined {
  const { resourcePreEvent, diagnosticEvent, policyEvent, resOpFailedEvent, summaryEvent } = event;
  if (resourcePreEvent)
    return { resourcePreEvent: { metadata: slimStep(resourcePreEvent.metadata) } };
  if (diagnosticEvent?.severity === "error") return { diagnosticEvent };
  if (policyEvent) return { policyEvent };
  if (resOpFailedEvent) {
    return {
      resOpFailedEvent: { ...resOpFailedEvent, metadata: slimStep(resOpFailedEvent.metadata) },
    };
  }
  return summaryEvent && { summaryEvent: { ...summaryEvent, durationSeconds: 0 } };
}

function slimStep({
  op,
  urn,
  type,
  old,
  new: after,
  ...step
}: StepEventMetadata): StepEventMetadata {
  const states = [old, after].flatMap((state) => state ?? []);
  const hasValues =
    ["create", "update", "replace", "delete"].includes(op) ||
    states.some((state) => itemsOf(state).length > 0);
  return {
    op,
    urn,
    type,
    ...(hasValues && {
      ...(old && { old: slimState(old) }),
      ...(after && { new: slimState(after) }),
      ...(step.diffs && { diffs: step.diffs }),
      ...(step.detailedDiff && { detailedDiff: step.detailedDiff }),
    }),
    provider: "",
  };
}

function slimState({ type, urn, protect, inputs }: StepEventStateMetadata): StepEventStateMetadata {
  return {
    type,
    urn,
    id: "",
    parent: "",
    provider: "",
    ...(protect && { protect }),
    inputs: slimValue(inputs) as Record<string, unknown>,
    outputs: {},
  };
}

function slimValue(value: unknown): unknown {
  if (typeof value === "string") return value.length > TEXT_LIMIT ? "(long)" : value;
  if (Array.isArray(value)) return value.map(slimValue);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(
    ([key]) => key !== "__defaults" && key !== "healthcheck",
  );
  return Object.fromEntries(entries.map(([key, one]) => [key, slimValue(one)]));
}
