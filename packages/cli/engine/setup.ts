import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { ensureBaseImages } from "@store/toolchain/images/baseImages";
import { ensureDocker } from "@store/toolchain/tools/docker";
import { ensureEngine, Engine } from "@store/toolchain/engine/engine";
import { Checkpoint, parseExport } from "../state/checkpoint";
import { Docker } from "../docker/docker";
import { captureEngine, EngineOutput, EngineRun, runEngine } from "./runEngine";
import { CliError } from "@store/docker/cliError";
import { endOrphanedPlugins } from "./orphanedPlugins";
import { isHeld, lockedError, removeEngineLock } from "../state/locks";
import { baseImageNames } from "../project/project";
import { configuredDocker, connectLocalDocker, isLocal, Session } from "../project/session";
import {
  readStackCheckpoint,
  findEngineLocks,
  createTempStackConfig,
  makeRunFolder,
  prepareState,
} from "../state/state";
import { temporaryFolder } from "./temporaryFolder";
import { Reporter, reporter } from "../terminal/terminal";

/** What a verb needs to change a stack, in place. */
export interface EngineContext {
  readonly engine: Engine;
  /** Environment of the engine for every stack; which configuration file it takes is said for each run. */
  readonly env: NodeJS.ProcessEnv;
  /** The daemon of this machine; none for a stack whose host is another machine. */
  readonly docker: Docker | undefined;
}

/** Installs, builds or starts what is missing; that takes a moment only when there is something. */
export async function setUpEngine(
  session: Session,
  report: Reporter,
  options: { readonly baseImages: boolean },
): Promise<EngineContext> {
  // Images for another host are built here, too.
  const here = await setUpDocker(session, report, options);
  const docker = isLocal(session) ? here : undefined;
  const engine = await ensureEngine(report);
  return { engine, env: engineEnvironment(session, engine), docker };
}

/** Docker and the engine, for a verb that needs both to be there but builds nothing. */
export async function connectEngine(session: Session, report: Reporter): Promise<EngineContext> {
  // Docker isn't installed only to take something down.
  const docker = isLocal(session) ? await connectLocalDocker(session) : undefined;
  await docker?.ping();
  const engine = await ensureEngine(report);
  return { engine, env: engineEnvironment(session, engine), docker };
}

/** The engine's record of the stack, asked of the backend where it isn't a file of ours. */
export async function fetchCheckpoint(
  session: Session,
  ready: Pick<EngineContext, "engine" | "env">,
): Promise<Checkpoint | undefined> {
  const { state, stack, project } = session;
  if (state.backend.kind === "checkout") return readStackCheckpoint(state, stack.name);
  const { exitCode, stdout, stderr } = await captureEngine({
    pulumi: ready.engine.pulumi,
    args: ["stack", "export", "--stack", stack.name, "--non-interactive"],
    cwd: project.root,
    env: ready.env,
  });
  if (exitCode === 0) return parseExport(stdout);
  if (/no stack named/.test(stderr)) return undefined;
  throw new CliError(
    `The record of the stack ${stack.name} can't be read from ${state.backend.url}.`,
    {
      details: stderr.trim().split("\n"),
    },
  );
}

/** Since when there has been something of the stack, by the engine's record; undefined where there is nothing. */
export async function oldestResourceDate(session: Session): Promise<Date | undefined> {
  const { state } = session;
  const engine = state.backend.kind === "checkout" ? undefined : await ensureEngine(reporter());
  const record = engine
    ? await fetchCheckpoint(session, { engine, env: engineEnvironment(session, engine) })
    : readStackCheckpoint(state, session.stack.name);
  const made = (record?.resources ?? [])
    .filter(({ id, protect, created }) => id !== undefined && !protect && created !== undefined)
    .map(({ created }) => new Date(created ?? NaN));
  return made.length === 0 ? undefined : new Date(Math.min(...made.map(Number)));
}

/** Removes the locks of engines that have died; one that lives ends the verb. */
export async function removeStaleEngineLocks(session: Session, report: Reporter): Promise<void> {
  const locks = findEngineLocks(session.state, session.stack.name);
  for (const lock of locks) {
    if (isHeld(lock)) throw lockedError(session.stack.name, lock);
    removeEngineLock(lock);
    report.note(
      `the run of process ${lock.pid} of ${lock.since.toLocaleString("en-GB")} was killed; its lock is removed`,
    );
  }
  if (locks.length > 0) await endOrphanedPlugins();
}

