import { Argument, Option } from "commander";
import { inSh, shellQuote } from "../../../../components/shell/shell";
import { CliError, UsageError } from "@store/docker/cliError";
import { connect, type Connection } from "../../docker/connect";
import { machineOf } from "../../docker/swarmTasks";
import { loadCheckpoint } from "../../engine/loadCheckpoint";
import { machineAlias, remoteEnvironment } from "../../host/remoteHost";
import { condition, displayName, StoreContainer } from "../../docker/containers";
import { refuseStackName, selectContainers } from "../../docker/selectContainers";
import { openSession, type Session, StackOptions } from "../../project/session";
import { runAttached } from "../../terminal/attached";
import { CommandLine, defineCommand, wholeNumber } from "../command";
import { parseStack, STACK_FLAGS, StackFlags } from "../stackFlags";
import { storeCommand } from "../../project/storeCommand";

interface ExecFlags extends StackFlags {
  readonly replica?: number;
}

interface ExecOptions extends StackOptions {
  readonly service: string;
  /** Number of the replica. Defaults to the first healthy one. */
  readonly replica?: number;
  readonly command: readonly string[];
}

export const exec = defineCommand<ExecFlags, ExecOptions>({
  name: "exec",
  summary: "run a command in a service's container",
  usage: "<service> [options] -- COMMAND...",
  arguments: [new Argument("<service>", "a service, NAME-database or gateway")],
  flags: [
    ...STACK_FLAGS,
    new Option("--replica <n>", "number of the replica (default: the first healthy one)").argParser(
      wholeNumber,
    ),
  ],
  examples: [
    "./store exec orders -- node --version",
    "./store exec inventory-database -- psql -U inventory",
    "./store exec orders --replica 1 -- node",
  ],
  notes: "The exit code is the command's.",
  parse,
  run,
});

function parse({ args: [service = ""], flags, rest }: CommandLine<ExecFlags>): ExecOptions {
  if (rest.length === 0) {
    throw new UsageError(
      "The command to run is missing.",
      `Give it after --: ${storeCommand(`exec ${service} -- COMMAND`, parseStack(flags).stack)}`,
    );
  }
  return { ...parseStack(flags), service, replica: flags.replica, command: rest };
}

/** Returns the exit code of the command in the container. */
async function run({ service, replica, command, ...options }: ExecOptions): Promise<number> {
  const session = openSession(options);
  refuseStackName(session, service, `exec SERVICE -- ${command.join(" ")}`);
  const { docker, env, remote } = await connect(session);
  const container = chooseInstance(
    await selectContainers(session, docker, service),
    replica,
    session.stack.name,
  );
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  const place = await placeOf(container, { session, env, remote });
  const args = ["exec", "--interactive", ...(isTerminal ? ["--tty"] : []), place.id, ...command];
  if (remote === undefined)
    return runAttached("docker", args, "docker-cli or docker.io", place.env);
  const machine = new URL(place.env["DOCKER_HOST"] ?? "").hostname;
  const ssh = [...(isTerminal ? ["-t"] : []), machine, remoteCommand("docker", args)];
  return runAttached("ssh", ssh, "openssh-client", place.env);
}

/**
 * Returns a command for ssh. On another machine, its own docker command runs: this machine's may be too old for the daemon there, as
 * Docker 29 refuses clients before version 25.
 *
 * @see https://docs.docker.com/engine/release-notes/29/
 */
export function remoteCommand(program: string, args: readonly string[]): string {
  return inSh([program, ...args.map(shellQuote)].join(" "));
}

/** Returns the container's ID, and the environment in which the docker command uses the daemon that has it. */
async function placeOf(
  { id, task }: StoreContainer,
  { session, env, remote }: Pick<Connection, "env" | "remote"> & { readonly session: Session },
): Promise<{ readonly id: string; readonly env: NodeJS.ProcessEnv }> {
  if (task === undefined || remote === undefined) return { id, env };
  const workers = (remote.access.workers ?? []).map(({ address, name = address }) => name);
  const machine = machineOf(task, await loadCheckpoint(session), workers);
  const alias = machineAlias(remote, machine);
  return { id: task.containerId, env: remoteEnvironment({ ...remote, alias }) };
}

/**
 * Returns the first healthy container of the replica, otherwise the first running one.
 *
 * @param replica Number of the replica. Any if undefined.
 * @param stack Name of the stack, for the error.
 * @throws UsageError if there is no such replica, CliError if none is running.
 */
export function chooseInstance(
  containers: readonly StoreContainer[],
  replica: number | undefined,
  stack: string,
): StoreContainer {
  const candidates = containers.filter(
    (container) => replica === undefined || container.replica === replica,
  );
  const [first] = candidates;
  if (first === undefined) {
    const numbers = new Set(containers.flatMap((container) => container.replica ?? []));
    throw new UsageError(
      `There is no replica ${replica}. Replicas: ${[...numbers].join(", ") || "none with a number"}.`,
    );
  }
  const running = candidates.filter(({ state }) => state === "running");
  const chosen = running.find(({ health }) => health === "healthy") ?? running[0];
  if (chosen) return chosen;
  const name = displayName(first);
  throw new CliError(`${name} isn't running: ${condition(first)}.`, {
    hint: `${storeCommand(`logs ${name}`, stack)} shows why.`,
  });
}
