import { type RehearsalContext, STACK } from "../context";
import { CommandFailed } from "../../support/workspace";

const BROKEN_SERVICE = "inventory";
const MAIN = `services/${BROKEN_SERVICE}/src/main.ts`;
const CRASH = "process.exit(3);\n";

/**
 * Pauses a container on the host and makes a service exit at its start. Checks that `up` repairs the container, and that it fails with
 * the exit code of the service long before the time limit for a healthy container.
 */
export async function repairAndCrash(context: RehearsalContext): Promise<string> {
  const { workspace } = context;
  const names = await context.dockerOnHost("ps", "--format", "{{.Names}}");
  const paused = names.split("\n").find((name) => name.startsWith("billing-0-"));
  if (paused === undefined) throw new Error(`The host runs no instance of billing: ${names}`);
  await context.dockerOnHost("pause", paused);
  const ps = await workspace.succeed("ps", STACK);
  if (!ps.includes("paused")) throw new CommandFailed("ps doesn't show the paused container.", ps);

  workspace.edit(MAIN, "", CRASH);
  const { code, output } = await workspace.run("up", STACK, "--yes");
  workspace.edit(MAIN, CRASH, "");
  if (code === 0) throw new CommandFailed("./store up succeeded with a crashing service.", output);
  for (const expected of [
    `${paused} is paused: repaired`,
    /inventory-0 did not become healthy: it exited with code 3/,
    /Complete log: \.store\/logs\//,
  ]) {
    if (output.search(expected) < 0)
      throw new CommandFailed(`The output of up lacks ${String(expected)}.`, output);
  }
  return `${paused} repaired, the crashing ${BROKEN_SERVICE} given up`;
}
