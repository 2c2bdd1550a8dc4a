import { spawn } from "node:child_process";

import type { Docker, Progress } from "@store/docker/docker";

/**
 * Streams the output of a tar command to a daemon's API, without a temporary file.
 *
 * @param onProgress Called with each progress message of the daemon.
 * @throws an error if the tar command or the request fails.
 */
export async function sendArchive(
  docker: Docker,
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
  await Promise.all([ended, docker.upload(resource, tar.stdout, onProgress)]);
}
