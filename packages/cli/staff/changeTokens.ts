import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { CliError, ExitCode } from "@store/docker/cliError";
import { ensureEngine } from "@store/toolchain/engine/engine";
import { diagnoseRun } from "../diagnostics/diagnose";
import { ensureStack } from "../engine/ensureStack";
import { engineEnvironment } from "../engine/environment/engineEnvironment";
import { fetchCheckpoint } from "../engine/loadCheckpoint";
import { captureOnStack, runOnStack } from "../engine/runOnStack";
import type { EngineRun } from "../engine/runEngine";
import {
  type EngineContext,
  type PulumiContext,
  removeStaleEngineLocks,
  setUpEngine,
} from "../engine/setup";
import type { Session } from "../project/session";
import { storeCommand } from "../project/storeCommand";
import { guardEdit } from "../state/guardEdit";
import { takeLock } from "../state/locks";
import { stackLockFile } from "../state/state";
import type { Reporter } from "../terminal/terminal";

export interface TokenChange {
  readonly command: "add" | "remove";
  readonly name: string;
  /** New entry of `store:staffTokens`; undefined deletes it. */
  readonly value: string | undefined;
  /** Throws a CliError if the tokens don't allow the change. */
  readonly check: () => void;
}

/**
 * Changes a staff token in the stack's file and in the running store. If the store can't be changed, the file stays as it was.
 *
 * @returns false if nothing of the stack is up that needs the tokens: the next `up` applies the change.
 * @throws CliError
 */
export async function changeTokens(
  session: Session,
  change: TokenChange,
  report: Reporter,
): Promise<boolean> {
  const { stack, state } = session;
  const release = takeLock(stackLockFile(state, stack.name), stack.name, `token ${stack.name}`);
  try {
    // With the lock: another command may have changed the file.
    change.check();
    await removeStaleEngineLocks(session, report);
    const engine = await ensureEngine(report);
    const context = { engine, env: engineEnvironment(session, engine) };
    await ensureStack(session, context);
    const writer = await findWriter(session, context);
    if (writer === undefined) {
      await edit(session, context, change);
      return false;
    }
    // Before the edit: it may build images for minutes, and Ctrl-C then ends this process.
    const ready = await setUpEngine(session, report, { baseImages: true });
    await apply(session, ready, writer, change);
    return true;
  } finally {
    release();
  }
}

async function edit(
  session: Session,
  context: PulumiContext,
  { name, value }: TokenChange,
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

/** Returns the URN of the command that writes the services' file; undefined if it isn't up. */
async function findWriter(session: Session, context: PulumiContext): Promise<string | undefined> {
  const checkpoint = await fetchCheckpoint(session, context);
  return checkpoint?.resources.find(({ urn }) => TOKENS_WRITER.test(urn))?.urn;
}

/** Edits the stack's file and has the engine apply the edit. Undoes the edit if that fails. @throws CliError */
async function apply(
  session: Session,
  context: EngineContext,
  writer: string,
  change: TokenChange,
): Promise<void> {
  const { stack } = session;
  const retry = commandOf(session, change.command, change.name);
  const before = readFileSync(stack.file, "utf8");
  await edit(session, context, change);
  const guarded = guardEdit(stack.file, before);
  try {
    const run = await runWriter(session, context, writer);
    if (run.exitCode === 0) {
      guarded.keep();
      return;
    }
    // Before Docker is asked for the cause, during which Ctrl-C ends this process without its "exit" handlers.
    guarded.undo();
    throw await diagnoseRun("up", session, context.docker, run, { retry });
  } catch (error) {
    guarded.undo();
    const isUndone = existsSync(stack.file) && readFileSync(stack.file, "utf8") === before;
    throw error instanceof CliError ? withFileState(error, session, change, isUndone) : error;
  }
}

/** Writes the tokens' file anew and changes nothing else of the stack, so that no other change is deployed unasked. */
function runWriter(session: Session, context: EngineContext, writer: string): Promise<EngineRun> {
  const { stack } = session;
  return runOnStack(
    session,
    context,
    [
      ...["up", "--yes", "--skip-preview", "--target", writer],
      ...["--stack", stack.reference ?? stack.name],
    ],
    { events: true, quiet: true },
  );
}

/** Adds to an error's hint what the stack's file has now, and what to do about it. */
function withFileState(
  error: CliError,
  session: Session,
  { command, name }: TokenChange,
  isUndone: boolean,
): CliError {
  const file = basename(session.stack.file);
  const next = isUndone
    ? `${file} is as before. Run again: ${commandOf(session, command, name)}`
    : `${file} was edited meanwhile and isn't restored. ` +
      (command === "remove"
        ? `Apply it: ${storeCommand("up", session.stack.name)}`
        : `Remove the token, which was not shown: ${commandOf(session, "remove", name)}`);
  // An interrupted run for the tokens alone leaves nothing else to do.
  const isInterrupted = error.exitCode === ExitCode.Interrupted;
  const hint = isInterrupted || error.hint === undefined ? next : `${error.hint}\n${next}`;
  const { summary, details, detailsTitle, exitCode } = error;
  return new CliError(summary, { details, detailsTitle, exitCode, hint, cause: error });
}

function commandOf({ stack }: Session, command: TokenChange["command"], name: string): string {
  return storeCommand(`token ${command} ${name}`, stack.name);
}

/** URN of the command that writes the services' file with the tokens' hashes, as in components/container/secrets.ts. */
const TOKENS_WRITER = /\$?command:(local|remote):Command::staff-tokens$/;
