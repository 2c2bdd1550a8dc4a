import { condition, displayName, Inspection, StoreContainer } from "../../docker/containers";
import { Context, Diagnostic, Found, resourceOf, retryCommand, Rule, commandFor } from "../rule";
import { LastExit, readLastExit } from "../lastExit";
import { storeCommand } from "../../project/storeCommand";

/** A container that didn't become healthy. */
export const unhealthy: Rule = {
  name: "container-unhealthy",
  // The last one: the CLI has removed the container (lifecycle/crashWatch.ts).
  match: [
    /failed to be in healthy state|container exited immediately|inspecting container state: .*No such container/i,
  ],
  // A service isn't healthy without its database.
  rank: ({ error }) => (error.urn?.includes("store:index:Database$") ? 0 : 1),
  toDiagnostic,
};

async function toDiagnostic(found: Found, context: Context): Promise<Diagnostic> {
  const resource = resourceOf(found);
  const { docker, containers } = context;
  const failedId = found.error.step?.new?.id;
  const crash = failedId === undefined ? undefined : context.crashed.get(failedId);
  const container =
    crash?.container ??
    containers.find(({ id, name }) => id === failedId || name.startsWith(`${resource}-`));
  if (docker === undefined || container === undefined) {
    if (context.command === "down") return unhealthyInDown(found, context);
    return {
      summary: `${resource} did not become healthy, and its container no longer exists.`,
      hint: `Retry: ${retryCommand(context)}`,
    };
  }
  if (context.command === "down") return unhealthyInDown(found, context, container);
  const lastExit = crash ?? (await readLastExit(docker, container.id));
  return describeExit(resource, { ...lastExit, container, logFile: crash?.logFile }, context);
}

/**
 * Returns the message about a container, or an instance on another machine, that didn't become healthy.
 *
 * @param exit.logFile File with its log. Defaults to none: Docker still has it.
 */
export function describeExit(
  resource: string,
  {
    container,
    logFile,
    ...lastExit
  }: LastExit & { readonly container: StoreContainer; readonly logFile: string | undefined },
  context: Context,
): Diagnostic {
  const { containers } = context;
  const { inspection, log } = lastExit;
  const previous = containers.find(
    ({ id, role, service, health }) =>
      id !== container.id &&
      role === container.role &&
      service === container.service &&
      health === "healthy",
  );
  const hasDatabase = containers.some(
    ({ role, service }) => role === "database" && service === container.service,
  );
  return {
    summary: `${resource} did not become healthy: ${whyUnhealthy(lastExit, container)}.`,
    details: log.length > 0 ? log : ["(no output)"],
    detailsTitle: `End of the log of ${container.name}`,
    hint:
      (previous ? `The previous container, ${previous.name}, keeps serving. ` : "") +
      `${remedy({ ...container, hasDatabase }, [...log, lastCheckOutput(inspection)], context.session.stack.name)} Then: ${retryCommand(context)}\n` +
      `Complete log: ${logFile ?? commandFor(`logs ${displayName(container)}`, context)}`,
  };
}

/** A `down` creates nothing: the provider found the container unhealthy when it read it. Its health doesn't matter then. */
function unhealthyInDown(found: Found, context: Context, container?: StoreContainer): Diagnostic {
  const retry = retryCommand(context);
  return {
    summary: `${resourceOf(found)} was not deleted: ${found.error.message}`,
    hint: container
      ? `Remove its container, then repeat the command: docker rm --force ${container.name} && ${retry}`
      : `Its container is gone. Repeat the command: ${retry}`,
  };
}

const DATABASE_ERROR =
  /the database can't be (reached|prepared)|pg_hba|password authentication failed|the database system is|too many (clients|connections)|(ECONNREFUSED|ENOTFOUND|ETIMEDOUT|EAI_AGAIN).*(5432|-database)|database ".*" does not exist|could not (resize|extend)/i;

/** Messages of a PostgreSQL server that lacks what its first start sets up. */
const INCOMPLETE_DATA = /no pg_hba\.conf entry|(database|role) "[^"]*" does not exist/;

/**
 * Returns what to fix. A service may fail because of its database, which has no container if it is on another server.
 *
 * @param output Lines of the log and of the health check.
 */
export function remedy(
  {
    role,
    service,
    hasDatabase,
  }: Pick<StoreContainer, "role" | "service"> & { readonly hasDatabase: boolean },
  output: readonly string[],
  stack: string,
): string {
  const has = (message: RegExp): boolean => output.some((line) => message.test(line));
  if (role === "database" && has(INCOMPLETE_DATA)) {
    return (
      `An earlier release's first start was interrupted before the data folder of ${service} was complete, or the data are another ` +
      `stack's. If no service has data to keep, remove all: ${storeCommand("down --volumes", stack)}.`
    );
  }
  if (role !== "service") return "Fix the cause shown in its log.";
  if (has(DATABASE_ERROR) && !hasDatabase) {
    return `Its database, which is on another server (store:databaseUrl.${service}), refuses it or can't be reached. Fix that.`;
  }
  return has(DATABASE_ERROR)
    ? `Its database refuses it or can't be reached; see ${storeCommand(`logs ${service}-database`, stack)}. Fix that.`
    : `Fix services/${service}.`;
}

function lastCheckOutput(inspection: Inspection | undefined): string {
  return inspection?.State.Health?.Log?.at(-1)?.Output ?? "";
}

/** Returns the cause, as a clause. */
export function whyUnhealthy(
  { inspection, exitCode }: Pick<LastExit, "inspection" | "exitCode">,
  container: Pick<StoreContainer, "state" | "status" | "health">,
): string {
  if (inspection === undefined) return "its container no longer exists";
  const { State: state, RestartCount: restarts = 0 } = inspection;
  const limit = inspection.HostConfig?.Memory;
  const memory = `its memory limit${limit ? ` of ${Math.round(limit / 1024 / 1024)} MiB` : ""}`;
  if (state.OOMKilled) return `it was killed because it exceeded ${memory}`;
  // Docker may have restarted the container since it reported the exit code.
  const exited = !state.Running || (restarts > 0 && state.Status !== "running");
  if (exited || exitCode !== undefined) {
    const code = exitCode ?? state.ExitCode;
    const times = restarts > 0 ? `, also after each of ${restarts} restarts` : "";
    // 137 is SIGKILL. Unless somebody stops the container, only the kernel sends it.
    if (code === 137) {
      return `it was killed (exit code 137${times}), most likely because it exceeded ${memory}`;
    }
    if (state.Error) return `Docker can't start it: ${state.Error}`;
    return restarts > 0 || state.Status === "exited" || exitCode !== undefined
      ? `it exited with code ${code}${times}`
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
