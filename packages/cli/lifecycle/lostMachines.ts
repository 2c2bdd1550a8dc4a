import { connect } from "node:net";
import { CliError } from "@store/docker/cliError";
import { workersIn } from "../docker/swarmNodes";
import { editState } from "../engine/editState";
import type { PulumiContext } from "../engine/setup";
import { type Machine, machinesOf, readMachine } from "../host/swarmMachines";
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
  const machines = await knownMachines(session, checkpoint);
  const lost = new Map<string, string>();
  await Promise.all(
    leaving.map(async ({ name, urn }) => {
      const machine = machines.find((one) => one.name === name);
      const answers = machine
        ? typeof (await readMachine(machine)) !== "string"
        : await acceptsConnections(connectionOf(checkpoint, urn));
      if (!answers) lost.set(urn, name);
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

/** Returns the machines that can be logged in to: those of the last `up` that succeeded. */
async function knownMachines(session: Session, checkpoint: Checkpoint): Promise<Machine[]> {
  try {
    return await machinesOf(session, checkpoint);
  } catch (error) {
    if (error instanceof CliError) return [];
    throw error;
  }
}

interface Connection {
  readonly host?: string;
  readonly port?: number;
}

/** Returns where a command of the state has run. */
function connectionOf(checkpoint: Checkpoint, urn: string): Connection {
  const join = checkpoint.resources.find((one) => one.urn === urn);
  return join?.inputs?.["connection"] ?? {};
}

/** Limit for a machine to accept a connection, in milliseconds. */
const CONNECT_MS = 10_000;

function acceptsConnections({ host = "", port = 22 }: Connection): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_MS });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
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
