import { MACHINE } from "@store/azure-emulator/arm/types/compute/references";
import { CommandFailed } from "../../support/workspace";
import { type RehearsalContext, STACK } from "../context";

/** Reboots the VM for an update that needs it, and checks that the update, the disk and the store are as they should be after it. */
export async function reboot({ workspace }: RehearsalContext): Promise<string> {
  const onHost = (command: string): Promise<string> =>
    workspace.succeed("ssh", STACK, "--", `sudo sh -c '${command}'`);
  await onHost("echo linux-image-amd64 >/run/reboot-required.pkgs; touch /run/reboot-required");
  const pending = new RegExp(`linux-image-amd64.*\\./store reboot ${STACK}`);
  for (const command of [
    ["ps", STACK],
    ["doctor", "-s", STACK],
  ]) {
    const { output } = await workspace.run(...command);
    if (!pending.test(output))
      throw new CommandFailed(`./store ${command.join(" ")} names no pending reboot.`, output);
  }
  await expectOutput("The store is up: ", workspace.succeed("reboot", STACK, "--yes"));
  await onHost("test ! -e /run/reboot-required && mountpoint -q /data");
  return "booted with its data disk, and the store is up";
}

/**
 * Stops the VM, each command twice, and refreshes its state while it is off; then starts it again, and waits until the store serves
 * requests.
 */
export async function stopAndStart({ workspace, probe }: RehearsalContext): Promise<string> {
  await workspace.succeed("stop", STACK, "--yes");
  await expectOutput("already stopped", workspace.succeed("stop", STACK, "--yes"));
  for (const command of [["ps", STACK], ["logs", "--stack", STACK], ["ls"]]) {
    const { output } = await workspace.run(...command);
    if (!output.includes(`Start it: ./store start ${STACK}`))
      throw new CommandFailed(
        `./store ${command.join(" ")} doesn't say that the VM is off.`,
        output,
      );
  }
  // Only the VM: Docker doesn't answer while it is off.
  await workspace.succeed(
    ...["pulumi", "refresh", "--stack", STACK, "--yes", "--skip-preview"],
    ...["--target", `**${MACHINE}::*`],
  );
  await expectOutput("The store is up: ", workspace.succeed("start", STACK));
  await expectOutput("already run", workspace.succeed("start", STACK));
  return `serving ${(await probe.untilServing(SERVING_LIMIT_MS)).toFixed(1)} s after start`;
}

/** Limit for a store that `start` has already seen serving, in milliseconds. */
const SERVING_LIMIT_MS = 120_000;

async function expectOutput(expected: string, running: Promise<string>): Promise<void> {
  const output = await running;
  if (output.includes(expected)) return;
  throw new CommandFailed(`The output lacks "${expected}".`, output);
}
