import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** The folder for built and downloaded files. It is outside the repository, so that all workspaces share them. */
export function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME;
  // The XDG specification requires relative paths to be ignored.
  const root =
    base !== undefined && path.isAbsolute(base) ? base : path.join(os.homedir(), ".cache");
  return path.join(root, "store-on-docker");
}

/** Hash of named inputs, for use as the name of a cache entry. */
export function keyOf(inputs: Record<string, string | Buffer>): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(inputs).sort()) {
    const content = inputs[name] ?? "";
    // The length separates an input from the next one.
    hash.update(`${name}\0${Buffer.byteLength(content)}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

/** Contents of all files in a folder and its subfolders, by their relative path, for {@link keyOf}. */
export function filesBelow(
  folder: string,
  wanted: (file: string) => boolean = () => true,
): Record<string, Buffer> {
  const files: Record<string, Buffer> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(folder, file).split(path.sep).join("/");
    if (entry.isFile() && wanted(name)) files[name] = readFileSync(file);
  }
  return files;
}

/**
 * Creates a folder that appears only when it is complete. The caller must hold a lock: the incomplete folder of a process that
 * died is removed.
 *
 * @param fill Creates the content in a temporary folder.
 */
export async function makeFolder(
  target: string,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const partial = `${target}.partial`;
  // Retries, because a child process that is ending may still create files.
  const discard = (): void => rmSync(partial, { recursive: true, force: true, maxRetries: 10 });
  discard();
  mkdirSync(partial, { recursive: true });
  process.once("exit", discard);
  const release = exitOnSignals();
  try {
    await fill(partial);
    renameSync(partial, target);
  } finally {
    release();
    process.off("exit", discard);
    discard();
  }
}

export function folderExists(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/**
 * Turns signals without a handler into an ordinary exit with the conventional code: their default action would skip the "exit"
 * handlers. Returns a function that undoes it.
 */
function exitOnSignals(): () => void {
  const handlers = (["SIGINT", "SIGTERM", "SIGHUP"] as const)
    .filter((signal) => process.listenerCount(signal) === 0)
    .map((signal) => {
      const handler = (): never => process.exit(128 + os.constants.signals[signal]);
      process.once(signal, handler);
      return { signal, handler };
    });
  return () => handlers.forEach(({ signal, handler }) => process.off(signal, handler));
}
