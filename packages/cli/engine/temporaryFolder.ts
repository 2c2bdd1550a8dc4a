import { mkdirSync, symlinkSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A folder for what the engine and its plugins put into the temporary folder, to go with the run's own files: the engine ends
 * its language host before that has tidied up, and each run would leave two pipes behind. What is kept from run to run, the
 * compiled program, stays where it was.
 *
 * @returns its path, for TMPDIR.
 */
export function temporaryFolder(runFolder: string): string {
  const folder = join(runFolder, "tmp");
  mkdirSync(folder);
  for (const name of caches()) {
    const kept = join(tmpdir(), name);
    mkdirSync(kept, { recursive: true });
    symlinkSync(kept, join(folder, name));
  }
  return folder;
}

/** Of tsx, and of Node from version 22 on, by the names that they have in the temporary folder. */
function caches(): string[] {
  const user = process.geteuid?.();
  return [
    ...(user === undefined ? [] : [`tsx-${user}`]),
    // Older versions have no such function, whatever its type says.
    ...((enableCompileCache as unknown) === undefined ? [] : ["node-compile-cache"]),
  ];
}
