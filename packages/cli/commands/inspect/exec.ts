import { spawn } from "node:child_process";
import { condition, displayName, StoreContainer } from "../../docker/containers";
import { CliError, UsageError } from "@store/docker/cliError";
import { connect } from "../../docker/connect";
import { openSession, StackOptions } from "../../project/session";
import { selectContainers } from "../../docker/selectContainers";

export interface ExecOptions extends StackOptions {
  readonly service: string;
  readonly replica?: number;
  readonly command: readonly string[];
}

/** @returns the exit code of the command. */
export async function exec(options: ExecOptions): Promise<number> {
  if (options.command.length === 0) {
    throw new UsageError(
      "There is no command to run.",
      `Name it after --: ./store exec ${options.service} -- COMMAND`,
    );
  }
  const session = openSession(options);
  const { docker, env } = await connect(session);
  const targets = await selectContainers(session, docker, options.service);
  const target = chooseInstance(targets, options.replica);
  const terminal = process.stdin.isTTY && process.stdout.isTTY;
  return dockerExec(env, [
    "exec",
    "--interactive",
    ...(terminal ? ["--tty"] : []),
    target.id,
    ...options.command,
  ]);
}

/** The instance that was asked for, else the first healthy one, else the first that runs. */
export function chooseInstance(
  targets: readonly StoreContainer[],
  replica: number | undefined,
): StoreContainer {
  const asked = targets.filter((target) => replica === undefined || target.replica === replica);
  if (asked.length === 0) {
    const numbers = targets.flatMap((target) => target.replica ?? []);
    throw new UsageError(
      `There is no instance ${replica}. There are: ${[...new Set(numbers)].join(", ") || "none with a number"}.`,
    );
  }
  const running = asked.filter(({ state }) => state === "running");
  const chosen = running.find(({ health }) => health === "healthy") ?? running[0];
  if (chosen) return chosen;
  const [first] = asked;
  const name = first ? displayName(first) : "It";
  throw new CliError(`${name} doesn't run: ${first ? condition(first) : "gone"}.`, {
    hint: `./store logs ${name} shows why.`,
  });
}

function dockerExec(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<number> {
  // Ctrl-C is for the command in the container, which gets it from the terminal.
  const ignore = (): void => undefined;
  process.on("SIGINT", ignore);
  return new Promise<number>((resolve, reject) => {
    const child = spawn("docker", [...args], { stdio: "inherit", env: { ...process.env, ...env } });
    child.once("error", () =>
      reject(
        new CliError("The docker command isn't installed.", {
          hint: "Install it (Debian, Ubuntu: apt-get install docker-cli or docker.io).",
        }),
      ),
    );
    child.once("close", (code) => resolve(code ?? 1));
  }).finally(() => process.off("SIGINT", ignore));
}
