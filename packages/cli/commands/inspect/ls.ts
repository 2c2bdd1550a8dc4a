import { basename, join } from "node:path";
import { connect, Connection } from "../../docker/connect";
import { listContainers, runnable } from "../../docker/containers";
import { CliError, ExitCode } from "@store/docker/cliError";
import { configText, readProject, stackNames } from "../../project/project";
import { openSession, Session, StackOptions } from "../../project/session";
import { oldestResourceDate } from "../../engine/setup";
import { Column, duration, table } from "../../terminal/terminal";

export interface LsOptions {
  readonly json?: boolean;
}

/** Lists the stacks that there are, where they run and how they are. */
export async function ls(options: LsOptions): Promise<ExitCode> {
  const rows = await Promise.all(stacks().map((stack) => rowOf(openSession(stack))));
  process.stdout.write(
    options.json ? `${JSON.stringify(rows, null, 2)}\n` : `${table(rows, COLUMNS)}\n`,
  );
  return ExitCode.Ok;
}

interface Row {
  readonly stack: string;
  /** local, azure or ssh. */
  readonly host: string;
  readonly state: string;
  readonly address: string;
  readonly age: string;
  readonly docker: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: "STACK", value: ({ stack }) => stack },
  { title: "HOST", value: ({ host }) => host },
  { title: "STATE", value: ({ state }) => state },
  { title: "ADDRESS", value: ({ address }) => address },
  { title: "AGE", value: ({ age }) => age },
  { title: "DOCKER", value: ({ docker }) => docker },
];

/** Those of this folder, each by its own file, and the one whose file the environment names, wherever that is. */
function stacks(env: NodeJS.ProcessEnv = process.env): Required<StackOptions>[] {
  const { root } = readProject();
  const files = new Map(stackNames(root).map((name) => [name, join(root, `Pulumi.${name}.yaml`)]));
  const elsewhere = env["STORE_CONFIG_FILE"] ?? "";
  const [, name] = /^Pulumi\.(.+)\.yaml$/.exec(basename(elsewhere)) ?? [];
  if (name !== undefined) files.set(name, elsewhere);
  return [...files].map(([stack, configFile]) => ({ stack, configFile }));
}

async function rowOf(session: Session): Promise<Row> {
  const { project, stack } = session;
  const since = await oldestResourceDate(session);
  const row = {
    stack: stack.name,
    host: configText(project, stack, "host"),
    state: "down",
    address: "",
    age: since ? duration((Date.now() - since.getTime()) / 1000) : "",
    docker: "",
  };
  // Nothing was made, or nothing is left: nobody is to be asked.
  if (since === undefined) return row;
  let connection: Connection | undefined;
  try {
    connection = await connect(session);
    const { docker, address } = connection;
    const version = await docker.get<{ Version: string }>("/version");
    const all = runnable(await listContainers(docker, project.name, stack.name));
    const up = all.filter(({ state }) => state === "running").length;
    return {
      ...row,
      state: all.length === 0 ? "down" : up === all.length ? "up" : `${up} of ${all.length} up`,
      address,
      docker: version?.Version ?? "",
    };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { ...row, state: "unreachable", address: connection?.address ?? "" };
  } finally {
    connection?.docker.close();
  }
}
