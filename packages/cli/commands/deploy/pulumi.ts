import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { UsageError } from "@store/docker/cliError";
import { Docker } from "@store/docker/docker";
import { ensureEngine } from "@store/toolchain/engine/engine";
import { findDocker } from "@store/toolchain/tools/docker";
import { engineEnvironment } from "../../engine/environment/engineEnvironment";
import { ensureStack } from "../../engine/ensureStack";
import { runOnStack } from "../../engine/runOnStack";
import { noteImagesUsedByTag } from "../../engine/setup";
import { folderArgument, hasOption, stackArgument, wordsOf } from "../../engine/pulumiArguments";
import { ensureSshFiles } from "../../host/remoteHost";
import { engineReference, parseStackReference, readProject, ROOT } from "../../project/project";
import { DEFAULT_STACK } from "../../project/storeCommand";
import { dockerEndpoint, type Session } from "../../project/session";
import { checkStackFile } from "../../project/stackFileCheck";
import { removeAbandonedLock } from "../../state/locks";
import { findState, stackLockFile } from "../../state/state";
import { Reporter, reporter } from "../../terminal/terminal";
import { defineCommand } from "../command";

interface PulumiOptions {
  readonly stack: string;
  /** All arguments of the call. */
  readonly args: readonly string[];
}

export const pulumi = defineCommand<object, PulumiOptions>({
  name: "pulumi",
  summary: "run Pulumi with the environment that the stacks need",
  usage: "[arguments of pulumi]",
  examples: [
    "./store pulumi config set httpPort 9000",
    "./store pulumi stack output",
    "./store pulumi up -s staging",
  ],
  notes: "The stack is dev unless -s names another one. The exit code is pulumi's.",
  unparsed: true,
  parse: ({ args }) => {
    refuseOtherFolder(args);
    return { stack: stackArgument(args) ?? process.env["PULUMI_STACK"] ?? DEFAULT_STACK, args };
  },
  run,
});

/** Runs Pulumi on this terminal and returns its exit code. */
async function run({ stack: named, args }: PulumiOptions): Promise<number> {
  const project = readProject();
  const { name } = parseStackReference(project.name, named);
  // The stack's file may be missing: Pulumi may be about to create it, and many subcommands need no stack.
  const file = process.env["STORE_CONFIG_FILE"] ?? join(project.root, `Pulumi.${name}.yaml`);
  const state = findState(project, process.env, { name, file });
  const reference = engineReference(project.name, named, state.backend.kind === "workspace");
  const session: Session = { project, stack: { name, file, reference }, state };
  const [command = ""] = wordsOf(args);
  if (existsSync(file) && READS_CONFIG.has(command)) checkStackFile(project, session.stack);
  if (command === "cancel") removeLock(session, reporter());
  const engine = await ensureEngine(reporter());
  if (existsSync(file) && needsSshFiles(command, args)) await ensureSshFiles(session);
  const needsDocker =
    command !== "" && !NEEDS_NO_DOCKER.has(command) && !hasOption(args, "--help", "-h");
  const endpoint = needsDocker ? dockerEndpoint(session) : undefined;
  if (endpoint && existsSync(file) && RUNS_PROGRAM.has(command)) {
    const docker = await findDocker(endpoint);
    // Without Docker, the engine says that it doesn't answer.
    if (docker.found) await noteImagesUsedByTag(session, new Docker(docker));
  }
  const context = { engine, env: engineEnvironment(session, engine, endpoint) };
  // Pulumi refuses to configure a stack that no `up` has created yet, although its file is in the repository.
  if (command === "config" && existsSync(file)) await ensureStack(session, context);
  const { exitCode } = await runOnStack(session, context, args, { events: false });
  return exitCode;
}

/** `pulumi cancel` removes the engine's locks; this removes the lock that ./store takes before. */
function removeLock({ state, stack }: Session, report: Reporter): void {
  const lock = removeAbandonedLock(stackLockFile(state, stack.name));
  if (lock) report.note(`removed the lock of process ${lock.pid} on ${lock.host}`);
}

/** Pulumi's commands that work without Docker, so that they also work with a broken configuration of docker. */
const NEEDS_NO_DOCKER: ReadonlySet<string> = new Set([
  ...["about", "cancel", "config", "help", "login", "logout", "plugin", "stack", "state"],
  ...["version", "whoami"],
]);

/** Pulumi's commands that fail if they can't read the stack's file. */
const READS_CONFIG: ReadonlySet<string> = new Set([
  ...["config", "destroy", "import", "preview", "refresh", "up", "update", "watch"],
]);

/** Pulumi's commands that run the program. */
const RUNS_PROGRAM: ReadonlySet<string> = new Set(["up", "update", "preview", "watch", "import"]);

/** Returns true for operations that connect to the host without running the program, which writes the SSH files. */
function needsSshFiles(command: string, args: readonly string[]): boolean {
  return ["refresh", "destroy"].includes(command) || hasOption(args, "--refresh", "-r");
}

/**
 * The command works in the project's folder, with its state.
 *
 * @throws UsageError if -C or --cwd names another folder.
 */
function refuseOtherFolder(args: readonly string[]): void {
  const folder = folderArgument(args);
  // Pulumi is started in the project's folder.
  if (folder === undefined || resolve(ROOT, folder) === ROOT) return;
  throw new UsageError(
    `./store pulumi works on the project in ${ROOT}, not in ${resolve(ROOT, folder)} (--cwd).`,
    "Leave out --cwd, or run pulumi itself for another project.",
  );
}
