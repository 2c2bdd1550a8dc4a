import { isWorkerName } from "../../../components/host/azure/vmNames";
import { DURATIONS } from "../review/collect/durations";
import { engineSteps } from "../review/collect/engineStep";
import { duration } from "../review/render/words";
import type { EngineEvent } from "../engine/events";
import type { Reporter } from "../terminal/terminal";
import { VM_TYPE } from "../state/resourceTypes";

/** Says why a preview replaces VMs, and for how long users notice it. Undefined if the preview keeps the VMs. */
export function renderReplacedVms(events: readonly EngineEvent[]): string | undefined {
  const replaced = engineSteps(events).steps.filter(
    ({ type, operation }) => type === VM_TYPE && operation === "replace",
  );
  if (replaced.length === 0) return undefined;
  return replaced
    .map(({ name, causes }) => {
      const cause = causes.length > 0 ? ` because of ${causes.join(", ")}` : "";
      const effect = isWorkerName(name)
        ? "its instances run on the other machines meanwhile."
        : `the store is offline for ${duration(DURATIONS.virtualMachine)}. Its address and the data disk stay.`;
      return `The virtual machine ${name} is replaced${cause}: ${effect}`;
    })
    .join("\n");
}

/** Reports the VMs that a preview replaces. */
export function reportReplacedVm(events: readonly EngineEvent[], report: Reporter): void {
  const text = renderReplacedVms(events);
  if (text !== undefined) report.note(text);
}
