import { mkdirSync, symlinkSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Creates a temporary folder for the engine and its plugins inside the run's folder, and returns its path for TMPDIR. The engine
 * kills its language host before that has removed its two named pipes, so each run would leave them in the system's temporary
 * folder. Caches of compiled code remain there, by symbolic links.
 */
export function temporaryFolder(runFolder: string): string {
  const folder = join(runFolder, "tmp");
  mkdirSync(folder);
  for (const name of caches()) {
    const cache = join(tmpdir(), name);
    mkdirSync(cache, { recursive: true });
    symlinkSync(cache, join(folder, name));
  }
  return folder;
}

/** Names of the cache folders of tsx, and of Node since version 22. */
function caches(): string[] {
  const user = process.geteuid?.();
  return [
    ...(user === undefined ? [] : [`tsx-${user}`]),
    // Undefined before Node 22, in spite of its type.
    ...((enableCompileCache as unknown) === undefined ? [] : ["node-compile-cache"]),
  ];
}
