import type { EngineEvent } from "./events";
import { plain } from "./events";

/** A violation of a policy that the engine reported. */
export interface PolicyViolation {
  /** Name of the policy: a key in policy/config.json. */
  readonly policy: string;
  readonly isMandatory: boolean;
  /** URN of the resource; empty for the stack. */
  readonly urn: string;
  /** Predicate with the resource as its subject, and what to do: "has no memory limit. Set …". */
  readonly message: string;
}

/**
 * Options of `pulumi up` and `pulumi preview` that apply the policies. The path, relative to the project, is that of an executable, which
 * every engine can start: the language host that the toolchain builds can't run a folder with PulumiPolicy.yaml.
 */
export const POLICY_OPTIONS: readonly string[] = ["--policy-pack", "policy/serve"];

/** Returns the violations in the order of their resources. */
export function policyViolations(events: readonly EngineEvent[]): PolicyViolation[] {
  return events.flatMap(({ policyEvent: event }) =>
    event
      ? [
          {
            policy: event.policyName,
            isMandatory: event.enforcementLevel === "mandatory",
            urn: event.resourceUrn ?? "",
            message: plain(event.message).trim(),
          },
        ]
      : [],
  );
}
