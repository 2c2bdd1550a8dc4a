import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve, sep } from "node:path";
import { CliError } from "@store/docker/cliError";
import { ROOT } from "../project/project";

/**
 * Translates an error of the operating system about a file or folder: a full disk, a read-only file system, a missing permission or a
 * deleted current folder.
 *
 * @returns undefined for every other error.
 */
export function systemError(
  error: unknown,
  env: NodeJS.ProcessEnv = process.env,
): CliError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = "", syscall = "", path, dest } = error as SystemError;
  if (syscall === "uv_cwd" && code === "ENOENT") {
    return new CliError("The current folder has been deleted.", {
      hint: `Change to a folder that exists, for example: cd ${ROOT}`,
      cause: error,
    });
  }
  if (!FILE_CALLS.test(syscall)) return undefined;
  const stateFolder = resolve(env["STORE_STATE_DIR"] || join(ROOT, ".store"));
  // A rename or a link fails at its target if that is the file to be created.
  const file = dest ?? path;
  const fullDisk = FULL[code];
  if (fullDisk !== undefined) {
    // The error of a write names no file. The state folder and the temporary folder are those to which the CLI writes.
    const place = file ?? `${stateFolder} (the state), or of ${tmpdir()} (temporary files)`;
    return new CliError(`Can't write a file (${code}): ${fullDisk} on the disk of ${place}.`, {
      hint: `Free space there (df -h ${file === undefined ? `${stateFolder} ${tmpdir()}` : dirname(file)}), then run the command again.`,
      cause: error,
    });
  }
  // Node's recursive mkdir reports ENOENT for a folder on a read-only file system, although the parent folder exists.
  const isReadOnly =
    code === "ENOENT" && syscall === "mkdir" && path !== undefined && existsSync(dirname(path));
  const denied = DENIED[isReadOnly ? "EROFS" : code];
  if (denied === undefined || file === undefined) return undefined;
  const isState = `${resolve(file)}${sep}`.startsWith(`${stateFolder}${sep}`);
  const otherFolder = isState
    ? ", or set STORE_STATE_DIR to a folder that is writable. A deployed stack's state is in the old one: copy it"
    : "";
  return new CliError(`Can't use ${file} (${code}): ${denied}.`, {
    hint: `Make ${isState ? stateFolder : dirname(file)} writable for this user${otherFolder}. Then run the command again.`,
    cause: error,
  });
}

interface SystemError extends NodeJS.ErrnoException {
  /** Target of a rename or a link. */
  readonly dest?: string;
}

/** Calls that create, write or read files. A watch's ENOSPC means too many watches, a spawn's EACCES a file that isn't executable. */
const FILE_CALLS =
  /^(open|write|mkdir|mkdtemp|rename|link|symlink|unlink|rm|rmdir|scandir|stat|lstat|chmod|copyfile|cp|ftruncate|truncate|fsync|read|utime|access)$/;

const FULL: Readonly<Record<string, string>> = {
  ENOSPC: "no space is left",
  EDQUOT: "this user's quota is used up",
};

const DENIED: Readonly<Record<string, string>> = {
  EROFS: "its file system is read-only",
  EACCES: "this user may not access it",
};
