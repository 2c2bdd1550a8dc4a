import { CliError } from "@store/docker/cliError";
import type { SshTarget } from "@store/docker/sshAgent";
import {
  readMachineScript,
  readWithoutComments,
  withArguments,
} from "../../../components/shell/shell";
import { hostIn, sshTargetOf } from "../docker/hostDocker";
import { configText, configValue } from "../project/project";
import type { Session } from "../project/session";
import type { Checkpoint } from "../state/checkpoint";
import { runOnHost } from "./hostShell";
import { type RemoteHost, remoteHost, sshArguments } from "./remoteHost";

/** A machine of a stack, as ssh reaches it. */
export interface Machine {
  /** Number for `./store ssh --host`: 0 for the first machine. */
  readonly number: number;
  /** Name in the program. */
  readonly name: string;
  readonly address: string;
  readonly target: SshTarget;
}

/**
 * Returns the machines of a stack, the first one of them with number 0.
 *
 * @param checkpoint State of a stack whose first `up` may have failed, so that its machines aren't known yet. Defaults to none.
 * @throws CliError
 */
export async function machinesOf(session: Session, checkpoint?: Checkpoint): Promise<Machine[]> {
  let remote: RemoteHost;
  try {
    remote = await remoteHost(session);
  } catch (error) {
    const machines = machinesInConfig(session, checkpoint);
    if (!(error instanceof CliError) || machines.length === 0) throw error;
    return machines;
  }
  const { address, workers = [] } = remote.access;
  return [{ address, name: address }, ...workers].map((one, number) => ({
    ...{ number, address: one.address, name: one.name ?? one.address },
    target: { args: sshArguments(remote, number) },
  }));
}

/** Returns the machines of `store:workers`, with the first one from the state; none if that has no machine. */
function machinesInConfig(session: Session, checkpoint: Checkpoint | undefined): Machine[] {
  const { project, stack } = session;
  const host = hostIn(checkpoint);
  if (host === undefined) return [];
  const first = sshTargetOf(host, session);
  const { hostname } = new URL(host.url);
  const workers = (configValue(project, stack, "workers") ?? []) as readonly {
    readonly address: string;
    readonly port?: number;
    readonly user?: string;
  }[];
  return [
    { number: 0, name: hostname, address: hostname, target: first },
    ...workers.map(({ address, port = 22, user }, i) => {
      const login = user ?? configText(project, stack, "sshUser");
      const args = ["-l", login, "-p", `${port}`, "--", address];
      return { number: i + 1, name: address, address, target: { ...first, args } };
    }),
  ];
}

/** State of a machine that answers over SSH. */
export interface MachineState {
  readonly machine: Machine;
  /** Version of Docker. Undefined if it doesn't run. */
  readonly docker: string | undefined;
  /** Docker's message if it doesn't run. */
  readonly problem: string;
  /** Swarm's state on this machine: active, inactive, pending, error or locked. */
  readonly swarm: string;
  readonly swarmError: string;
  readonly nodeId: string;
  /** Free space for Docker's data. Undefined if it can't be read. */
  readonly freeGiB: number | undefined;
  /** Packages whose updates need a reboot. Undefined if no reboot is needed. */
  readonly reboot: readonly string[] | undefined;
  /** Seconds by which its clock is ahead of this computer's. */
  readonly aheadSeconds: number;
}

/** Limit for a machine's answer, in milliseconds. */
const ANSWER_MS = 15_000;

/** Reads the state of a machine. Returns the reason, as a clause, if it doesn't answer. */
export async function readMachine(machine: Machine): Promise<MachineState | string> {
  const script = readWithoutComments(__dirname, "machineState.sh");
  const { code, stdout, stderr } = await runOnHost(machine.target, script, {
    timeoutMs: ANSWER_MS,
  });
  const values = new Map(
    stdout.split(/\r?\n/).map((line): [string, string] => {
      const [key = ""] = line.split(" ", 1);
      return [key, line.slice(key.length).trim()];
    }),
  );
  const time = values.get("time");
  if (code !== 0 || time === undefined) {
    return stderr.trim().split("\n").at(-1) || `no answer within ${ANSWER_MS / 1000} s`;
  }
  const free = Number(values.get("free-kib") || NaN);
  return {
    machine,
    docker: values.get("docker") || undefined,
    problem: values.get("no-docker") ?? "",
    swarm: values.get("swarm") ?? "",
    swarmError: values.get("swarm-error") ?? "",
    nodeId: values.get("node") ?? "",
    freeGiB: Number.isNaN(free) ? undefined : free / 1024 ** 2,
    reboot: values.get("reboot")?.split(" ").filter(Boolean),
    aheadSeconds: Number(time) - Date.now() / 1000,
  };
}

/** A machine with its address for the other ones. */
export interface Peer {
  readonly target: SshTarget;
  readonly name: string;
  readonly address: string;
}

/** Limit for the check of one pair, in milliseconds: a closed port takes 5 s or 15 s. */
const LINK_MS = 45_000;

/**
 * Finds the ports of Swarm that are closed between machines, such as "UDP 4789 between shop and worker". A machine that doesn't answer over
 * SSH isn't checked.
 *
 * @param peers The manager first.
 */
export async function findClosedPorts(peers: readonly Peer[]): Promise<string[]> {
  const pairs = peers.flatMap((one, i) =>
    peers.slice(i + 1).map((other) => ({ one, other, tcp: i === 0 ? "2377 7946" : "7946" })),
  );
  const results = await Promise.all(
    pairs.map(async ({ one, other, tcp }, id) => {
      const [toOther, toOne] = await Promise.all([
        checkLink(one, [other.address, "7946", `${id}`, "1", "2"]),
        checkLink(other, [one.address, tcp, `${id}`, "2", "1"]),
      ]);
      if (toOther === undefined || toOne === undefined) return [];
      const closed = new Set([...toOther, ...toOne]);
      // Each machine needs the other one's interface.
      if (closed.delete(UNCHECKED)) closed.delete(UDP);
      return [...closed].map((port) => `${port} between ${one.name} and ${other.name}`);
    }),
  );
  return results.flat();
}

/** Lines of machineLink.sh. */
const UDP = "UDP 4789";
const UNCHECKED = "unchecked";

/** Returns the ports that are closed to a machine; undefined if it doesn't answer. */
async function checkLink(
  { target }: Peer,
  args: readonly string[],
): Promise<readonly string[] | undefined> {
  const script = withArguments(readMachineScript(__dirname, "machineLink.sh"), args);
  const { code, stdout } = await runOnHost(target, script, { timeoutMs: LINK_MS });
  return code === 0 ? stdout.split("\n").filter(Boolean) : undefined;
}
