import type { EngineEvent } from "../../engine/events";
import { policyViolations } from "../../engine/policyPack";
import { resourceName } from "../../state/checkpoint";
import type { Review } from "../model/reviewModel";
import { shorten } from "../model/shorten";

type Violation = Review["policies"]["violations"][number];

/** Name of this repository's policy pack (policy/pack.ts), whose messages are published. */
const OWN_PACK = "store";

/** Returns the violated policies, mandatory ones first. The message of another pack's policy may quote a secret and is left out. */
export function policyResults(events: readonly EngineEvent[]): Review["policies"] {
  const violations = events.flatMap((event): Violation[] => {
    const isOwn = event.policyEvent?.policyPackName === OWN_PACK;
    return policyViolations([event]).map(({ policy, isMandatory, urn, message }) => ({
      policy: shorten(policy),
      mandatory: isMandatory,
      ...(urn !== "" && { resource: shorten(resourceName(urn)) }),
      message: isOwn ? shorten(message, 1000) : "",
    }));
  });
  const unique = new Map(violations.map((violation) => [JSON.stringify(violation), violation]));
  return {
    packs: events.some(({ summaryEvent }) => hasPacks(summaryEvent)) ? 1 : 0,
    violations: [...unique.values()].sort(
      (a, b) =>
        Number(b.mandatory) - Number(a.mandatory) ||
        compare(a.policy, b.policy) ||
        compare(a.resource ?? "", b.resource ?? "") ||
        compare(a.message, b.message),
    ),
  };
}

/** The engine writes the field with a capital letter, unlike the SDK's type. */
function hasPacks(summary: EngineEvent["summaryEvent"]): boolean {
  const packs = (summary as { readonly PolicyPacks?: object } | undefined)?.PolicyPacks;
  return Object.keys(packs ?? {}).length > 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
