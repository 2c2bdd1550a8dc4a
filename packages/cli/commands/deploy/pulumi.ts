import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensureEngine } from "@store/toolchain/engine/engine";
import { engineEnvironment, ensureStack, runOnStack } from "../../engine/setup";
import { ensureSshFiles } from "../../host/remoteHost";
import {
  DEFAULT_STACK,
  engineReference,
  parseStackReference,
  readProject,
} from "../../project/project";
import { dockerEndpoint, type Session } from "../../project/session";
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
  parse: ({ args }) => ({
    stack: stackArgument(args) ?? process.env["PULUMI_STACK"] ?? DEFAULT_STACK,
    args,
  }),
  run,
});

/** Runs Pulumi on this terminal and returns its exit code. */
async function run({ stack: named, args }: PulumiOptions): Promise<number> {
  const project = readProject();
  const state = findState(project);
  const { name } = parseStackReference(project.name, named);
  const reference = engineReference(project.name, named, state.backend.kind === "workspace");
  // The stack's file may be missing: Pulumi may be about to create it, and many subcommands need no stack.
  const file = process.env["STORE_CONFIG_FILE"] ?? join(project.root, `Pulumi.${name}.yaml`);
  const session: Session = { project, stack: { name, file, reference }, state };
  if (args[0] === "cancel") removeLock(session, reporter());
  const engine = await ensureEngine(reporter());
  if (existsSync(file) && needsSshFiles(args)) await ensureSshFiles(session);
  const endpoint = NEEDS_NO_DOCKER.has(args[0] ?? "") ? undefined : dockerEndpoint(session);
  const context = { engine, env: engineEnvironment(session, engine, endpoint) };
  // Pulumi refuses to configure a stack that no `up` has created yet, although its file is in the repository.
  if (args[0] === "config" && existsSync(file)) await ensureStack(session, context);
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
  ...[
    "about",
    "cancel",
    "config",
    "help",
    "login",
    "logout",
    "plugin",
    "stack",
    "state",
    "version",
  ],
  ...["whoami", "--help", "--version"],
]);

/** Returns true for operations that connect to the host without running the program, which writes the SSH files. */
function needsSshFiles(args: readonly string[]): boolean {
  return ["refresh", "destroy"].includes(args[0] ?? "") || args.includes("--refresh");
}

/** Returns the value of -s or --stack, in each spelling that Pulumi accepts. */
export function stackArgument(args: readonly string[]): string | undefined {
  for (const [i, arg] of args.entries()) {
    if (arg === "--") return undefined;
    if (arg === "-s" || arg === "--stack") return args[i + 1];
    const value = /^(?:--stack=|-s=?)(.+)$/.exec(arg)?.[1];
    if (value !== undefined) return value;
  }
  return undefined;
}
