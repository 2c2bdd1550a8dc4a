import { readdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import * as path from "node:path";

import { withLock } from "../system/lock";
import type { Reporter } from "../system/report";

const DAY_MS = 86_400_000;

/** Another checkout may come back to its engine after a holiday; building it again takes ten minutes. */
const KEPT_DAYS = 30;

/**
 * Notes that an engine is in use, and once a day removes those of other versions that no checkout has used for a month:
 * each takes a quarter of a gigabyte. An engine that is used has been noted within the last day, or is noted here under the
 * same lock under which they are removed; so none goes from under a checkout that is about to start it.
 *
 * @param now In milliseconds. @default the present
 * @returns whether the engine is there.
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
    report.progress(`waiting for process ${pid}, which removes engines that nobody uses`);
  return withLock(cache, "engine-uses", onWait, () => {
    if (lastUse(engine) === undefined) return Promise.resolve(false);
    utimesSync(engine, now / 1000, now / 1000);
    for (const name of readdirSync(cache)) removeUnlessUsed(path.join(cache, name), now, report);
    return Promise.resolve(true);
  });
}

const REMOVED = ".removed";

function removeUnlessUsed(folder: string, now: number, report: Reporter): void {
  // One that was being removed when the process ended.
  if (folder.endsWith(REMOVED)) rmSync(folder, { recursive: true, force: true });
  if (!/^engine-[0-9a-f]{16}$/.test(path.basename(folder))) return;
  const used = lastUse(folder);
  if (used === undefined || now - used < KEPT_DAYS * DAY_MS) return;
  // Under its own name it is either whole or not there.
  renameSync(folder, folder + REMOVED);
  rmSync(folder + REMOVED, { recursive: true, force: true });
  report.note(
    `Removed an engine of another version that nobody has used for ${KEPT_DAYS} days: ${folder}`,
  );
}

/** When it was made, or last noted as used; in milliseconds. Undefined where there is none. */
function lastUse(engine: string): number | undefined {
  return statSync(engine, { throwIfNoEntry: false })?.mtimeMs;
}
