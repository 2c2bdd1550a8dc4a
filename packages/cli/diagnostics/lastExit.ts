import { setTimeout as sleep } from "node:timers/promises";
import type { Docker } from "@store/docker/docker";
import type { Inspection } from "../docker/containers";
import { lastLines } from "../docker/logs";

/** Inspection and log of a container that didn't become healthy. */
export interface LastExit {
  /** Undefined if the container no longer exists. */
  readonly inspection: Inspection | undefined;
  /** The last lines of the log since the container's last start. */
  readonly log: readonly string[];
}

export async function readLastExit(docker: Docker, id: string): Promise<LastExit> {
  const inspection = await inspectAfterExit(docker, id);
  return { inspection, log: await logSinceLastStart(docker, id, inspection) };
}

/** Inspects a container. A crash-looping one has an exit code only between restarts; waits up to 3 s for the next exit. */
async function inspectAfterExit(docker: Docker, id: string): Promise<Inspection | undefined> {
  const deadline = Date.now() + 3_000;
  for (;;) {
    const inspection = await docker.get<Inspection>(`/containers/${id}/json`);
    const restarted = inspection?.State.Status === "running" && (inspection.RestartCount ?? 0) > 0;
    if (!restarted || Date.now() > deadline) return inspection;
    await sleep(100);
  }
}

/** A crash-looping container logs the same lines at each start; returns those of the last start. */
async function logSinceLastStart(
  docker: Docker,
  id: string,
  inspection: Inspection | undefined,
): Promise<string[]> {
  const lines = await lastLines(docker, id, 15);
  const started = inspection?.State.StartedAt ?? "";
  const latest = lines.filter(({ time }) => time >= started);
  return (latest.length > 0 ? latest : lines).map(({ text }) => text);
}
