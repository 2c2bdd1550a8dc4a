import { rmSync } from "node:fs";
import { join } from "node:path";
import { captureEngine, EngineOutput, EngineRun, runEngine } from "./runEngine";
import { editsConfig } from "./pulumiArguments";
import { Session } from "../project/session";
import { createTempStackConfig, makeRunFolder } from "../state/state";
import { temporaryFolder } from "./environment/temporaryFolder";
import type { PulumiContext } from "./setup";

/**
 * Runs a Pulumi command on the stack with its output on this terminal.
 *
 * @param options.events Records the engine's events.
 * @param options.quiet Prints the output on stderr. Defaults to false.
 */
export async function runOnStack(
  session: Session,
  context: PulumiContext,
  args: readonly string[],
  options: { readonly events: boolean; readonly quiet?: boolean },
): Promise<EngineRun> {
  return withTempStackConfig(session, args, (folder, stackConfigEnv) =>
    runEngine({
      pulumi: context.engine.pulumi,
      args,
      cwd: session.project.root,
      env: { ...context.env, ...stackConfigEnv },
      eventLog: options.events ? join(folder, "events.json") : undefined,
      quiet: options.quiet,
    }),
  );
}

/** Runs a Pulumi command on the stack and returns its output. */
export async function captureOnStack(
  session: Session,
  context: PulumiContext,
  args: readonly string[],
): Promise<EngineOutput> {
  return withTempStackConfig(session, args, (_folder, stackConfigEnv) =>
    captureEngine({
      pulumi: context.engine.pulumi,
      args,
      cwd: session.project.root,
      env: { ...context.env, ...stackConfigEnv },
    }),
  );
}

/** Runs an action with a temporary copy of the stack's configuration file, and copies the engine's changes back afterwards. */
async function withTempStackConfig<T>(
  session: Session,
  args: readonly string[],
  action: (folder: string, env: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> {
  const folder = makeRunFolder(session.state);
  const stackConfig = createTempStackConfig(session.state, session.stack, folder, {
    edits: editsConfig(args),
  });
  try {
    return await action(folder, { ...stackConfig.env, TMPDIR: temporaryFolder(folder) });
  } finally {
    stackConfig.restore();
    rmSync(folder, { recursive: true, force: true });
  }
}
