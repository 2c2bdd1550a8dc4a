import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { stringify } from "yaml";
import { ensureBaseImages } from "@store/toolchain/images/baseImages";
import { ensureDocker, missingDockerCommand } from "@store/toolchain/tools/docker";
import { ensureEngine } from "@store/toolchain/engine/engine";
import { Engine } from "@store/toolchain/engine/engineEnv";
import { Checkpoint, parseExport } from "../state/checkpoint";
import { Docker } from "@store/docker/docker";
import { checkStackDaemon } from "../docker/stackDaemonCheck";
import { captureEngine, EngineOutput, EngineRun, runEngine } from "./runEngine";
import { CliError } from "@store/docker/cliError";
import type { DockerEndpoint } from "@store/docker/endpoint";
import { dockerEnvironment } from "@store/docker/environment";
import { dockerConfigFolder, tlsVariables } from "./dockerConfig";
import { endOrphanedPlugins } from "./orphanedPlugins";
import { editsConfig } from "./pulumiArguments";
import { isHeld, lockedError, removeEngineLock } from "../state/locks";
import { baseImageNames } from "../project/project";
import { storeCommand } from "../project/storeCommand";
import { connectLocalDocker, dockerEndpoint, isLocal, Session } from "../project/session";
import { checkStackFile } from "../project/stackFileCheck";
import {
  readStackCheckpoint,
  findEngineLocks,
  createTempStackConfig,
  makeRunFolder,
  passphraseHint,
  prepareState,
} from "../state/state";
import { MoveJournal } from "../state/move/moveJournal";
import { secretsProviderIn } from "../state/stackFile";
import { temporaryFolder } from "./temporaryFolder";
import { Reporter, reporter } from "../terminal/terminal";

/** The engine and Docker, ready to change a stack. */
export interface EngineContext {
  readonly engine: Engine;
  /** Environment of the engine, without the configuration file, which each run sets. */
  readonly env: NodeJS.ProcessEnv;
  /** Docker on this machine; undefined for a stack with another host. */
  readonly docker: Docker | undefined;
}

/** Context of a command that needs no Docker. */
type PulumiContext = Pick<EngineContext, "engine" | "env">;

/**
 * Installs, builds or starts whatever is missing of Docker, the engine and the base images.
 *
 * @param options.baseImages Also provides the base images.
 */
export async function setUpEngine(
  session: Session,
  report: Reporter,
  options: { readonly baseImages: boolean },
): Promise<EngineContext> {
  checkStackFile(session.project, session.stack);
  // Images for another host are built with this machine's Docker, too.
  const localDocker = await setUpDocker(session, report, options);
  const docker = isLocal(session) ? localDocker : undefined;
  const engine = await ensureEngine(report);
  return { engine, env: engineEnvironment(session, engine, localDocker.endpoint), docker };
}

/** Connects to Docker and provides the engine, for commands that build no images. Docker is not installed. */
export async function connectEngine(session: Session, report: Reporter): Promise<EngineContext> {
  checkStackFile(session.project, session.stack);
  const docker = isLocal(session) ? await connectLocalDocker(session) : undefined;
  const engine = await ensureEngine(report);
  const endpoint = docker?.endpoint ?? dockerEndpoint(session);
  return { engine, env: engineEnvironment(session, engine, endpoint), docker };
}

/**
 * Reads the stack's state, from a local file or from the backend. Returns undefined if there is no such stack.
 *
 * @throws CliError
 */
export async function fetchCheckpoint(
  session: Session,
  context: PulumiContext,
): Promise<Checkpoint | undefined> {
  const { state, stack, project } = session;
  if (state.backend.kind === "workspace") return readStackCheckpoint(state, stack.name);
  const { exitCode, stdout, stderr } = await captureEngine({
    pulumi: context.engine.pulumi,
    args: ["stack", "export", "--stack", stack.reference ?? stack.name, "--non-interactive"],
    cwd: project.root,
    env: context.env,
  });
  if (exitCode === 0) return parseExport(stdout);
  if (/no stack named/.test(stderr)) return undefined;
  throw new CliError(`Can't read the state of the stack ${stack.name} from ${state.backend.url}.`, {
    details: stderr.trim().split("\n"),
    detailsTitle: "pulumi stack export",
    hint: `Check the login: ${storeCommand("pulumi whoami --verbose", stack.name)}`,
  });
}

/**
 * Reads the stack's state like {@link fetchCheckpoint}, for commands that run no engine. Provides the engine only for a backend of
 * the user's.
 */
export async function loadCheckpoint(session: Session): Promise<Checkpoint | undefined> {
  const { state, stack } = session;
  if (state.backend.kind === "workspace") return readStackCheckpoint(state, stack.name);
  const engine = await ensureEngine(reporter());
  return fetchCheckpoint(session, { engine, env: engineEnvironment(session, engine) });
}

/** Returns the creation date of the stack's oldest unprotected resource; undefined if it has none. */
export async function oldestResourceDate(session: Session): Promise<Date | undefined> {
  const checkpoint = await loadCheckpoint(session);
  const dates = (checkpoint?.resources ?? [])
    .filter(({ id, protect, created }) => id !== undefined && !protect && created !== undefined)
    .map(({ created }) => new Date(created ?? NaN));
  return dates.length === 0 ? undefined : new Date(Math.min(...dates.map(Number)));
}

/**
 * Removes the locks of engines that were killed, and ends their plugins.
 *
 * @throws CliError if the engine that holds a lock still runs.
 */
export async function removeStaleEngineLocks(session: Session, report: Reporter): Promise<void> {
  const locks = findEngineLocks(session.state, session.stack.name);
  for (const lock of locks) {
    if (isHeld(lock)) throw lockedError(session.stack.name, lock);
    removeEngineLock(lock);
    report.note(
      `removed the lock of process ${lock.pid} (${lock.since.toLocaleString("en-GB")}), which was killed`,
    );
  }
  if (locks.length > 0) await endOrphanedPlugins();
}

