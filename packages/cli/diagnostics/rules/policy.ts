import type { PolicyViolation } from "../../engine/policyPack";
import { resourceName } from "../../state/checkpoint";
import { Context, Diagnostic, retryCommand } from "../rule";

/** Message about a change that mandatory policies refuse. */
export function policiesViolated(
  violations: readonly PolicyViolation[],
  context: Pick<Context, "command" | "session">,
): Diagnostic {
  const policies = new Set(violations.map(({ policy }) => policy)).size;
  return {
    summary:
      `Refused by ${policies === 1 ? "a policy" : `${policies} policies`}. ` +
      (context.command === "preview"
        ? "Nothing was changed."
        : "The resources that break a policy were not changed."),
    details: violations.map(describeViolation),
    detailsTitle: "violations",
    hint:
      `Then: ${retryCommand(context)}. docs/policies.md explains each policy, and how policy/config.json makes one advisory for this ` +
      `stack.`,
  };
}

/** "orders-0 has no memory limit. Set … (policy container-limits)". */
function describeViolation({ urn, message, policy }: PolicyViolation): string {
  return `${urn === "" ? "The stack" : resourceName(urn)} ${message} (policy ${policy})`;
}
