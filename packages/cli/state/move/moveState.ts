import { readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { CliError } from "@store/docker/cliError";
import { ensureStack } from "../../engine/ensureStack";
import { fetchCheckpoint } from "../../engine/loadCheckpoint";
import type { EngineContext } from "../../engine/setup";
import type { Session } from "../../project/session";
import type { Reporter } from "../../terminal/terminal";
import { type Backend, STATE_BACKEND_KEY } from "../backend";
import { makeRunFolder, readStackCheckpoint } from "../state";
import { addSalt } from "../stackFile";
import { copyHistory } from "./historyFiles";
import { type Move, MoveJournal } from "./moveJournal";
import { ScratchProject, StackAtBackend } from "./stackAtBackend";
import { differences, hashResources, StackContent } from "./stackContent";
import { switchBackend } from "./switchBackend";
import { storeCommand } from "../../project/storeCommand";

export interface MoveRequest {
  readonly session: Session;
  readonly engine: Pick<EngineContext, "engine" | "env">;
  readonly to: Backend;
  /** Value for the key store:stateBackend; undefined removes the key. */
  readonly choice: string | undefined;
  /** Secrets provider of the moved stack, as Pulumi names it. */
  readonly secretsProvider: string;
  readonly report: Reporter;
}

export interface MoveResult {
  /** Name of the old state on the old backend. Undefined if it had been renamed before. */
  readonly backup?: string;
  /** Reason why the history stayed with the backup; undefined if it was copied. */
  readonly historyLeft?: string;
  readonly resources: number;
  readonly history: number;
}

/**
 * Moves a stack's state to another backend: copies it, compares the copy, names the new backend in the stack's file, and renames the
 * old state. Each step leaves the stack usable, so an interrupted move is run again.
 *
 * @throws CliError
 */
export async function moveState(request: MoveRequest): Promise<MoveResult> {
  const { session, engine } = request;
  const journal = new MoveJournal(session.state, session.stack.name);
  await ensureStack(session, engine);
  await refusePending(session, engine);
  return inScratch(session, async (folder) => {
    const places = scratchPlaces(request, folder);
    await removePartialCopy(session.stack.name, places.target(journal.read()?.to), journal);
    const original = await contentOf(places.source);
    const target = places.target();
    if (await target.exists()) throw existsAlready(request, target.url);
    const move: Move = {
      ...{ from: places.source.url, to: target.url },
      ...{ step: "copying", hash: hashResources(original) },
    };
    journal.write(move);
    request.report.step(`Copying ${original.resources.size} resources to ${target.url}`);
    await target.copyFrom(places.source, request.secretsProvider);
    const historyLeft = await moveHistory(session, move, join(folder, "history"));
    const withHistory = historyLeft === undefined;
    compare(original, await contentOf(target), { withHistory });
    switchBackend(request, places.before, places.project.stackText());
    journal.write({ ...move, step: "switched" });
    const backup = await renameOld(session, places.source, journal);
    const { resources, history } = original;
    return { backup, historyLeft, resources: resources.size, history };
  });
}

/**
 * Renames the old state if a move was interrupted before it did.
 *
 * @returns its new name, or undefined if there was nothing to do.
 */
export async function finishMove({ session, engine }: MoveRequest): Promise<string | undefined> {
  const journal = new MoveJournal(session.state, session.stack.name);
  const move = journal.read();
  if (move?.to !== session.state.backend.url || move.step === "done") return undefined;
  return inScratch(session, async (folder) => {
    const { name } = session.stack;
    const text = readFileSync(session.stack.file, "utf8");
    const project = new ScratchProject(folder, session.project.name, name, text);
    const { pulumi } = engine.engine;
    const old = new StackAtBackend({
      pulumi,
      env: engine.env,
      project,
      url: move.from,
      stack: name,
    });
    await old.unlock();
    if (await old.exists()) return renameOld(session, old, journal);
    journal.write({ ...move, step: "done" });
    return undefined;
  });
}

interface Places {
  readonly source: StackAtBackend;
  /** The stack on the new backend, or at the URL of an earlier attempt. */
  readonly target: (url?: string) => StackAtBackend;
  /** The stack's file before the copy, with the old backend's salt. */
  readonly before: string;
  readonly project: ScratchProject;
}

function scratchPlaces({ session, engine, to }: MoveRequest, folder: string): Places {
  const { state, stack, project } = session;
  const salt = readStackCheckpoint(state, stack.name)?.salt;
  const before = readFileSync(stack.file, "utf8");
  const scratch = new ScratchProject(
    join(folder, "project"),
    ...([project.name, stack.name, addSalt(before, salt)] as const),
  );
  const { env } = engine;
  const common = { pulumi: engine.engine.pulumi, env, project: scratch };
  const reference = stack.reference ?? stack.name;
  return {
    source: new StackAtBackend({ ...common, url: state.backend.url, stack: reference }),
    target: (url = to.url) => new StackAtBackend({ ...common, url, stack: stack.name }),
    before,
    project: scratch,
  };
}

async function inScratch<T>(session: Session, action: (folder: string) => Promise<T>): Promise<T> {
  const folder = makeRunFolder(session.state);
  try {
    return await action(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `pulumi stack migrate` drops operations of an interrupted run, whose resources would be forgotten. */
async function refusePending(session: Session, engine: MoveRequest["engine"]): Promise<void> {
  const { name } = session.stack;
  const pending = (await fetchCheckpoint(session, engine))?.pending.length ?? 0;
  if (pending === 0) return;
  throw new CliError(
    `The last run on the stack ${name} was interrupted, and ${pending} of its operations are unfinished. Nothing was moved.`,
    { hint: `Finish it first: ${storeCommand("up", name)}` },
  );
}

/** Removes what an interrupted move has copied, unless somebody has changed it since. */
async function removePartialCopy(
  name: string,
  copy: StackAtBackend,
  journal: MoveJournal,
): Promise<void> {
  const move = journal.read();
  if (move?.step !== "copying") return;
  await copy.unlock();
  if (!(await copy.exists())) return;
  const { resources } = await contentOf(copy);
  if (resources.size > 0 && hashResources({ resources }) !== move.hash) {
    throw new CliError(
      `The stack at ${copy.url} isn't what an interrupted move has copied there: somebody has changed it. Nothing was moved.`,
      {
        hint: `If it isn't needed: PULUMI_BACKEND_URL='${copy.url}' ${storeCommand("pulumi stack rm --force --preserve-config", name)}`,
      },
    );
  }
  await copy.forget();
}

async function contentOf(stack: StackAtBackend): Promise<StackContent> {
  const content = await stack.content();
  if (content !== undefined) return content;
  throw new CliError(`The stack has disappeared from ${stack.url}. Nothing was moved.`, {
    hint: "Somebody has removed or renamed it during the move. Find it: ./store pulumi stack ls",
  });
}

function existsAlready({ session }: MoveRequest, url: string): CliError {
  const { name } = session.stack;
  const key = `${session.project.name}:${STATE_BACKEND_KEY}`;
  return new CliError(`${url} already has a stack ${name}. Nothing was moved.`, {
    hint:
      `If somebody has moved the stack there, pull their change of ${basename(session.stack.file)}, which sets ${key}.\n` +
      `If it is another stack that isn't needed: PULUMI_BACKEND_URL='${url}' ${storeCommand("pulumi stack rm --force --preserve-config", name)}`,
  });
}

function moveHistory(session: Session, { from, to }: Move, scratch: string) {
  const { project, stack } = session;
  return copyHistory(from, to, `${project.name}/${stack.name}`, scratch);
}

function compare(
  original: StackContent,
  copy: StackContent,
  options: { readonly withHistory: boolean },
): void {
  const details = differences(original, copy, options);
  if (details.length === 0) return;
  throw new CliError(
    "The copied state differs from the original. The stack still uses the original.",
    {
      details,
      hint: "Another run may have changed the stack meanwhile. Wait until none works on it, then run the command again.",
    },
  );
}

async function renameOld(
  session: Session,
  old: StackAtBackend,
  journal: MoveJournal,
): Promise<string> {
  const now = new Date().toISOString().replace(/\D/g, "").slice(0, 14);
  const backup = `${session.stack.name}-moved-${now}`;
  await old.rename(backup);
  const move = journal.read();
  if (move) journal.write({ ...move, step: "done" });
  return backup;
}
