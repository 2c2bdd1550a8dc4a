import { CliError } from "@store/docker/cliError";
import { connectHostDocker, hasSshFiles } from "../docker/hostDocker";
import {
  createsMachines,
  describeMachineFault,
  machineFaults,
  machineHint,
  type SwarmNode,
  swarmNodes,
  workersIn,
} from "../docker/swarmNodes";
import { memoryLimit } from "../docker/swarmTasks";
import { listed } from "../host/bootState";
import {
  findClosedPorts,
  type Machine,
  machinesOf,
  type MachineState,
  type Peer,
  readMachine,
} from "../host/swarmMachines";
import { peersOf } from "../lifecycle/machinePorts";
import { storeCommand } from "../project/storeCommand";
import type { Session } from "../project/session";
import type { Checkpoint } from "../state/checkpoint";
import type { CheckContext, CheckResult } from "./check";
import { readState } from "./hostChecks";

/** Checks the machines of a stack with workers that is up: each of them, the swarm, and the ports between them. */
export async function checkMachines({ session }: CheckContext): Promise<CheckResult[]> {
  const checkpoint = await readState(session);
  // Without its files, which need the state's secrets, ssh can't log in.
  if (workersIn(checkpoint).length === 0 || !hasSshFiles(session)) return [];
  try {
    const machines = await machinesOf(session, checkpoint);
    const states = await Promise.all(machines.map(readMachine));
    const found = states.filter((state) => typeof state !== "string");
    const nodes = await readNodes(session, checkpoint);
    const stack = session.stack.name;
    const lostForEver = createsMachines(checkpoint)
      ? `If it is lost, its VM is replaced by: ${storeCommand("up --yes", stack)}`
      : "If it is gone for ever, take it out of store:workers.";
    return [
      ...states.flatMap((state, i) =>
        machineResults(machines[i], state, found[0], stack, lostForEver),
      ),
      ...swarmResults(checkpoint, nodes, stack),
      ...(await portResults(await peersOf(session, checkpoint, nodes ?? []))),
    ];
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [{ title: "Machines", status: "failed", found: error.summary, hint: error.hint }];
  }
}

async function readNodes(
  session: Session,
  checkpoint: Checkpoint | undefined,
): Promise<readonly SwarmNode[] | undefined> {
  const host = await connectHostDocker(session, checkpoint);
  if (host === undefined) return undefined;
  try {
    return await swarmNodes(host.docker, checkpoint);
  } finally {
    host.docker.close();
  }
}

/** Free space in GiB below which a rollout's images may not fit. */
const REQUIRED_GIB = 2;
/** Difference of clocks in seconds that the time of a connection doesn't explain. */
const CLOCK_SECONDS = 10;

/**
 * Describes a machine by one line for each problem, or by a single one.
 *
 * @param state State of the machine, or the reason for which it doesn't answer.
 * @param reference A machine with whose clock its own is compared.
 * @param lostForEver What to do if a worker never answers again, as a sentence.
 */
