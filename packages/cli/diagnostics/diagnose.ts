import { CliError, ExitCode } from "@store/docker/cliError";
import { stackContainers } from "../docker/stackContainers";
import type { Docker } from "@store/docker/docker";
import type { EngineEvent } from "../engine/events";
import { policyViolations } from "../engine/policyPack";
import type { EngineRun } from "../engine/runEngine";
import type { CrashedContainers } from "../lifecycle/crashWatch";
import { isLocal, Session } from "../project/session";
import { buildFailed, noSpace, notPublished } from "./rules/build";
import * as config from "./rules/config";
import * as engine from "./rules/engine";
import { collectErrors } from "./engineErrors";
import { unhealthy } from "./rules/health";
import { daemonUnreachable, hostRules, lostDaemon } from "./rules/host";
import { loginUnreadable, pullFailed } from "./rules/image";
import { networkInUse, networksExhausted, portPrivileged, portTaken } from "./rules/network";
import { policiesViolated } from "./rules/policy";
import { serviceUnhealthy, swarmFailed, workerUnreachable } from "./rules/swarm";
import { Context, Diagnostic, EngineError, Found, listNames, retryCommand, Rule } from "./rule";
import { resourceName } from "../state/checkpoint";
import { storeCommand } from "../project/storeCommand";

/**
 * Rules in order of precedence: the first one that matches an error translates it, and among several errors the one with the
 * first rule is reported in full, because causes come before their consequences.
 */
const RULES: readonly Rule[] = [
  engine.stackLocked,
  config.wrongPassphrase,
  config.keyRefused,
  config.malformedSecret,
  config.undecryptableSecret,
  // Texts of the program's own scripts, which may quote texts that other rules match.
  config.configRejectedByResource,
  config.configRejected,
  engine.unexpectedChanges,
  config.configRejectedByEngine,
  notPublished,
  swarmFailed,
  workerUnreachable,
  daemonUnreachable,
  loginUnreadable,
  portPrivileged,
  portTaken,
  buildFailed,
  noSpace,
  pullFailed,
  networksExhausted,
  networkInUse,
  unhealthy,
  serviceUnhealthy,
  engine.protectedData,
  engine.protectedReplacement,
  config.programFailed,
  ...hostRules,
  config.programError,
  engine.resourceFailed,
  engine.engineFailed,
];

interface DiagnoseOptions {
  readonly crashed?: CrashedContainers;
  readonly retry?: string;
}

/**
 * Translates a failed run of the engine into one error message with cause, details and hint.
 *
 * @param options.crashed Containers that were removed during the run. Defaults to none.
 * @param options.retry The command line to run after the cause is fixed. Defaults to the command on the stack.
 */
export async function diagnoseRun(
  command: Context["command"],
  session: Session,
  docker: Docker | undefined,
  run: EngineRun,
  { crashed = new Map(), retry }: DiagnoseOptions = {},
): Promise<CliError> {
  if (run.interrupted) return interruptedError({ command, retry, session }, run.killedBy);
  const errors = applyRules(collectErrors(run.events, run.stderr), isLocal(session));
  const violations = policyViolations(run.events).filter(({ isMandatory }) => isMandatory);
  if (violations.length > 0) {
    return withOthers(policiesViolated(violations, { command, session }), errors);
  }
  const [first, ...others] = errors;
  if (first === undefined) {
    return new CliError(`The engine failed with exit code ${run.exitCode}.`, {
      hint: `See its output above. ${storeCommand("doctor", session.stack.name)} checks what the engine needs.`,
    });
  }
  const hasChanges = hasChangedResources(run.events);
  const context = await createContext({ command, retry, session, crashed, hasChanges }, docker);
  if (docker !== undefined && context.docker === undefined && !(await answers(docker))) {
    // Each resource fails in its own way when the daemon goes away, a build like one with a broken builder.
    const consequences = errors.filter(({ rule }) => rule !== daemonUnreachable);
    const cause = errors.find(({ rule }) => rule === daemonUnreachable);
    return withOthers(lostDaemon(cause?.error, docker.host, context), consequences);
  }
  return withOthers(await first.rule.toDiagnostic(first, context), others);
}

