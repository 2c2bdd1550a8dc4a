import { spawn } from "node:child_process";

import type { Daemon, Progress } from "@store/docker/daemon";

/**
 * Sends what a tar command packs to a daemon, without a copy on the disk, and hands over what the daemon says about it.
 * Rejects where either of the two fails.
 */
export async function sendArchive(
  daemon: Daemon,
  resource: string,
  [command = "", ...args]: readonly string[],
  onProgress: (progress: Progress) => void,
): Promise<void> {
  const tar = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"] });
  const ended = new Promise<void>((resolve, reject) => {
    tar.once("error", reject);
    tar.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`tar ended with ${code ?? "a signal"}`));
    });
  });
  await Promise.all([ended, daemon.upload(resource, tar.stdout, onProgress)]);
}
