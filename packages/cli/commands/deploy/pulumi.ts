import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensureEngine } from "@store/toolchain/engine/engine";
import { DEFAULT_STACK, readProject } from "../../project/project";
import { ensureSshFiles } from "../../host/remoteHost";
import { Session } from "../../project/session";
import { engineEnvironment, runOnStack } from "../../engine/setup";
import { findState } from "../../state/state";
import { reporter } from "../../terminal/terminal";

/** Runs the engine with everything that it needs to know. What it prints, asks and returns is its own. */
export async function pulumi(args: readonly string[]): Promise<number> {
  const project = readProject();
  const name = stackArgument(args) ?? process.env["PULUMI_STACK"] ?? DEFAULT_STACK;
  // The stack need not have a file: it may be about to be made, and many subcommands are about none.
  const file = process.env["STORE_CONFIG_FILE"] ?? join(project.root, `Pulumi.${name}.yaml`);
  const session: Session = { project, stack: { name, file }, state: findState(project) };
  const engine = await ensureEngine(reporter());
  if (existsSync(file) && comesWithoutProgram(args)) await ensureSshFiles(session);
  const run = await runOnStack(session, { engine, env: engineEnvironment(session, engine) }, args, {
    events: false,
  });
  return run.exitCode;
}

function comesWithoutProgram(args: readonly string[]): boolean {
  return ["refresh", "destroy"].includes(args[0] ?? "") || args.includes("--refresh");
}

/** The value of -s or --stack, in each form that the engine takes. */
export function stackArgument(args: readonly string[]): string | undefined {
  for (const [i, arg] of args.entries()) {
    if (arg === "--") return undefined;
    if (arg === "-s" || arg === "--stack") return args[i + 1];
    const value = /^(?:--stack=|-s=?)(.+)$/.exec(arg)?.[1];
    if (value !== undefined) return value;
  }
  return undefined;
}
