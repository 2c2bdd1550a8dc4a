import { readdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import * as path from "node:path";

import { withLock } from "../system/lock";
import type { Reporter } from "../system/report";

const DAY_MS = 86_400_000;

/** Unused engines are kept for a month, because building one takes ten minutes. */
const KEPT_DAYS = 30;

/**
 * Records the use of an engine, and once a day removes engines that no checkout has used for 30 days; each takes 0.25 GB. Uses are
 * recorded under the same lock as removals, so that no engine is removed while a checkout starts it.
 *
 * @param now Milliseconds since the epoch. @default the current time
 * @returns whether the engine exists.
 */
export async function noteUse(
  engine: string,
  report: Reporter,
  now: number = Date.now(),
): Promise<boolean> {
  const used = lastUse(engine);
  if (used === undefined) return false;
  if (now - used < DAY_MS) return true;
  const cache = path.dirname(engine);
  const onWait = (pid: number): void =>
    report.progress(`waiting for process ${pid}, which is removing unused engines`);
  return withLock(cache, "engine-uses", onWait, () => {
    if (lastUse(engine) === undefined) return Promise.resolve(false);
    utimesSync(engine, now / 1000, now / 1000);
    for (const name of readdirSync(cache)) removeUnlessUsed(path.join(cache, name), now, report);
    return Promise.resolve(true);
  });
}

const REMOVED = ".removed";

function removeUnlessUsed(folder: string, now: number, report: Reporter): void {
  // A removal that was interrupted.
  if (folder.endsWith(REMOVED)) rmSync(folder, { recursive: true, force: true });
  if (!/^engine-[0-9a-f]{16}$/.test(path.basename(folder))) return;
  const used = lastUse(folder);
  if (used === undefined || now - used < KEPT_DAYS * DAY_MS) return;
  // Rename first: a folder under its final name must be complete.
  renameSync(folder, folder + REMOVED);
  rmSync(folder + REMOVED, { recursive: true, force: true });
  report.note(`Removed an engine that wasn't used for ${KEPT_DAYS} days: ${folder}`);
}

/** Returns the time of the engine's last recorded use, or of its creation, in milliseconds. Undefined if there is no engine. */
function lastUse(engine: string): number | undefined {
  return statSync(engine, { throwIfNoEntry: false })?.mtimeMs;
}
