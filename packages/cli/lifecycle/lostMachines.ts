import { workersIn } from "../docker/swarmNodes";
import { editState } from "../engine/editState";
import type { PulumiContext } from "../engine/setup";
import { machinesOf, readMachine } from "../host/swarmMachines";
import { configText, configValue } from "../project/project";
import type { Session } from "../project/session";
import { type Checkpoint, type Resource } from "../state/checkpoint";
import type { Reporter } from "../terminal/terminal";

/**
 * Lets the engine remove workers that don't answer any more: without the command by which a machine leaves its swarm, which would fail. The
 * manager removes the machine from the swarm anyway. Without effect in Azure, where nothing runs on a VM that is deleted.
 *
 * @param removed The workers to remove: all, or those that the configuration doesn't name any more.
 * @throws CliError
 */
export async function releaseLostMachines(
  session: Session,
  engine: PulumiContext,
  checkpoint: Checkpoint | undefined,
  removed: "all" | "unnamed",
  report: Reporter,
): Promise<void> {
  const { project, stack } = session;
  if (configText(project, stack, "host") !== "ssh") return;
  const named =
    removed === "all" ? "" : JSON.stringify(configValue(project, stack, "workers") ?? []);
  const leaving = workersIn(checkpoint).filter(({ name }) => !named.includes(`"${name}"`));
  if (checkpoint === undefined || leaving.length === 0) return;
  const machines = await machinesOf(session);
  const lost = new Map<string, string>();
  await Promise.all(
    leaving.map(async ({ name, urn }) => {
      const machine = machines.find((one) => one.name === name);
      const state = machine && (await readMachine(machine));
      if (typeof state === "string") lost.set(urn, name);
    }),
  );
  if (lost.size === 0) return;
  const failure = `Updating the machines in the state of ${stack.name} failed.`;
  await editState(session, engine, checkpoint, withoutLeaving([...lost.keys()]), failure);
  for (const name of lost.values())
    report.note(
      `${name} doesn't answer, so it can't leave the swarm itself. If it comes back: docker swarm leave --force on that machine.`,
    );
}

/** Returns a function that removes the command for the deletion from these resources. */
export function withoutLeaving(urns: readonly string[]): (resource: Resource) => Resource {
  const reduced = (values: Resource["inputs"]): Resource["inputs"] => {
    if (values === undefined) return undefined;
    const { delete: _command, ...rest } = values;
    return rest;
  };
  return (resource) =>
    urns.includes(resource.urn)
      ? { ...resource, inputs: reduced(resource.inputs), outputs: reduced(resource.outputs) }
      : resource;
}
