import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { docker, LABEL, OWNER_LABEL } from "./docker";
import { isProcessAlive } from "@store/toolchain/system/processIdentity";
import { removeEverything } from "./environment";

/** File with the identity of the owning process, in the folders of the rehearsal and of the emulator. */
export const OWNER_FILE = "owner";

/**
 * Removes the orphans of rehearsals whose processes were killed: everything in Docker, their folders, and the processes that run
 * in these folders. Rehearsals that are running aren't touched, nor is anything without an owner.
 *
 * @returns the IDs of the removed rehearsals.
 */
export async function removeOrphans(registryImage: string): Promise<string[]> {
  const inDocker = await orphanedInDocker();
  for (const id of inDocker) await removeEverything(id, registryImage);
  const folders = orphanedFolders();
  for (const folder of folders) {
    endProcessesIn(folder);
    rmSync(folder, { recursive: true, force: true });
  }
  return [...new Set([...inDocker, ...folders.map(idOf)])];
}

async function orphanedInDocker(): Promise<string[]> {
  const lists = await Promise.all([
    orphanedIds("container", "ls", "--all"),
    orphanedIds("volume", "ls"),
    orphanedIds("network", "ls"),
  ]);
  return [...new Set(lists.flat())];
}

async function orphanedIds(...list: string[]): Promise<string[]> {
  const format = `{{.Label "${LABEL}"}}\t{{.Label "${OWNER_LABEL}"}}`;
  const found = await docker(...list, "--filter", `label=${OWNER_LABEL}`, "--format", format);
  return found.split("\n").flatMap((line) => {
    const [id = "", identity = ""] = line.split("\t");
    return id !== "" && !isProcessAlive(identity) ? [id] : [];
  });
}

function orphanedFolders(): string[] {
  return readdirSync(tmpdir())
    .map((name) => path.join(tmpdir(), name))
    .filter((folder) => idOf(folder) !== "")
    .filter((folder) => {
      const identities = [OWNER_FILE, path.join("cloud", OWNER_FILE)]
        .map((file) => path.join(folder, file))
        .flatMap((file) => (existsSync(file) ? [readFileSync(file, "utf8")] : []));
      return identities.length > 0 && identities.every((identity) => !isProcessAlive(identity));
    });
}

/** Returns the rehearsal's ID, by the name of its folder (see test/staging/rehearsal.ts); empty for any other folder. */
function idOf(folder: string): string {
  return /^store-rehearsal-([0-9a-f]{6})-/.exec(path.basename(folder))?.[1] ?? "";
}

/** Kills the processes in a folder: `./store` and its engine run on for minutes after their parent was killed. */
function endProcessesIn(folder: string): void {
  for (const pid of readdirSync("/proc").map(Number).filter(Number.isInteger)) {
    try {
      if (readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/`)) process.kill(pid, "SIGKILL");
    } catch {
      // The process has ended, or belongs to another user.
    }
  }
}
