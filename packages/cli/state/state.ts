import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join, resolve } from "node:path";
import { removeIncompleteAttributes } from "./attributeFiles";
import { Backend, backendFolder, findBackend } from "./backend";
import { Checkpoint, readCheckpoint } from "./checkpoint";
import { CliError } from "@store/docker/cliError";
import { replaceFile } from "@store/docker/replaceFile";
import { isPidAlive } from "@store/toolchain/system/processIdentity";
import { engineLocks, Lock } from "./locks";
import { Project, Stack } from "../project/project";
import { withQuotes } from "./mergeConfig";
import { lostPassphrase } from "./passphrase";
import { addSalt, editedText, hasSalt, restoredText } from "./stackFile";

/** The folder (.store) with a workspace's own data: state (unless the user has chosen a backend), passphrase, locks, temporary files. */
export interface State {
  readonly project: Project;
  readonly folder: string;
  readonly backend: Backend;
  /** Name of the stack. Undefined without a stack. */
  readonly stack?: string;
  /** File with the passphrase of a stack whose state is or was shared. Undefined without a stack. */
  readonly passphraseFile?: string;
}

/** @param stack Stack whose file may name a shared backend. @default none */
export function findState(
  project: Project,
  env: NodeJS.ProcessEnv = process.env,
  stack?: Pick<Stack, "name" | "file">,
): State {
  const folder = env["STORE_STATE_DIR"] || join(project.root, ".store");
  const backend = findBackend(project, folder, env, stack?.file);
  const passphraseFile = stack && join(folder, "passphrases", stack.name);
  return { project, folder, backend, stack: stack?.name, passphraseFile };
}

/**
 * Creates the state folder if needed, and removes what stops the engine from reading it. Returns the environment that makes the engine use it.
 *
 * @throws CliError if the passphrase of the stack's state is lost: a new one would hide that.
 */
export function prepareState(
  state: State,
  env: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  mkdirSync(state.folder, { recursive: true, mode: 0o700 });
  const { backend } = state;
  removeIncompleteAttributes(backend.url);
  if (backend.kind === "user") {
    if (backend.isStackChoice !== true) return {};
    return {
      PULUMI_BACKEND_URL: backend.url,
      ...passphraseVariable(() => stackPassphrase(state), env),
    };
  }
  mkdirSync(backend.folder, { recursive: true, mode: 0o700 });
  const lost = lostPassphrase(state, env);
  if (lost !== undefined) throw lost;
  return {
    PULUMI_BACKEND_URL: backend.url,
    ...passphraseVariable(() => stackPassphrase(state) ?? ensurePassphrase(state.folder), env),
    // Makes the engine take the salt from the state if the configuration file has none, instead of creating one.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    // The CLI reads the checkpoints, too.
    PULUMI_DIY_BACKEND_GZIP: "false",
    PULUMI_DIY_BACKEND_ZSTD: "false",
  };
}

/** Checks whether the user has set the passphrase by Pulumi's variables. */
export function hasUserPassphrase(env: NodeJS.ProcessEnv = process.env): boolean {
  return (
    env["PULUMI_CONFIG_PASSPHRASE"] !== undefined || Boolean(env["PULUMI_CONFIG_PASSPHRASE_FILE"])
  );
}

function passphraseVariable(
  find: () => string | undefined,
  env: NodeJS.ProcessEnv,
): Record<string, string> {
  const file = hasUserPassphrase(env) ? undefined : find();
  return file === undefined ? {} : { PULUMI_CONFIG_PASSPHRASE_FILE: file };
}

function stackPassphrase({ passphraseFile }: State): string | undefined {
  return passphraseFile !== undefined && existsSync(passphraseFile) ? passphraseFile : undefined;
}

/** Path of the file whose passphrase the engine gets unless the user has set another. Undefined for a backend that has none. */
export function passphraseFileInUse(state: State): string | undefined {
  const own = stackPassphrase(state);
  if (own !== undefined) return own;
  return state.backend.kind === "user" ? undefined : join(state.folder, "passphrase");
}

/** Explains where the passphrase of a shared stack belongs. */
export function passphraseHint({ passphraseFile }: State): string {
  return (
    `The stack's secrets are encrypted with a passphrase. Get it from whoever moved the state, and put it into ` +
    `${passphraseFile ?? "a file"} (chmod 600), or set PULUMI_CONFIG_PASSPHRASE_FILE.`
  );
}

/** Reads the stack's state. Returns undefined if there is none, or if it is on a backend of the user's. */
export function readStackCheckpoint(state: State, stack: string): Checkpoint | undefined {
  const file = checkpointFile(state, stack);
  return file === undefined ? undefined : readCheckpoint(file);
}