/** Returns the error that the user sees: a diagnostic, and a line for each other error. */
function withOthers({ summary, ...rest }: Diagnostic, others: readonly Found[]): CliError {
  const also = otherErrors(others).map((line) => `\n  - ${line}`);
  return new CliError(also.length > 0 ? `${summary}\n  Also:${also.join("")}` : summary, rest);
}

/** Finds the rule of each error. Returns one entry for each cause, in the rules' order. */
export function applyRules(errors: readonly EngineError[], local: boolean): Found[] {
  const found = errors.flatMap((error) => applyFirstRule(error, local) ?? []);
  const byCause = new Map<unknown, Found>();
  for (const one of found) {
    const cause = one.rule.cause?.(one);
    const key = cause === undefined ? one : `${one.rule.name} ${cause}`;
    const first = byCause.get(key);
    byCause.set(key, first ? { ...first, urns: [...first.urns, ...one.urns] } : one);
  }
  const rank = (one: Found): number => one.rule.rank?.(one) ?? 0;
  return [...byCause.values()].sort(
    (a, b) => RULES.indexOf(a.rule) - RULES.indexOf(b.rule) || rank(a) - rank(b),
  );
}

function applyFirstRule(error: EngineError, local: boolean): Found | undefined {
  for (const rule of RULES) {
    if (rule.remoteOnly && local) continue;
    if (!(rule.sources ?? ["resource"]).includes(error.source)) continue;
    if (rule.accepts?.(error) === false) continue;
    for (const pattern of rule.match) {
      const match = pattern.exec(error.message);
      if (match) return { rule, error, match, urns: error.urn ? [error.urn] : [] };
    }
  }
  return undefined;
}

async function createContext(
  run: Pick<Context, "command" | "retry" | "session" | "crashed" | "hasChanges">,
  docker: Docker | undefined,
): Promise<Context> {
  const { session } = run;
  const context = { ...run, isLocal: isLocal(session) };
  try {
    const containers = docker ? await stackContainers(session, docker) : [];
    return { ...context, docker, containers };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { ...context, docker: undefined, containers: [] };
  }
}

async function answers(docker: Docker): Promise<boolean> {
  return docker.ping().then(
    () => true,
    () => false,
  );
}

/** Checks whether the run has changed a resource of a provider; the stack itself is one of the engine's. */
function hasChangedResources(events: readonly EngineEvent[]): boolean {
  return events.some(
    ({ resOutputsEvent: event }) =>
      event !== undefined &&
      event.planning !== true &&
      !/^(same|refresh|read|discard)/.test(event.metadata.op) &&
      !event.metadata.type.startsWith("pulumi:pulumi:"),
  );
}

/** One line for each different message, with the names of its resources. */
function otherErrors(found: readonly Found[]): string[] {
  const namesByMessage = new Map<string, string[]>();
  for (const { error, urns } of found) {
    const [firstLine = ""] = error.message.split("\n");
    const names = error.source === "resource" ? urns.map(resourceName) : [];
    namesByMessage.set(firstLine, [...(namesByMessage.get(firstLine) ?? []), ...names]);
  }
  return [...namesByMessage].map(([message, names]) =>
    names.length === 0 ? message : `${listNames(names)}: ${message}`,
  );
}

function interruptedError(
  run: Pick<Context, "command" | "retry" | "session">,
  killedBy: EngineRun["killedBy"],
): CliError {
  const { summary, hint }: Diagnostic =
    run.command === "preview"
      ? { summary: "Interrupted.", hint: "A preview changes nothing." }
      : {
          summary: `Interrupted: ${interruptionEffect(run, killedBy)}`,
          hint:
            `${killedBy === undefined ? "The state is saved. " : ""}Continue: ${retryCommand(run)}. ` +
            `See what runs: ${storeCommand("ps", run.session.stack.name)}.`,
        };
  return new CliError(summary, { hint, exitCode: ExitCode.Interrupted });
}

function interruptionEffect(
  { command, session }: Pick<Context, "command" | "session">,
  killedBy: EngineRun["killedBy"],
): string {
  const stack = session.stack.name;
  const effect =
    command === "down" ? "partly deleted." : "partly changed. Its running services keep running.";
  return killedBy === undefined
    ? `the stack ${stack} is ${effect}`
    : `${killedBy} ended the engine during its operations, which may be unfinished. The stack ${stack} is ${effect}`;
}
