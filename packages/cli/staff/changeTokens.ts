import { readFileSync, writeFileSync } from "node:fs";
import { CliError } from "@store/docker/cliError";
import { ensureEngine } from "@store/toolchain/engine/engine";
import { diagnoseRun } from "../diagnostics/diagnose";
import { ensureStack } from "../engine/ensureStack";
import { engineEnvironment } from "../engine/environment/engineEnvironment";
import { fetchCheckpoint } from "../engine/loadCheckpoint";
import { captureOnStack, runOnStack } from "../engine/runOnStack";
import { type PulumiContext, removeStaleEngineLocks, setUpEngine } from "../engine/setup";
import type { Session } from "../project/session";
import { takeLock } from "../state/locks";
import { stackLockFile } from "../state/state";
import type { Reporter } from "../terminal/terminal";

export interface TokenChange {
  readonly name: string;
  /** New entry of `store:staffTokens`; undefined deletes it. */
  readonly value: string | undefined;
  /** Throws a CliError if the tokens don't allow the change. */
  readonly check: () => void;
}

/**
 * Changes a staff token in the stack's file and in the running store. If the store can't be reached, the file stays as it was.
 *
 * @returns false if nothing of the stack is up that needs the tokens: the next `up` applies the change.
 * @throws CliError
 */
export async function changeTokens(
  session: Session,
  { name, value, check }: TokenChange,
  report: Reporter,
): Promise<boolean> {
  const { stack, state } = session;
  const release = takeLock(stackLockFile(state, stack.name), stack.name, `token ${stack.name}`);
  try {
    // With the lock: another command may have changed the file.
    check();
    await removeStaleEngineLocks(session, report);
    const engine = await ensureEngine(report);
    const context = { engine, env: engineEnvironment(session, engine) };
    await ensureStack(session, context);
    const before = readFileSync(stack.file, "utf8");
    await edit(session, context, name, value);
    try {
      return await apply(session, context, report);
    } catch (error) {
      writeFileSync(stack.file, before);
      throw error;
    }
  } finally {
    release();
  }
}

async function edit(
  session: Session,
  context: PulumiContext,
  name: string,
  value: string | undefined,
): Promise<void> {
  const { project, stack } = session;
  const path = `${project.name}:staffTokens.${name}`;
  const { exitCode, stderr } = await captureOnStack(session, context, [
    ...["config", value === undefined ? "rm" : "set", "--path", path],
    // The engine would refuse a hash as a possible secret.
    ...(value === undefined ? [] : ["--plaintext", value]),
    ...["--stack", stack.reference ?? stack.name, "--non-interactive", "--color", "never"],
  ]);
  if (exitCode === 0) return;
  throw new CliError(`Can't change ${stack.file}.`, {
    details: stderr.trim().split("\n"),
    detailsTitle: "pulumi config",
  });
}

/** Writes the tokens' file anew and changes nothing else of the stack, so that no other change is deployed unasked. */
async function apply(session: Session, context: PulumiContext, report: Reporter): Promise<boolean> {
  const checkpoint = await fetchCheckpoint(session, context);
  const writer = checkpoint?.resources.find(({ urn }) => TOKENS_WRITER.test(urn));
  if (writer === undefined) return false;
  const engine = await setUpEngine(session, report, { baseImages: true });
  const run = await runOnStack(
    session,
    engine,
    [
      ...["up", "--yes", "--skip-preview", "--target", writer.urn],
      ...["--stack", session.stack.reference ?? session.stack.name],
    ],
    { events: true, quiet: true },
  );
  if (run.exitCode === 0) return true;
  throw await diagnoseRun("up", session, engine.docker, run);
}

/** URN of the command that writes the services' file with the tokens' hashes, as in components/container/secrets.ts. */
const TOKENS_WRITER = /\$?command:(local|remote):Command::staff-tokens$/;