/** Creates the stack in its backend if it doesn't exist. */
export async function ensureStack(session: Session, context: PulumiContext): Promise<void> {
  const { project, stack, state } = session;
  if (state.backend.kind === "user") return ensureStackOnUserBackend(session, context);
  if (readStackCheckpoint(state, stack.name) !== undefined) return;
  refuseMoved(session);

  // `stack init` writes the salt into the stack's configuration file and has no option for another file, so it runs in a copy
  // of the project.
  const folder = mkdtempSync(join(makeRunFolder(state), "project-"));
  try {
    writeFileSync(
      join(folder, "Pulumi.yaml"),
      stringify({ name: project.name, runtime: "nodejs" }),
    );
    await initStack(session, context, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

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

/**
 * Environment of the engine.
 *
 * @param endpoint Docker daemon that builds the images. @default none, for Pulumi's commands that don't run the program
 */
export function engineEnvironment(
  session: Session,
  engine: Engine,
  endpoint?: Pick<DockerEndpoint, "host" | "certPath">,
): NodeJS.ProcessEnv {
  return {
    // Less garbage collection in the engine and its plugins, which are Go programs with small heaps. The user's own value has
    // precedence. https://go.dev/doc/gc-guide#GOGC
    GOGC: "400",
    ...dockerEnvironment(endpoint),
    ...engine.env,
    ...prepareState(session.state),
    ...dockerConfigVariables(session, endpoint),
    PULUMI_STACK: session.stack.reference ?? session.stack.name,
    // The engine's version is pinned.
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
}

function dockerConfigVariables(
  { state }: Session,
  endpoint: Pick<DockerEndpoint, "host" | "certPath"> | undefined,
): NodeJS.ProcessEnv {
  const config = dockerConfigFolder(state.folder);
  if (endpoint?.certPath === undefined) return { DOCKER_CONFIG: config };
  const { host, certPath } = endpoint;
  return { ...tlsVariables(state.folder, { host, certPath }, config), DOCKER_HOST: undefined };
}

async function setUpDocker(
  session: Session,
  report: Reporter,
  options: { readonly baseImages: boolean },
): Promise<Docker> {
  const found = await ensureDocker(report, dockerEndpoint(session));
  // Before anything is created: commands of the stack run it (components/container/files.ts).
  if (options.baseImages && found.cli === undefined) throw missingDockerCommand();
  const docker = new Docker(found);
  // Before base images are built on another daemon than the stack's.
  if (isLocal(session)) await checkStackDaemon(session, docker);
  const names = baseImageNames(session.project, session.stack);
  // The program reports a name that isn't a string.
  if (options.baseImages && Object.values(names).every((name) => name !== "")) {
    await ensureBaseImages(names, docker, report);
  }
  return docker;
}

/**
 * Refuses to create a stack whose state was moved away: a commit before the move would create all resources again.
 *
 * @throws CliError
 */
function refuseMoved({ state, stack, project }: Session): void {
  const move = new MoveJournal(state, stack.name).read();
  if (move === undefined || move.step === "copying" || move.from !== state.backend.url) return;
  throw new CliError(
    `The state of the stack ${stack.name} was moved to ${move.to}, but ${basename(stack.file)} doesn't name that backend.`,
    {
      hint:
        `Check out a commit since the move, or name it: ${storeCommand(`pulumi config set ${project.name}:stateBackend '${move.to}'`, stack.name)}\n` +
        `To begin with an empty state instead, delete .store/moves/${stack.name}.json.`,
    },
  );
}

/** Creates the stack on a backend of the user's. Remembers it in a file, to avoid a request to the backend before each `up`. */
async function ensureStackOnUserBackend(session: Session, context: PulumiContext): Promise<void> {
  const { state, stack, project } = session;
  const key = createHash("sha256")
    .update(`${state.backend.url}\n${stack.reference ?? stack.name}`)
    .digest("hex");
  const known = join(state.folder, "known-stacks", key.slice(0, 16));
  if (existsSync(known)) return;
  // The engine keeps the provider in the stack's file, but doesn't read it there for a new stack.
  const provider = secretsProviderIn(readFileSync(stack.file, "utf8"));
  await initStack(session, context, project.root, provider);
  mkdirSync(join(state.folder, "known-stacks"), { recursive: true });
  writeFileSync(known, `${stack.name} on ${state.backend.url}\n`);
}

async function initStack(
  { stack, state }: Session,
  context: PulumiContext,
  cwd: string,
  secretsProvider?: string,
): Promise<void> {
  const name = stack.reference ?? stack.name;
  const { exitCode, stdout, stderr } = await captureEngine({
    pulumi: context.engine.pulumi,
    args: [
      ...["stack", "init", name, "--no-select", "--non-interactive", "--color", "never"],
      ...(secretsProvider === undefined ? [] : ["--secrets-provider", secretsProvider]),
    ],
    cwd,
    env: context.env,
  });
  if (exitCode === 0 || /already exists/.test(stderr + stdout)) return;
  // The engine asks for the passphrase before it finds that the stack exists.
  if (/passphrase must be set|incorrect passphrase/.test(stderr)) {
    throw new CliError(`The passphrase of the shared stack ${name} is missing or wrong.`, {
      hint: passphraseHint(state),
    });
  }
  throw new CliError(`Creating the stack ${name} failed.`, {
    details: (stderr || stdout).trim().split("\n"),
    detailsTitle: "pulumi stack init",
    hint: `${storeCommand("doctor", stack.name)} says which backend is in use.`,
  });
}