/** Path of the file with the stack's state; undefined for a backend of the user's. */
export function checkpointFile(state: State, stack: string): string | undefined {
  if (state.backend.kind === "user") return undefined;
  return join(state.backend.folder, ".pulumi", "stacks", state.project.name, `${stack}.json`);
}

/** Finds the engine's locks on a stack whose state is in files, of this checkout or shared. Other backends show none. */
export function findEngineLocks(state: State, stack: string): Lock[] {
  const folder = stateFolder(state);
  if (folder === undefined) return [];
  return engineLocks(join(folder, ".pulumi", "locks", "organization", state.project.name, stack));
}

/** Path of the folder with the backend's files; undefined for a backend that isn't a folder. */
export function stateFolder({ backend, project }: State): string | undefined {
  if (backend.kind === "workspace") return backend.folder;
  const folder = backendFolder(backend.url);
  // The engine runs in the project's folder.
  return folder === undefined ? undefined : resolve(project.root, folder);
}

/** Path of the CLI's own lock on the stack. */
export function stackLockFile(state: State, stack: string): string {
  return join(state.folder, "locks", `${stack}.json`);
}

/** Creates a folder for the temporary files of one run. */
export function makeRunFolder(state: State): string {
  const runs = join(state.folder, "run");
  mkdirSync(runs, { recursive: true, mode: 0o700 });
  removeStaleRunFolders(runs);
  return mkdtempSync(join(runs, `${process.pid}-`));
}

/**
 * Creates a copy of the stack's configuration file for the engine, with this workspace's salt. `restore` applies the engine's changes
 * to the file, without the salt. With a backend of the user's the engine gets the file itself, unless it edits the file.
 *
 * @param options.edits The engine's command edits the file. Defaults to false.
 */
export function createTempStackConfig(
  state: State,
  stack: Stack,
  runFolder: string,
  { edits = false }: { readonly edits?: boolean } = {},
): { env: Record<string, string>; restore(): void } {
  const isWorkspace = state.backend.kind === "workspace";
  if (!isWorkspace && !edits) {
    const usual = join(state.project.root, `Pulumi.${stack.name}.yaml`);
    return {
      env: stack.file === usual ? {} : { PULUMI_OPTION_CONFIG_FILE: stack.file },
      restore: () => undefined,
    };
  }
  const original = existsSync(stack.file) ? readFileSync(stack.file, "utf8") : "";
  const copy = join(runFolder, `Pulumi.${stack.name}.yaml`);
  const salt = isWorkspace ? readStackCheckpoint(state, stack.name)?.salt : undefined;
  writeFileSync(copy, addSalt(edits ? withQuotes(original) : original, salt), { mode: 0o600 });
  return {
    env: { PULUMI_OPTION_CONFIG_FILE: copy },
    restore: () => restoreStackConfig(state, stack, original, readFileSync(copy, "utf8")),
  };
}

function restoreStackConfig(state: State, stack: Stack, original: string, after: string): void {
  const isWorkspace = state.backend.kind === "workspace";
  const { name } = state.project;
  const changed = isWorkspace
    ? restoredText(original, after, name)
    : editedText(original, after, name);
  const current = existsSync(stack.file) ? readFileSync(stack.file, "utf8") : "";
  if (current === original) {
    if (changed !== undefined) replaceFile(stack.file, changed);
    return;
  }
  // Subcommands without --config-file write the salt into the original file.
  if (isWorkspace && hasSalt(current) && !hasSalt(original)) {
    replaceFile(stack.file, restoredText(original, current, name) ?? original);
  }
  if (changed === undefined) return;
  const rescued = join(state.folder, `${basename(stack.file)}.engine`);
  writeFileSync(rescued, changed, { mode: 0o600 });
  throw new CliError(
    `${basename(stack.file)} was edited while the engine changed it. The edit was kept; the engine's version is in ${rescued}.`,
    { hint: "Run the command again to apply its change to the edited file." },
  );
}

/** Creates the passphrase if needed and returns its path. A hard link makes concurrent callers end up with the same one. */
export function ensurePassphrase(folder: string): string {
  const file = join(folder, "passphrase");
  if (existsSync(file)) {
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
    return file;
  }
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return file;
}

/** Removes the folders of runs that were killed. */
function removeStaleRunFolders(runs: string): void {
  for (const name of readdirSync(runs)) {
    const pid = Number(name.split("-")[0]);
    if (!isPidAlive(pid)) rmSync(join(runs, name), { recursive: true, force: true });
  }
}
