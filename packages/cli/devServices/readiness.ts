import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { healthPath } from "../../../services/spec";
import { colors } from "../terminal/terminal";
import type { DevService } from "./devService";

/** Period in seconds of the message about services that aren't ready. */
const REMINDER_SECONDS = 30;

/**
 * Waits until every service is ready or has exited, then prints the store's address and the staff token. Names the services that
 * keep it waiting.
 *
 * @param exited Services that have exited. Read again every second.
 */
export async function announceWhenReady(
  services: readonly DevService[],
  exited: ReadonlySet<DevService>,
  { url, folder }: { readonly url: string; readonly folder: string },
): Promise<void> {
  const waiting = new Set(services);
  for (let second = 1; waiting.size > 0; second++) {
    for (const service of waiting) {
      if (exited.has(service) || (await isReady(service))) waiting.delete(service);
    }
    if (waiting.size > 0 && second % REMINDER_SECONDS === 0) {
      const warning = colors.yellow(`Not ready after ${second} s: ${namesOf(waiting)}.`);
      process.stdout.write(`${warning} See the log lines above.\n`);
    }
    await sleep(1_000, undefined, { ref: false });
  }
  process.stdout.write(renderAnnouncement(url, namesOf(exited), join(folder, "STAFF_TOKEN")));
}

function renderAnnouncement(url: string, exited: string, tokenFile: string): string {
  const without = exited && ` without ${exited}`;
  const token = existsSync(tokenFile) ? `Staff token: ${readFileSync(tokenFile, "utf8")}\n` : "";
  return `\nThe store is up from source${without}: ${colors.bold(url)} (stop it with Ctrl-C)\n${token}\n`;
}

function namesOf(services: ReadonlySet<DevService>): string {
  return [...services].map(({ name }) => name).join(", ");
}

async function isReady({ port, spec }: DevService): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}${healthPath(spec)}`)).ok;
  } catch {
    // The service isn't listening yet.
    return false;
  }
}
