import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** Outside the repository, so that every checkout of it shares one build. */
export function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME;
  // The specification tells to ignore a relative path.
  const root =
    base !== undefined && path.isAbsolute(base) ? base : path.join(os.homedir(), ".cache");
  return path.join(root, "store-on-docker");
}

/** A short name for exactly these inputs. */
export function keyOf(inputs: Record<string, string | Buffer>): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(inputs).sort()) {
    const content = inputs[name] ?? "";
    // With the lengths in it, no two sets of inputs run together into the same bytes.
    hash.update(`${name}\0${Buffer.byteLength(content)}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

/** The files below a folder by their path relative to it, for keyOf. */
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
 * Makes a folder that is either there and whole, or not there. The caller holds a lock, so that a left-over of a process
 * that died is nobody's and can go.
 */
export async function makeFolder(
  target: string,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const partial = `${target}.partial`;
  // Again where a file turned up meanwhile: what a signal ends with us may take a moment longer than we do.
  const discard = (): void => rmSync(partial, { recursive: true, force: true, maxRetries: 10 });
  discard();
  mkdirSync(partial, { recursive: true });
  // Whatever ends this process, a signal that the command handles included.
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
 * A signal whose default action ends the process skips the "exit" handlers that clean up. Where the program has no
 * handler of its own, this makes it an ordinary exit with the customary code.
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
