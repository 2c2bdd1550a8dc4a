import { basename, join } from "node:path";
import { Option } from "commander";
import { CliError, ExitCode } from "@store/docker/cliError";
import { daemonAddress, publishesHere } from "@store/docker/endpoint";
import { connect, Connection } from "../../docker/connect";
import { instancesInState } from "../../docker/stackContainers";
import { swarmNodes } from "../../docker/swarmNodes";
import { VmStopped } from "../../host/stoppedVm";
import { loadCheckpoint, oldestResourceDate } from "../../engine/loadCheckpoint";
import { configText, readProject, stackNames } from "../../project/project";
import { isLocal, openSession, Session, StackOptions } from "../../project/session";
import { Column, duration, table } from "../../terminal/terminal";
import { defineCommand } from "../command";

interface LsOptions {
  readonly json: boolean;
}

export const ls = defineCommand<{ readonly json?: boolean }, LsOptions>({
  name: "ls",
  summary: "list the stacks with their hosts, states and addresses",
  flags: [new Option("--json", "print JSON")],
  examples: ["./store ls", "./store ls --json"],
  parse: ({ flags }) => ({ json: flags.json === true }),
  run,
});

async function run({ json }: LsOptions): Promise<ExitCode> {
  const rows = await Promise.all(findStacks().map((stack) => readRow(openSession(stack))));
  process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : `${table(rows, COLUMNS)}\n`);
  return ExitCode.Ok;
}

interface Row {
  readonly stack: string;
  /** Kind of the host: local, azure or ssh. */
  readonly host: string;
  /** up, down, "2 of 5 up", stopped (the VM is off), unreachable, or unknown if the stack's file or state can't be read. */
  readonly state: string;
  readonly address: string;
  /** Age of the oldest resource. Empty if there is none. */
  readonly age: string;
  /** Version of the host's Docker. */
  readonly docker: string;
  /** Machines of a swarm. Absent with one machine. */
  readonly machines?: readonly {
    readonly name: string;
    readonly address: string;
    /** ready, down, unknown or disconnected. */
    readonly state: string;
  }[];
}

const COLUMNS: readonly Column<Row>[] = [
  { title: "STACK", value: ({ stack }) => stack },
  { title: "HOST", value: ({ host, machines }) => host + machineCount(machines) },
  { title: "STATE", value: ({ state }) => state },
  { title: "ADDRESS", value: ({ address }) => address },
  { title: "AGE", value: ({ age }) => age },
  { title: "DOCKER", value: ({ docker }) => docker },
];

/** ", 3 machines", or ", 2 of 3 machines" if one is down. */
function machineCount(machines: Row["machines"] = []): string {
  const ready = machines.filter(({ state }) => state === "ready").length;
  if (machines.length === 0) return "";
  return `, ${ready === machines.length ? "" : `${ready} of `}${machines.length} machines`;
}

/** Returns the stacks of the project folder and the stack whose file STORE_CONFIG_FILE names, which may lie elsewhere. */
function findStacks(env: NodeJS.ProcessEnv = process.env): Required<StackOptions>[] {
  const { root } = readProject();
  const files = new Map(stackNames(root).map((name) => [name, join(root, `Pulumi.${name}.yaml`)]));
  const external = env["STORE_CONFIG_FILE"] ?? "";
  const [, name] = /^Pulumi\.(.+)\.yaml$/.exec(basename(external)) ?? [];
  if (name !== undefined) files.set(name, external);
  return [...files].map(([stack, configFile]) => ({ stack, configFile }));
}

/** Returns the state "unknown", and prints the reason on stderr, if the stack can't be read. */
export async function readRow(session: Session): Promise<Row> {
  const { project, stack } = session;
  const unknown = {
    stack: stack.name,
    host: "",
    state: "unknown",
    address: "",
    age: "",
    docker: "",
  };
  try {
    const since = await oldestResourceDate(session);
    const age = since ? duration((Date.now() - since.getTime()) / 1000) : "";
    const row = { ...unknown, host: configText(project, stack, "host"), state: "down", age };
    // A stack without resources has no host to connect to.
    return since === undefined ? row : await askHost(session, row);
  } catch (error) {
    reportFailure(stack.name, error);
    return unknown;
  }
}

/** Adds what the stack's host says to the row. */
async function askHost(session: Session, row: Row): Promise<Row> {
  let connection: Connection | undefined;
  try {
    connection = await connect(session);
    const { docker, address } = connection;
    const version = await docker.get<{ Version: string }>("/version");
    const checkpoint = await loadCheckpoint(session);
    const nodes = await swarmNodes(docker, checkpoint);
    const all = await instancesInState(session, docker, checkpoint, nodes);
    const machines = nodes?.map((node) => ({
      ...{ name: node.name, address: node.address, state: node.state },
    }));
    const up = all.filter(({ state }) => state === "running").length;
    const state =
      all.length === 0 ? "down" : up === all.length ? "up" : `${up} of ${all.length} up`;
    const isElsewhere = isLocal(session) && !publishesHere(docker.host);
    return {
      ...row,
      state,
      address: isElsewhere ? daemonAddress(docker.host) : address,
      docker: version?.Version ?? "",
      ...(machines !== undefined && machines.length > 0 && { machines }),
    };
  } catch (error) {
    reportFailure(row.stack, error);
    const state = error instanceof VmStopped ? "stopped" : "unreachable";
    return { ...row, state, address: connection?.address ?? "" };
  } finally {
    connection?.docker.close();
  }
}

/** One stack's problem must not hide the other stacks. */
function reportFailure(stack: string, error: unknown): void {
  if (!(error instanceof CliError)) throw error;
  process.stderr.write(`${stack}: ${error.summary}\n`);
}
