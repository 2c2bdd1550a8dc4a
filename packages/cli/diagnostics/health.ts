import { setTimeout as sleep } from "node:timers/promises";
import { condition, displayName, Inspection, StoreContainer } from "../docker/containers";
import type { Docker } from "@store/docker/docker";
import { lastLines } from "../docker/logs";
import { Context, Diagnostic, Found, resourceOf, retryCommand, Rule, stackFlag } from "./rule";

/** A container that didn't become healthy. */
export const unhealthy: Rule = {
  name: "container-unhealthy",
  match: [/failed to be in healthy state|container exited immediately/i],
  toDiagnostic,
};

async function toDiagnostic(found: Found, context: Context): Promise<Diagnostic> {
  const resource = resourceOf(found);
  const { docker, containers } = context;
  const container = containers.find(
    ({ id, name }) => id === found.error.step?.new?.id || name.startsWith(`${resource}-`),
  );
  if (docker === undefined || container === undefined) {
    return {
      summary: `${resource} did not become healthy, and its container no longer exists.`,
      hint: `Retry: ${retryCommand(context)}`,
    };
  }
  const inspection = await inspectAfterExit(docker, container.id);
  const log = await logSinceLastStart(docker, container.id, inspection);
  const previous = containers.find(
    ({ id, role, service, health }) =>
      id !== container.id &&
      role === container.role &&
      service === container.service &&
      health === "healthy",
  );
  return {
    summary: `${resource} did not become healthy: ${whyUnhealthy(inspection, container)}.`,
    details: log.length > 0 ? log : ["(no output)"],
    detailsTitle: `End of the log of ${container.name}`,
    hint:
      (previous ? `The previous container, ${previous.name}, keeps serving. ` : "") +
      `${remedy(container, log, stackFlag(context))} Then: ${retryCommand(context)}\n` +
      `Complete log: ./store logs ${displayName(container)}${stackFlag(context)}`,
  };
}

const DATABASE_ERROR =
  /pg_hba|password authentication failed|the database system is|too many (clients|connections)|(ECONNREFUSED|ENOTFOUND|ETIMEDOUT|EAI_AGAIN).*(5432|-database)|database ".*" does not exist|could not (resize|extend)/i;

/** Returns what to fix. A service may fail because of its database. */
export function remedy(
  { role, service }: Pick<StoreContainer, "role" | "service">,
  log: readonly string[],
  stackFlag: string,
): string {
  if (role !== "service") return "Fix the cause shown in its log.";
  return log.some((line) => DATABASE_ERROR.test(line))
    ? `Its database refuses it or can't be reached; see ./store logs ${service}-database${stackFlag}. Fix that.`
    : `Fix services/${service}.`;
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

/** Returns the cause by Docker's inspection of the container, as a clause. */
export function whyUnhealthy(
  inspection: Inspection | undefined,
  container: Pick<StoreContainer, "state" | "status" | "health">,
): string {
  if (inspection === undefined) return "its container no longer exists";
  const { State: state, RestartCount: restarts = 0 } = inspection;
  const limit = inspection.HostConfig?.Memory;
  const memory = `its memory limit${limit ? ` of ${Math.round(limit / 1024 / 1024)} MiB` : ""}`;
  if (state.OOMKilled) return `it was killed because it exceeded ${memory}`;
  if (!state.Running || (restarts > 0 && state.Status !== "running")) {
    const times = restarts > 0 ? `, also after each of ${restarts} restarts` : "";
    // 137 is SIGKILL. Unless somebody stops the container, only the kernel sends it.
    if (state.ExitCode === 137) {
      return `it was killed (exit code 137${times}), most likely because it exceeded ${memory}`;
    }
    if (state.Error) return `Docker can't start it: ${state.Error}`;
    return restarts > 0 || state.Status === "exited"
      ? `it exited with code ${state.ExitCode}${times}`
      : `it is ${state.Status}`;
  }
  if (restarts > 0) return `it exited and was restarted ${restarts} times`;
  const check = state.Health?.Log?.at(-1);
  if (check === undefined) return `it is ${condition(container)}`;
  // The default health check (components/container/health.ts) is a bash script.
  if (/exec: "bash": .*not found/.test(check.Output)) {
    return "its image has no bash for the default health check; set health.command in its spec";
  }
  if (check.ExitCode === 0) return "its health check succeeded only after the time limit";
  const lastLine = check.Output.trim().split("\n").at(-1)?.slice(0, 200);
  return `its health check fails (exit code ${check.ExitCode})${lastLine ? `: ${lastLine}` : ""}`;
}
