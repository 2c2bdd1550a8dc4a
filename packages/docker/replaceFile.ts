import { randomUUID } from "node:crypto";
import { chmodSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";

export interface ReplaceFileOptions {
  /** Permissions. @default those of the existing file; for a new file, those that the umask allows */
  readonly mode?: number;
}

/**
 * Replaces a file in one step: other processes read the old content or the new one, also if this process is killed or fails. Of several
 * writers, the last one wins.
 *
 * @throws the system's error. The file is unchanged then.
 */
export function replaceFile(
  path: string,
  text: string,
  { mode = existingMode(path) }: ReplaceFileOptions = {},
): void {
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    writeFileSync(draft, text, { mode, flag: "wx" });
    // The umask may have reduced the mode of the new file.
    if (mode !== undefined) chmodSync(draft, mode);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function existingMode(path: string): number | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? undefined : stats.mode & 0o777;
}
