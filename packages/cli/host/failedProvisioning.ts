import { EngineEvent, plain } from "../engine/events";
import { FAILED_PROVISIONING } from "../diagnostics/rules/hostProblems";
import { Session } from "../project/session";
import { resourceName } from "../state/checkpoint";
import { captureOnStack } from "../engine/runOnStack";
import { EngineContext } from "../engine/setup";
import { Reporter } from "../terminal/terminal";
import { storeCommand } from "../project/storeCommand";
import { VM_TYPE } from "../state/resourceTypes";

/**
 * Marks a VM whose provisioning failed in the state, so that the next `up`, also from another workspace, replaces it.
 * cloud-init runs once per VM, and Azure can't repair a VM that it failed to create, so a retry on the same VM can't succeed.
 */
export async function taintFailedVm(
  session: Session,
  context: EngineContext,
  events: readonly EngineEvent[],
  report: Reporter,
): Promise<void> {
  const urn = failedVm(events);
  if (urn === undefined) return;
  const stack = session.stack.name;
  const { exitCode, stderr } = await captureOnStack(session, context, [
    ...[
      "state",
      "taint",
      urn,
      "--yes",
      "--stack",
      session.stack.reference ?? stack,
      "--non-interactive",
    ],
  ]);
  if (exitCode === 0) return;
  report.note(
    `can't mark the VM to be replaced by the next up (${stderr.trim()}); replace it: ` +
      storeCommand(`up -- --replace '${urn}'`, stack),
  );
}

/**
 * URN of the VM whose provisioning failed: by cloud-init, or after Azure had created it. Undefined if the run failed for another reason,
 * also if Azure refused to create the VM.
 */
export function failedVm(events: readonly EngineEvent[]): string | undefined {
  const failedCreation = events.find(
    ({ resOpFailedEvent: event }) =>
      event?.metadata.type === VM_TYPE &&
      event.metadata.op.startsWith("create") &&
      // A resource that was never created has no ID.
      Boolean(event.metadata.new?.id),
  );
  if (failedCreation) return failedCreation.resOpFailedEvent?.metadata.urn;
  const failed = events.find(
    ({ diagnosticEvent: event }) =>
      event?.severity === "error" && FAILED_PROVISIONING.test(plain(event.message)),
  );
  if (failed === undefined) return undefined;
  const steps = events.flatMap(({ resourcePreEvent: event }) => event?.metadata ?? []);
  const vms = steps.filter(({ type }) => type === VM_TYPE);
  // The command that waits for cloud-init is named after its VM.
  const name = resourceName(failed.diagnosticEvent?.urn ?? "").replace(/-ready$/, "");
  return (vms.find(({ urn }) => resourceName(urn) === name) ?? vms[0])?.urn;
}
