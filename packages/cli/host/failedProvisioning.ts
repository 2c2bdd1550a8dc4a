import { EngineEvent, plain } from "../engine/events";
import { FAILED_PROVISIONING } from "../diagnostics/hostProblems";
import { stackOption } from "../project/project";
import { Session } from "../project/session";
import { captureOnStack, EngineContext } from "../engine/setup";
import { Reporter } from "../terminal/terminal";

/**
 * A new machine that cloud-init has left half done stays so: cloud-init runs once. After such a run the engine is told to make
 * another one the next time, which is in its record, and so counts for whoever runs the next `up`.
 */
export async function taintFailedVm(
  session: Session,
  ready: EngineContext,
  events: readonly EngineEvent[],
  report: Reporter,
): Promise<void> {
  const urn = failedVm(events);
  if (urn === undefined) return;
  const stack = session.stack.name;
  const { exitCode, stderr } = await captureOnStack(session, ready, [
    ...["state", "taint", urn, "--yes", "--stack", stack, "--non-interactive"],
  ]);
  if (exitCode === 0) return;
  report.note(
    `the next up can't be told to make another machine (${stderr.trim()}); tell it: ` +
      `./store up${stackOption(stack)} -- --replace '${urn}'`,
  );
}

/** URN of the machine that is to be replaced, if the run failed because of it. */
export function failedVm(events: readonly EngineEvent[]): string | undefined {
  const failed = events.some(
    ({ diagnosticEvent: event }) =>
      event?.severity === "error" && FAILED_PROVISIONING.test(plain(event.message)),
  );
  const steps = events.flatMap(({ resourcePreEvent: event }) => event?.metadata ?? []);
  return failed ? steps.find(({ type }) => type === MACHINE)?.urn : undefined;
}

const MACHINE = "azure-native:compute:VirtualMachine";
