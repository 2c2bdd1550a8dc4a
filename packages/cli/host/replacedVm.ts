import { DURATIONS } from "../review/collect/durations";
import { engineSteps } from "../review/collect/engineStep";
import { duration } from "../review/render/words";
import type { EngineEvent } from "../engine/events";
import type { Reporter } from "../terminal/terminal";
import { VM_TYPE } from "./failedProvisioning";

/** Says why a preview replaces the VM, and for how long users notice it. Undefined if the preview keeps the VM. */
export function renderReplacedVm(events: readonly EngineEvent[]): string | undefined {
  const step = engineSteps(events).steps.find(
    ({ type, operation }) => type === VM_TYPE && operation === "replace",
  );
  if (step === undefined) return undefined;
  const cause = step.causes.length > 0 ? ` because of ${step.causes.join(", ")}` : "";
  return (
    `The virtual machine ${step.name} is replaced${cause}: the store is offline for ${duration(DURATIONS.virtualMachine)}. ` +
    "Its address and the data disk stay."
  );
}

/** Reports a VM that a preview replaces. */
export function reportReplacedVm(events: readonly EngineEvent[], report: Reporter): void {
  const text = renderReplacedVm(events);
  if (text !== undefined) report.note(text);
}