/** Makes the stack known to its backend, if it isn't yet. */
export async function ensureStack(session: Session, ready: EngineContext): Promise<void> {
  const { project, stack, state } = session;
  if (state.backend.kind === "own") return ensureStackOnOwnBackend(session, ready);
  if (readStackCheckpoint(state, stack.name) !== undefined) return;

  // The engine writes the salt into the stack's file when it makes a stack, and only here can't be told another one.
  const folder = mkdtempSync(join(makeRunFolder(state), "project-"));
  try {
    writeFileSync(
      join(folder, "Pulumi.yaml"),
      stringify({ name: project.name, runtime: "nodejs" }),
    );
    await initStack(ready, stack.name, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a subcommand of the engine on the stack, on our terminal. */
export async function runOnStack(
  session: Session,
  ready: Pick<EngineContext, "engine" | "env">,
  args: readonly string[],
  options: { readonly events: boolean },
): Promise<EngineRun> {
  return withTempStackConfig(session, (folder, lentEnv) =>
    runEngine({
      pulumi: ready.engine.pulumi,
      args,
      cwd: session.project.root,
      env: { ...ready.env, ...lentEnv },
      eventLog: options.events ? join(folder, "events.json") : undefined,
    }),
  );
}

/** Runs a subcommand of the engine on the stack, quietly, for what it prints. */
export async function captureOnStack(
  session: Session,
  ready: Pick<EngineContext, "engine" | "env">,
  args: readonly string[],
): Promise<EngineOutput> {
  return withTempStackConfig(session, (_folder, lentEnv) =>
    captureEngine({
      pulumi: ready.engine.pulumi,
      args,
      cwd: session.project.root,
      env: { ...ready.env, ...lentEnv },
    }),
  );
}

/** Lends the engine a copy of the stack's file for one run, in a folder for the run's own files. */
async function withTempStackConfig<T>(
  session: Session,
  work: (folder: string, lentEnv: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> {
  const folder = makeRunFolder(session.state);
  const lent = createTempStackConfig(session.state, session.stack, folder);
  try {
    return await work(folder, { ...lent.env, TMPDIR: temporaryFolder(folder) });
  } finally {
    lent.restore();
    rmSync(folder, { recursive: true, force: true });
  }
}

export function engineEnvironment(session: Session, engine: Engine): NodeJS.ProcessEnv {
  return {
    // The engine and its plugins are Go programs, whose runtime collects garbage whenever their few megabytes have doubled.
    // Whoever has set it knows better. https://go.dev/doc/gc-guide#GOGC
    GOGC: "400",
    ...process.env,
    ...engine.env,
    ...prepareState(session.state),
    PULUMI_STACK: session.stack.name,
    // It is pinned; a newer one is none of the person's business here.
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
}

async function setUpDocker(
  session: Session,
  report: Reporter,
  options: { readonly baseImages: boolean },
): Promise<Docker> {
  const configured = configuredDocker(session);
  const docker = configured ?? new Docker((await ensureDocker(report)).host);
  await configured?.ping();
  const names = baseImageNames(session.project, session.stack);
  // A value that isn't text is the program's to complain about.
  if (options.baseImages && Object.values(names).every((name) => name !== "")) {
    await ensureBaseImages(names, docker, report);
  }
  return docker;
}

/** Asks once: whether a backend far away has a stack is not worth a question before every `up`. */
async function ensureStackOnOwnBackend(session: Session, ready: EngineContext): Promise<void> {
  const { state, stack, project } = session;
  const key = createHash("sha256").update(`${state.backend.url}\n${stack.name}`).digest("hex");
  const known = join(state.folder, "known-stacks", key.slice(0, 16));
  if (existsSync(known)) return;
  await initStack(ready, stack.name, project.root);
  mkdirSync(join(state.folder, "known-stacks"), { recursive: true });
  writeFileSync(known, `${stack.name} on ${state.backend.url}\n`);
}

async function initStack(ready: EngineContext, name: string, cwd: string): Promise<void> {
  const { exitCode, stdout, stderr } = await captureEngine({
    pulumi: ready.engine.pulumi,
    args: ["stack", "init", name, "--no-select", "--non-interactive", "--color", "never"],
    cwd,
    env: ready.env,
  });
  if (exitCode === 0 || /already exists/.test(stderr + stdout)) return;
  throw new CliError(`The stack ${name} can't be made.`, {
    details: (stderr || stdout).trim().split("\n"),
    detailsTitle: "pulumi stack init",
    hint: "./store doctor says which backend is in use.",
  });
}
