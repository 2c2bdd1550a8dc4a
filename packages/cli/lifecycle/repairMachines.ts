import { join } from "node:path";
import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import { readMachineScript, readWithoutComments } from "../../../components/shell/shell";
import { hostIn, sshTargetOf } from "../docker/hostDocker";
import {
  activate,
  describeMachineFault,
  type MachineFault,
  type SwarmNode,
  workersIn,
} from "../docker/swarmNodes";
import { runOnHost } from "../host/hostShell";
import { machinesOf, readMachine } from "../host/swarmMachines";
import type { Session } from "../project/session";
import { type Checkpoint, type Resource, resourceName } from "../state/checkpoint";
import type { Reporter } from "../terminal/terminal";
import type { Repairs } from "./repairFaults";

/** Repairs of the machines of a stack for which Docker on the first one doesn't suffice. */
export interface MachineRepairs {
  /** Makes the first machine the manager of a new swarm. @throws CliError */
  readonly initSwarm: () => Promise<void>;
  /** Returns true for a machine that answers and isn't in a swarm any more. */
  readonly hasLeft: (node: SwarmNode) => Promise<boolean>;
  /** URNs of the commands that read the token with which a machine joins, by the ID of its node. */
  readonly invitations: ReadonlyMap<string, string>;
  /** URNs of the commands with which machines join. Their replacement leaves the previous swarm first. */
  readonly joins: readonly string[];
}

/**
 * Repairs machines of a swarm that run no instances. Those that have left it join again by the engine, with a new token. A machine that is
 * down is only reported: the others run its instances.
 */
export async function repairMachines(
  docker: Docker,
  { initSwarm, hasLeft, invitations, joins }: MachineRepairs,
  faults: readonly MachineFault[],
  report: Reporter,
): Promise<Repairs> {
  let repaired = 0;
  const differences: string[] = [];
  // The token in the state isn't valid any more: members.sh has replaced it.
  const replace: string[] = [];
  const joinAgain = (node: string): void => {
    const urn = invitations.get(node);
    if (urn !== undefined) replace.push(urn);
  };
  for (const fault of faults) {
    const description = describeMachineFault(fault);
    if (fault.kind === "lost-swarm") {
      await initSwarm();
      differences.push(`${description} It manages a new one, which the others join`);
      replace.push(...invitations.values(), ...joins);
    } else if (fault.kind === "left" || (fault.kind === "down" && (await hasLeft(fault.node)))) {
      differences.push(`${description} It joins again`);
      joinAgain(fault.kind === "left" ? fault.worker.nodeId : fault.node.id);
    } else if (fault.kind === "down") {
      report.note(description);
    } else {
      const refusal = await activate(docker, fault.node);
      if (refusal === undefined) repaired++;
      report.note(`${description} ${refusal === undefined ? "Repaired" : refusal}`);
    }
  }
  return { repaired, differences, replace };
}

/** Returns the repairs of a stack's machines. */
export function machineRepairs(session: Session, checkpoint: Checkpoint): MachineRepairs {
  const workers = workersIn(checkpoint);
  const command = (name: string): Resource | undefined =>
    checkpoint.resources.find(
      ({ urn, delete: isOriginal }) => !isOriginal && resourceName(urn) === name,
    );
  return {
    initSwarm: () => initSwarm(session, checkpoint, command("swarm-init")),
    hasLeft: (node) => hasLeft(session, checkpoint, node),
    invitations: new Map(
      workers.flatMap(({ name, nodeId }): [string, string][] => {
        const urn = command(`${INVITATION}${name}`)?.urn;
        return urn === undefined ? [] : [[nodeId, urn]];
      }),
    ),
    joins: workers.map(({ urn }) => urn),
  };
}

/** Start of the name of the command that reads a worker's token, as in components/swarm/swarm.ts. */
const INVITATION = "swarm-invitation-";

/** Limit for creating a swarm, in milliseconds. */
const INIT_MS = 60_000;

/** Runs the command of the state again with which the first machine has become the manager. */
async function initSwarm(
  session: Session,
  checkpoint: Checkpoint,
  init: Resource | undefined,
): Promise<void> {
  const host = hostIn(checkpoint);
  const script = init?.inputs?.["create"];
  if (host === undefined || typeof script !== "string") return;
  const { code, stderr } = await runOnHost(sshTargetOf(host, session), script, {
    timeoutMs: INIT_MS,
  });
  if (code === 0) return leaveLostSwarm(session, checkpoint);
  throw new CliError("The first machine manages no swarm any more, and can't create another one.", {
    details: stderr.trim().split("\n"),
    hint: "Fix the cause on that machine, then run the command again.",
  });
}

/** Takes the workers out of a swarm whose manager has lost it. One that doesn't answer fails when it joins the next swarm. */
async function leaveLostSwarm(session: Session, checkpoint: Checkpoint): Promise<void> {
  const functions = readMachineScript(SWARM_FOLDER, "machine.sh");
  const script = `${functions}\n${readWithoutComments(SWARM_FOLDER, "leaveForNext.sh")}`;
  const [, ...workers] = await machinesOf(session, checkpoint);
  await Promise.all(workers.map(({ target }) => runOnHost(target, script, { timeoutMs: INIT_MS })));
}

const SWARM_FOLDER = join(__dirname, "../../../components/swarm");

async function hasLeft(
  session: Session,
  checkpoint: Checkpoint,
  { id }: SwarmNode,
): Promise<boolean> {
  const name = workersIn(checkpoint).find(({ nodeId }) => nodeId === id)?.name;
  const machine = (await machinesOf(session, checkpoint)).find((one) => one.name === name);
  const state = machine && (await readMachine(machine));
  return typeof state === "object" && state.swarm === "inactive";
}
