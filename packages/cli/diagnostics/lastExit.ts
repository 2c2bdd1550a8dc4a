import { setTimeout as sleep } from "node:timers/promises";
import type { Docker } from "@store/docker/docker";
import type { Inspection } from "../docker/containers";
import { lastLines } from "../docker/logs";

/** Inspection and log of a container that didn't become healthy. */
export interface LastExit {
  /** Undefined if the container no longer exists. */
  readonly inspection: Inspection | undefined;
  /** Exit code in an event of Docker. Undefined if only the inspection may have it. */
  readonly exitCode?: number;
  /** The last lines of the log since the container's last start. */
  readonly log: readonly string[];
}

/**
 * Reads why a container didn't become healthy.
 *
 * @param exitCode Exit code of the last exit, if known. Otherwise waits for the next exit of a container that is being restarted.
 */
export async function readLastExit(
  docker: Docker,
  id: string,
  exitCode?: number,
): Promise<LastExit> {
  const inspection =
    exitCode === undefined ? await inspectAfterExit(docker, id) : await inspect(docker, id);
  return { inspection, exitCode, log: await logSinceLastStart(docker, id, inspection) };
}

function inspect(docker: Docker, id: string): Promise<Inspection | undefined> {
  return docker.get<Inspection>(`/containers/${id}/json`);
}

/** Inspects a container. A crash-looping one has an exit code only between restarts; waits up to 3 s for the next exit. */
async function inspectAfterExit(docker: Docker, id: string): Promise<Inspection | undefined> {
  const deadline = Date.now() + 3_000;
  for (;;) {
    const inspection = await inspect(docker, id);
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
  const lines = await lastLines(docker, { id }, 15);
  const started = inspection?.State.StartedAt ?? "";
  const latest = lines.filter(({ time }) => time >= started);
  return (latest.length > 0 ? latest : lines).map(({ text }) => text);
}
