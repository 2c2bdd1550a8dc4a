import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { docker, LABEL, OWNER_LABEL } from "./docker";
import { isProcessAlive } from "@store/toolchain/system/processIdentity";
import { removeEverything } from "./environment";

/** Where a rehearsal notes who it belongs to, in its own folder and in that of its cloud. */
export const OWNER_FILE = "owner";

/**
 * Removes what rehearsals have left whose processes were killed: what is in Docker, their folders, and what still runs in
 * those. One that is alive is left alone, and so is whatever doesn't say whose it is.
 *
 * @returns the ids of those that were removed.
 */
export async function removeOrphans(registryImage: string): Promise<string[]> {
  const inDocker = await deadInDocker();
  for (const id of inDocker) await removeEverything(id, registryImage);
  const folders = deadFolders();
  for (const folder of folders) {
    endProcessesIn(folder);
    rmSync(folder, { recursive: true, force: true });
  }
  return [...new Set([...inDocker, ...folders.map(idOf)])];
}

async function deadInDocker(): Promise<string[]> {
  const lists = await Promise.all([
    dead("container", "ls", "--all"),
    dead("volume", "ls"),
    dead("network", "ls"),
  ]);
  return [...new Set(lists.flat())];
}

async function dead(...list: string[]): Promise<string[]> {
  const format = `{{.Label "${LABEL}"}}\t{{.Label "${OWNER_LABEL}"}}`;
  const found = await docker(...list, "--filter", `label=${OWNER_LABEL}`, "--format", format);
  return found.split("\n").flatMap((line) => {
    const [id = "", mark = ""] = line.split("\t");
    return id !== "" && !isProcessAlive(mark) ? [id] : [];
  });
}

function deadFolders(): string[] {
  return readdirSync(tmpdir())
    .map((name) => path.join(tmpdir(), name))
    .filter((folder) => idOf(folder) !== "")
    .filter((folder) => {
      const marks = [OWNER_FILE, path.join("cloud", OWNER_FILE)]
        .map((file) => path.join(folder, file))
        .flatMap((file) => (existsSync(file) ? [readFileSync(file, "utf8")] : []));
      return marks.length > 0 && marks.every((mark) => !isProcessAlive(mark));
    });
}

/** As rehearsal.ts names its folder. */
function idOf(folder: string): string {
  return /^store-rehearsal-([0-9a-f]{6})-/.exec(path.basename(folder))?.[1] ?? "";
}

/** A command and its engine go on for minutes when they have nobody any more who waits for them. */
function endProcessesIn(folder: string): void {
  for (const pid of readdirSync("/proc").map(Number).filter(Number.isInteger)) {
    try {
      if (readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/`)) process.kill(pid, "SIGKILL");
    } catch {
      // It has ended meanwhile, or is another user's.
    }
  }
}
