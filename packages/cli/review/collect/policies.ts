import type { EngineEvent } from "../../engine/events";
import { plain } from "../../engine/events";
import { shorten } from "../model/shorten";
import type { Review } from "../model/reviewModel";

/** Name of this repository's policy pack, whose messages quote no values. */
const OWN_PACK = "store";

type Violation = Review["policies"]["violations"][number];

/** Returns the violated policies, mandatory ones first. The message of another pack's policy may quote a secret and is left out. */
export function policyResults(events: readonly EngineEvent[]): Review["policies"] {
  const violations = events.flatMap(({ policyEvent }): Violation[] => {
    if (policyEvent === undefined) return [];
    const { policyName, policyPackName, enforcementLevel, resourceUrn, message } = policyEvent;
    const resource = resourceUrn?.split("::").at(-1);
    return [
      {
        policy: shorten(policyName),
        mandatory: enforcementLevel === "mandatory",
        ...(resource !== undefined && { resource: shorten(resource) }),
        message: policyPackName === OWN_PACK ? shorten(plain(message).trim(), 1000) : "",
      },
    ];
  });
  const unique = new Map(violations.map((violation) => [JSON.stringify(violation), violation]));
  return {
    packs: Object.keys(lastSummary(events)?.policyPacks ?? {}).length,
    violations: [...unique.values()].sort(
      (a, b) =>
        Number(b.mandatory) - Number(a.mandatory) ||
        compare(a.policy, b.policy) ||
        compare(a.resource ?? "", b.resource ?? "") ||
        compare(a.message, b.message),
    ),
  };
}

function lastSummary(events: readonly EngineEvent[]) {
  return events.flatMap(({ summaryEvent }) => summaryEvent ?? []).at(-1) as
    | {
        readonly policyPacks?: Readonly<Record<string, string>> | null;
        readonly PolicyPacks?: Readonly<Record<string, string>> | null;
      }
    | undefined;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
