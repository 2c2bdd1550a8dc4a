import { isVmStopped } from "../../host/stoppedVm";
import { configText } from "../../project/project";
import { completeCommands, storeCommand } from "../../project/storeCommand";
import { HostProblem, PROBLEMS, UNREACHABLE } from "./hostProblems";
import { Context, Diagnostic, EngineError, Found, retryCommand, Rule } from "../rule";

export const hostRules: readonly Rule[] = PROBLEMS.map((problem) => ({
  name: problem.name,
  sources: ["resource", "program"],
  match: problem.match,
  remoteOnly: true,
  ...(problem.general === true && { cause: () => problem.name }),
  // "Conflict" and "quota" are words of Docker's, too.
  accepts: ({ urn = "" }) => !problem.name.startsWith("azure-") || !isDockerResource(urn),
  toDiagnostic: async ({ error }, context) =>
    (UNANSWERED.has(problem.name) ? await stoppedVmDiagnostic(context) : undefined) ?? {
      summary: `${failedOperation(problem, error.step, context)}: ${causeFor(problem, context)}.`,
      details: error.message.split("\n").slice(-22),
      hint: hintFor(problem, context),
    },
}));

/** Names of problems that a VM that is off has, too. */
const UNANSWERED: ReadonlySet<string> = new Set([UNREACHABLE.name, "provisioning-timeout"]);

/** Returns the diagnostic for a VM that is off; undefined if it isn't, and if Azure can't be asked. */
async function stoppedVmDiagnostic(context: Context): Promise<Diagnostic | undefined> {
  if (!(await isVmStopped(context.session))) return undefined;
  const start = storeCommand("start", context.session.stack.name);
  return {
    summary: "Host unreachable: the VM is stopped.",
    hint: `Start it: ${start}\nThen: ${retryCommand(context)}`,
  };
}

export const daemonUnreachable: Rule = {
  name: "daemon-unreachable",
  // In a preview, the errors of resources have the source "program".
  sources: ["resource", "program"],
  match: [
    /cannot connect to the Docker daemon(?: at (\S+?)\.? |\b)/i,
    /make sure that (\S+) is reachable/,
    /error during connect|Docker server.*(EOF|refused)/i,
  ],
  // One diagnostic for all resources: they are on the same daemon.
  cause: () => "daemon",
  toDiagnostic: daemonDiagnostic,
};

async function daemonDiagnostic({ error, match }: Found, context: Context): Promise<Diagnostic> {
  if (context.isLocal) return lostDaemon(error, match[1] ?? context.docker?.host, context);
  const stopped = await stoppedVmDiagnostic(context);
  if (stopped !== undefined) return stopped;
  const address = match[1] === undefined ? "" : ` (Docker at ${match[1]})`;
  return {
    summary: `Host unreachable: ${causeFor(UNREACHABLE, context)}${address}.`,
    hint: hintFor(UNREACHABLE, context),
  };
}

/** Returns the diagnostic for a daemon on this machine that no longer answers, with the error that says so if there is one. */
export function lostDaemon(
  error: EngineError | undefined,
  host: string | undefined,
  context: Context,
): Diagnostic {
  return {
    summary: `Lost the connection to Docker${host === undefined ? "" : ` at ${host}`}.`,
    details: error?.message.split("\n"),
    hint: `${hintForDaemon(host)} Then: ${retryCommand(context)}`,
  };
}

function hintForDaemon(host: string | undefined): string {
  if (host === undefined || host.startsWith("unix:")) {
    return "Start Docker (systemctl start docker, or Docker Desktop); it restarts its containers.";
  }
  return `Check the connection and that Docker runs there: docker --host ${host} version.`;
}

function isDockerResource(urn: string): boolean {
  return /(::|\$)docker:/.test(urn);
}

function isSsh({ session: { project, stack } }: Context): boolean {
  return configText(project, stack, "host") === "ssh";
}

function causeFor({ cause, onSsh }: HostProblem, context: Context): string {
  return (isSsh(context) ? onSsh?.cause : undefined) ?? cause;
}

function failedOperation(
  { connection }: HostProblem,
  step: EngineError["step"],
  { command }: Context,
): string {
  if (connection) return "Host unreachable";
  // All resources of the host have the same name, so the message names the type.
  const azureType = /^azure-native:\w+:(\w+)$/.exec(step?.type ?? "")?.[1];
  if (azureType === undefined) return "Host provisioning failed";
  const isDeletion = command === "down" || step?.op.startsWith("delete") === true;
  const operation = isDeletion ? "Deleting" : step?.op === "update" ? "Updating" : "Creating";
  return `${operation} the ${typeInWords(azureType)} failed`;
}

/** "public IP address" for PublicIPAddress. */
function typeInWords(type: string): string {
  return type
    .split(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/)
    .map((word) => (word === word.toUpperCase() ? word : word.toLowerCase()))
    .join(" ");
}

function hintFor({ hint, onSsh }: HostProblem, context: Context): string {
  const stack = context.session.stack.name;
  const text = (isSsh(context) ? onSsh?.hint : undefined) ?? hint;
  return `${completeCommands(text, stack)}\nThen: ${retryCommand(context)}`;
}
