import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { Backend, findBackend } from "./backend";
import { Checkpoint, readCheckpoint } from "./checkpoint";
import { CliError } from "@store/docker/cliError";
import { isPidAlive } from "@store/toolchain/system/processIdentity";
import { engineLocks, Lock } from "./locks";
import { Project, Stack } from "../project/project";
import { hasSalt, restoredText, addSalt } from "./stackFile";

/** Where a checkout keeps what is its own: the state without a backend of the user's, the passphrase, locks, work files. */
export interface State {
  readonly project: Project;
  readonly folder: string;
  readonly backend: Backend;
}

export function findState(project: Project, env: NodeJS.ProcessEnv = process.env): State {
  const folder = env["STORE_STATE_DIR"] || join(project.root, ".store");
  return { project, folder, backend: findBackend(project, folder, env) };
}

/** What the engine has to be told about the state, beside which stack it is about. Makes what isn't there yet. */
export function prepareState(
  state: State,
  env: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  mkdirSync(state.folder, { recursive: true, mode: 0o700 });
  if (state.backend.kind === "own") return {};
  mkdirSync(state.backend.folder, { recursive: true, mode: 0o700 });
  const hasPassphrase =
    env["PULUMI_CONFIG_PASSPHRASE"] !== undefined || env["PULUMI_CONFIG_PASSPHRASE_FILE"];
  return {
    PULUMI_BACKEND_URL: state.backend.url,
    ...(!hasPassphrase && { PULUMI_CONFIG_PASSPHRASE_FILE: ensurePassphrase(state.folder) }),
    // Takes the key's salt from the state where a configuration file has none, instead of making a new one.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    // We read the checkpoints too.
    PULUMI_DIY_BACKEND_GZIP: "false",
    PULUMI_DIY_BACKEND_ZSTD: "false",
  };
}

/** The engine's record of the stack, where it is a file that we can read. */
export function readStackCheckpoint(state: State, stack: string): Checkpoint | undefined {
  const file = checkpointFile(state, stack);
  return file === undefined ? undefined : readCheckpoint(file);
}

/** Where that file is. */
export function checkpointFile(state: State, stack: string): string | undefined {
  if (state.backend.kind === "own") return undefined;
  return join(state.backend.folder, ".pulumi", "stacks", state.project.name, `${stack}.json`);
}

export function findEngineLocks(state: State, stack: string): Lock[] {
  if (state.backend.kind === "own") return [];
  const path = [".pulumi", "locks", "organization", state.project.name, stack];
  return engineLocks(join(state.backend.folder, ...path));
}

/** The command's own lock. */
export function stackLockFile(state: State, stack: string): string {
  return join(state.folder, "locks", `${stack}.json`);
}

/** A folder for the files of one run. */
export function makeRunFolder(state: State): string {
  const runs = join(state.folder, "run");
  mkdirSync(runs, { recursive: true, mode: 0o700 });
  removeStaleRunFolders(runs);
  return mkdtempSync(join(runs, `${process.pid}-`));
}

/**
 * The configuration file that the engine is given for the stack, and what takes back what the engine changes in it. With a
 * backend of the user's own that is the file itself.
 */
export function createTempStackConfig(
  state: State,
  stack: Stack,
  runFolder: string,
): { env: Record<string, string>; restore(): void } {
  if (state.backend.kind === "own") {
    const usual = join(state.project.root, `Pulumi.${stack.name}.yaml`);
    return {
      env: stack.file === usual ? {} : { PULUMI_OPTION_CONFIG_FILE: stack.file },
      restore: () => undefined,
    };
  }
  const original = existsSync(stack.file) ? readFileSync(stack.file, "utf8") : "";
  const copy = join(runFolder, `Pulumi.${stack.name}.yaml`);
  writeFileSync(copy, addSalt(original, readStackCheckpoint(state, stack.name)?.salt), {
    mode: 0o600,
  });
  return {
    env: { PULUMI_OPTION_CONFIG_FILE: copy },
    restore: () => {
      const wanted = restoredText(original, readFileSync(copy, "utf8"));
      const now = existsSync(stack.file) ? readFileSync(stack.file, "utf8") : "";
      if (now === original) {
        if (wanted !== undefined) replaceFile(stack.file, wanted);
        return;
      }
      // Subcommands that know no --config-file write the salt into the file itself.
      if (hasSalt(now) && !hasSalt(original)) {
        replaceFile(stack.file, restoredText(original, now) ?? original);
      }
      if (wanted === undefined) return;
      const rescued = join(state.folder, `${basename(stack.file)}.engine`);
      writeFileSync(rescued, wanted, { mode: 0o600 });
      throw new CliError(
        `${basename(stack.file)} was edited while the engine changed it too. The edit was kept; the engine's version is ${rescued}.`,
        { hint: "Run the command again to apply it on top of the edit." },
      );
    },
  };
}

/** @returns the path of the file. Made with a hard link, so that of two that make it at once both end with the same one. */
function ensurePassphrase(folder: string): string {
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

function replaceFile(file: string, content: string): void {
  const draft = `${file}.${process.pid}.tmp`;
  writeFileSync(draft, content, existsSync(file) ? { mode: statSync(file).mode } : {});
  renameSync(draft, file);
}

/** Removes the folders of runs that were killed. */
function removeStaleRunFolders(runs: string): void {
  for (const name of readdirSync(runs)) {
    const pid = Number(name.split("-")[0]);
    if (!isPidAlive(pid)) rmSync(join(runs, name), { recursive: true, force: true });
  }
}
