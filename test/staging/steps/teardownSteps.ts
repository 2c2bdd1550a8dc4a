import { existsSync } from "node:fs";
import * as path from "node:path";
import { namesOf } from "@store/azure-emulator/docker";
import { repositoriesIn } from "@store/azure-emulator/registry/registry";
import { type RehearsalContext, STACK } from "../context";
import { injectFault } from "./faultInjection";

/** Takes the stack down, and checks that nothing of it is left. */
export async function down(context: RehearsalContext, faults: readonly string[]): Promise<string> {
  for (const fault of faults) await injectFault(fault, context.emulator);
  await context.workspace.succeed("down", STACK, "--yes", "--volumes");
  if (existsSync(path.join(context.workspaceFolder, ".store/ssh", STACK, "identity")))
    throw new Error("The checkout still has the login key.");
  const resources = context.emulator.resources().map(({ id }) => id);
  if (resources.length > 0)
    throw new Error(`The emulated cloud still has ${resources.join(", ")}.`);
  if (context.options.host === "ssh") return checkEmptyHost(context);
  const containers = (await namesOf("container", context.id)).filter(
    (name) => !/-(registry|pebble)$/.test(name),
  );
  const left = [...containers, ...(await namesOf("volume", context.id))];
  if (left.length > 0) throw new Error(`This machine still has ${left.join(", ")}.`);
  const repositories = context.options.registry === "azure" ? await repositoriesIn(context.id) : [];
  if (repositories.length > 0)
    throw new Error(`The registry still has ${repositories.join(", ")}.`);
  return "nothing left in the cloud";
}

/** Checks that the existing machine has kept Docker, and nothing of the store. */
async function checkEmptyHost(context: RehearsalContext): Promise<string> {
  const lists = await Promise.all([
    context.dockerOnHost("ps", "--all", "--format", "container {{.Names}}"),
    context.dockerOnHost("volume", "ls", "--format", "volume {{.Name}}"),
    context.dockerOnHost(
      ...["network", "ls", "--filter", "type=custom", "--format", "network {{.Name}}"],
    ),
  ]);
  const left = lists.filter((list) => list !== "");
  if (left.length > 0) throw new Error(`The host still has ${left.join(", ")}.`);
  return "Docker is left on the host, but nothing of the store";
}
