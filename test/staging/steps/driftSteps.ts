import type { Fault } from "@store/azure-emulator/arm/faults";
import { type RehearsalContext, STACK } from "../context";
import { expectNoChanges } from "./deploySteps";
import { reboot, stopAndStart } from "./powerSteps";

/** Checks that a preview with a refresh has no changes; in Azure also not after changes that Azure has made itself. */
export async function refreshWithoutChanges(context: RehearsalContext): Promise<string> {
  if (context.options.host === "azure") await context.emulator.touchMachine();
  return expectNoChanges(context.workspace, "preview", STACK, "--refresh");
}

/**
 * Lets something happen to the running VM that the program hasn't caused, and checks that the next preview with a refresh plans no
 * changes.
 */
export async function driftWithoutChanges(
  context: RehearsalContext,
  fault: string,
): Promise<string> {
  const { emulator, workspace } = context;
  switch (fault as Fault) {
    case "azure-touches":
      await emulator.touchMachine();
      break;
    case "deallocated":
      await stopAndStart(context);
      await reboot(context);
      break;
    default:
      throw new Error(`The rehearsal can't let ${fault} happen to a running stack.`);
  }
  return expectNoChanges(workspace, "preview", STACK, "--refresh");
}
