import { readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { CliError } from "@store/docker/cliError";
import { ensureStack } from "../../engine/ensureStack";
import { fetchCheckpoint } from "../../engine/loadCheckpoint";
import type { EngineContext } from "../../engine/setup";
import type { Session } from "../../project/session";
import type { Reporter } from "../../terminal/terminal";
import { type Backend, findBackend, isSameBackend, STATE_BACKEND_KEY } from "../backend";
import { isHeld, lockedError } from "../locks";
import { findEngineLocks, makeRunFolder, readStackCheckpoint } from "../state";
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
 * old state. Each step leaves the stack usable, so an interrupted move is run again. An earlier move to the backend that the stack uses
 * now is finished first.
 *
 * @throws CliError
 */
export async function moveState(request: MoveRequest): Promise<MoveResult> {
  const { session, engine, report } = request;
  const journal = new MoveJournal(session.state, session.stack.name);
  refuseReverted(session, journal.read());
  // Before the stack is created if it is missing, which the copy of an interrupted move may be.
  const earlier = await finishMove(request);
  if (earlier !== undefined)
    report.note(`finished the move to ${session.state.backend.url}: the old state is ${earlier}`);
  await ensureStack(session, engine);
  await refusePending(session, engine);
  refuseRunning(session);
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
    report.step(`Copying ${original.resources.size} resources to ${target.url}`);
    await target.copyFrom(places.source, request.secretsProvider);
    const historyLeft = await moveHistory(session, move, join(folder, "history"));
    const withHistory = historyLeft === undefined;
    compare(original, await contentOf(target), { withHistory });
    // A run of another checkout that began during the copy.
    refuseRunning(session);
    switchBackend(request, places.before, places.project.stackText());
    journal.write({ ...move, step: "switched" });
    const backup = await renameOld(session, places.source, journal);
    const { resources, history } = original;
    return { backup, historyLeft, resources: resources.size, history };
  });
}

/**
 * Renames the old state if a move to the backend that the stack uses was interrupted before it did.
 *
 * @returns its new name, or undefined if there was nothing to do.
 * @throws CliError if the stack's file was edited to name a backend to which nothing had been copied yet
 */
export async function finishMove({ session, engine }: MoveRequest): Promise<string | undefined> {
  const journal = new MoveJournal(session.state, session.stack.name);
  const move = journal.read();
  if (move === undefined || move.step === "done") return undefined;
  if (!isSameBackend(move.to, session.state.backend.url)) return undefined;
  return inScratch(session, async (folder) => {
    const { name } = session.stack;
    const text = readFileSync(session.stack.file, "utf8");
    const project = new ScratchProject(folder, session.project.name, name, text);
    const { pulumi } = engine.engine;
    const common = { pulumi, env: engine.env, project, stack: name };
    const old = new StackAtBackend({ ...common, url: move.from });
    await old.unlock();
    const left = await old.countResources();
    if (move.step === "copying" && left !== undefined && left > 0) {
      const copied = await new StackAtBackend({ ...common, url: move.to }).countResources();
      if (copied === undefined || copied === 0) throw nothingCopied(session, move);
    }
    if (left !== undefined) return renameOld(session, old, journal);
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

/**
 * Refuses to move the state while an engine changes it, which would go on with the old one. Another checkout's run is visible by the
 * engine's lock only.
 *
 * @throws CliError
 */
function refuseRunning({ state, stack }: Session): void {
  const lock = findEngineLocks(state, stack.name).find(isHeld);
  if (lock !== undefined) throw lockedError(stack.name, lock);
}

/**
 * Refuses to move the old state of a move that got as far as to name the new backend: two states would be in use.
 *
 * @throws CliError
 */
function refuseReverted({ state, stack }: Session, move: Move | undefined): void {
  if (move?.step !== "switched" || !isSameBackend(move.from, state.backend.url)) return;
  const file = basename(stack.file);
  throw new CliError(
    `The state of the stack ${stack.name} was moved to ${move.to}, but ${file} names the old backend again. Nothing was moved.`,
    {
      hint:
        `Restore the ${file} that names ${move.to}, then run the command again.\n` +
        `To use the old state instead, delete .store/moves/${stack.name}.json.`,
    },
  );
}

function nothingCopied({ state, stack, project }: Session, { from, to }: Move): CliError {
  const key = `${project.name}:${STATE_BACKEND_KEY}`;
  // The backend that is used if the stack's file names none.
  const isDefault = isSameBackend(from, findBackend(project, state.folder).url);
  const restore = isDefault ? `config rm ${key}` : `config set ${key} '${from}'`;
  return new CliError(
    `${basename(stack.file)} names ${to}, but a move was interrupted before it had copied the resources of ${stack.name} from ${from}. Nothing was moved.`,
    {
      hint:
        `Name the old backend, then run the command again: ${storeCommand(`pulumi ${restore}`, stack.name)}\n` +
        `If the state at ${to} is the right one, delete .store/moves/${stack.name}.json.`,
    },
  );
}

/** Removes what an interrupted move has copied, unless somebody has changed it since. The stack must not use it (see finishMove). */
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
        hint:
          `If it is the stack's state now, name it: ${storeCommand(`pulumi config set ${STATE_BACKEND_KEY} '${copy.url}'`, name)}\n` +
          `If it isn't needed: PULUMI_BACKEND_URL='${copy.url}' ${storeCommand("pulumi stack rm --force --preserve-config", name)}`,
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