export function machineResults(
  machine: Machine | undefined,
  state: MachineState | string,
  reference: MachineState | undefined,
  stack: string,
  lostForEver: string,
): CheckResult[] {
  if (machine === undefined) return [];
  const { number, address } = machine;
  const title = `Machine ${number}`;
  const onIt = (command: string): string =>
    storeCommand(`ssh --host ${number} -- ${command}`, stack);
  const failed = (found: string, hint: string): CheckResult => ({
    ...{ title, status: "failed", found: `${address}: ${found}`, hint },
  });
  if (typeof state === "string") {
    const gone = number === 0 ? "" : ` ${lostForEver}`;
    return [failed(`no answer over SSH: ${state}`, `Check that it runs.${gone}`)];
  }
  const { docker, problem, swarm, swarmError, freeGiB, reboot } = state;
  const ahead = Math.round(state.aheadSeconds - (reference?.aheadSeconds ?? state.aheadSeconds));
  const failures = [
    ...(docker === undefined
      ? [failed(`Docker doesn't run: ${problem}`, `See why: ${onIt("systemctl status docker")}`)]
      : []),
    ...(["pending", "error", "locked"].includes(swarm)
      ? [
          failed(
            `its swarm is in the state ${swarm}${swarmError && `: ${swarmError}`}`,
            `If the manager runs and TCP 2377 is open, take it out and let it join again: ${onIt("docker swarm leave --force")}, then ${storeCommand("up", stack)}`,
          ),
        ]
      : []),
    ...(freeGiB !== undefined && freeGiB < REQUIRED_GIB
      ? [
          failed(
            `${freeGiB.toFixed(1)} GiB free`,
            `A rollout needs ${REQUIRED_GIB} GiB for its images. Free space: ${onIt("docker image prune --all")}`,
          ),
        ]
      : []),
    ...(Math.abs(ahead) > CLOCK_SECONDS
      ? [
          failed(
            `its clock is ${Math.abs(ahead)} s ${ahead > 0 ? "ahead of" : "behind"} that of ${reference?.machine.address ?? ""}`,
            `Certificates and logs depend on it. Synchronize it: ${onIt("sudo timedatectl set-ntp true")}`,
          ),
        ]
      : []),
  ];
  if (failures.length > 0) return failures;
  const space = freeGiB === undefined ? "" : `, ${freeGiB.toFixed(1)} GiB free`;
  const hint =
    reboot && `Updates need a reboot${listed(reboot)}: ${rebootCommand(number, stack, onIt)}`;
  return [{ title, status: "ok", found: `${address}: Docker ${docker ?? ""}${space}`, hint }];
}

function rebootCommand(number: number, stack: string, onIt: (command: string) => string): string {
  return number === 0 ? storeCommand("reboot", stack) : onIt("sudo reboot");
}

/** Describes the machines as the manager sees them. @param nodes Undefined if the first machine manages no swarm. */
export function swarmResults(
  checkpoint: Checkpoint | undefined,
  nodes: readonly SwarmNode[] | undefined,
  stack: string,
): CheckResult[] {
  const title = "Swarm";
  const faults = machineFaults(checkpoint, nodes);
  const versions = new Set((nodes ?? []).map(({ dockerVersion }) => dockerVersion.split(".")[0]));
  const hint =
    versions.size > 1
      ? "Docker promises nothing for mixed major versions beyond an upgrade: bring all machines to the same one."
      : undefined;
  if (faults.length === 0) {
    const limit = memoryLimit(checkpoint);
    const memory = (nodes ?? [])
      .filter(({ isManager }) => !isManager)
      .reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
    if (limit > memory) {
      const short = `the instances may use ${gibibytes(limit)} GiB of memory, and the workers have ${gibibytes(memory)} GiB`;
      const more = createsMachines(checkpoint)
        ? "Raise store:hosts"
        : "Add a worker to store:workers";
      const way = `${more}, or lower store:replicas, then: ${storeCommand("up", stack)}`;
      return [{ title, status: "failed", found: short, hint: way }];
    }
    const found = `${workersIn(checkpoint).length} workers are ready; Docker ${[...versions].sort().join(" and ")}`;
    return [{ title, status: "ok", found, hint }];
  }
  return faults.map((fault) => ({
    ...{ title, status: "failed", found: describeMachineFault(fault) },
    hint: machineHint(fault, stack, checkpoint),
  }));
}

function gibibytes(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(1);
}

async function portResults(peers: readonly Peer[]): Promise<CheckResult[]> {
  const title = "Ports";
  if (peers.length < 2) return [];
  const closed = await findClosedPorts(peers);
  if (closed.length === 0)
    return [{ title, status: "ok", found: `open between ${peers.length} machines` }];
  const hint = "Open TCP 2377 and 7946 and UDP 7946 and 4789 between the machines.";
  return closed.map((port) => ({ title, status: "failed", found: `closed: ${port}`, hint }));
}
