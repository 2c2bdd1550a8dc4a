import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { diagnoseRun, applyRules } from "@store/cli/diagnostics/diagnose";
import { collectErrors } from "@store/cli/diagnostics/engineErrors";
import type { Found } from "@store/cli/diagnostics/rule";
import { type EngineEvent, parseEvents } from "@store/cli/engine/events";
import type { EngineRun } from "@store/cli/engine/runEngine";
import { parseProject, ROOT } from "@store/cli/project/project";
import type { CrashedContainers } from "@store/cli/lifecycle/crashWatch";
import type { Session } from "@store/cli/project/session";
import { checkpointFile, findState } from "@store/cli/state/state";
import type { CliError } from "@store/docker/cliError";
import { Docker } from "@store/docker/docker";

/** The fields of the SDK's event types that the CLI reads. */
export interface TestEvent {
  readonly diagnosticEvent?: { urn?: string; severity: "error"; message: string };
  readonly resOpFailedEvent?: { metadata: TestStep };
  readonly resourcePreEvent?: { metadata: TestStep };
  readonly resOutputsEvent?: { metadata: TestStep };
}

export interface TestStep {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  readonly new?: { readonly id?: string; readonly inputs?: Readonly<Record<string, unknown>> };
}

export function engineEvents(...events: readonly TestEvent[]): EngineEvent[] {
  return events as unknown as EngineEvent[];
}

/** Events of a failed step that creates a resource. */
export function failedStep(
  type: string,
  name: string,
  message: string,
  inputs: Readonly<Record<string, unknown>> = {},
): EngineEvent[] {
  const urn = `urn:pulumi:dev::store::${type}::${name}`;
  return engineEvents(
    { diagnosticEvent: { urn, severity: "error", message } },
    { resOpFailedEvent: { metadata: { op: "create", urn, type, new: { inputs } } } },
  );
}

export function applyRulesTo(
  events: readonly EngineEvent[],
  options: { readonly stderr?: string; readonly local?: boolean } = {},
): Found[] {
  return applyRules(collectErrors(events, options.stderr ?? ""), options.local ?? true);
}

/** Returns the names of the rules that apply to a run's errors, in their order. */
export function ruleNames(events: readonly EngineEvent[], stderr = ""): string[] {
  return applyRulesTo(events, { stderr }).map(({ rule }) => rule.name);
}

/**
 * Reads an event log of the engine, of a run of this program that was made to fail. Irrelevant events are left out and the project's
 * folder is replaced.
 */
export function recordedEvents(name: string): EngineEvent[] {
  return parseEvents(recording(`${name}.jsonl`));
}

export function recording(file: string): string {
  return readFileSync(join(__dirname, "recordings", file), "utf8");
}

/** Diagnoses a failed run of the stack dev, without Docker. */
export function diagnose(
  events: readonly EngineEvent[],
  options: {
    readonly stderr?: string;
    readonly command?: "up" | "preview" | "down";
    readonly interrupted?: boolean;
    readonly killedBy?: NodeJS.Signals;
    /** Values of the stack's configuration. @default a local host */
    readonly config?: Readonly<Record<string, unknown>>;
    /** Containers of the stack's state that run. @default Docker isn't asked */
    readonly running?: readonly string[];
    /** Docker has stopped answering. @default false */
    readonly isDockerGone?: boolean;
    /** @default none */
    readonly crashed?: CrashedContainers;
    /** Files in the project's folder, by their path. */
    readonly files?: Readonly<Record<string, string>>;
  } = {},
): Promise<CliError> {
  const run: EngineRun = {
    exitCode: 255,
    interrupted: options.interrupted ?? false,
    killedBy: options.killedBy,
    events,
    stderr: options.stderr ?? "",
  };
  const session = createSession(options.config ?? { "store:host": "local" });
  for (const [path, content] of Object.entries(options.files ?? {})) {
    const file = join(session.project.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  const docker =
    options.isDockerGone === true
      ? new Docker({ host: "unix:///nowhere/docker.sock" })
      : options.running && dockerWith(session, options.running);
  const { command = "up", crashed } = options;
  return diagnoseRun(command, session, docker, run, { crashed });
}

/** Docker with running containers, which are also in the session's state. */
function dockerWith(session: Session, containers: readonly string[]): Docker {
  writeState(session, { containers });
  const found = containers.map((Id) => ({ Id, Names: [`/${Id}`], State: "running", Status: "" }));
  const list = () => Promise.resolve(found);
  return { host: "unix:///docker.sock", list } as unknown as Docker;
}

const roots: string[] = [];
process.once("exit", () => roots.forEach((root) => rmSync(root, { recursive: true })));

export function createSession(config: Readonly<Record<string, unknown>>): Session {
  const root = mkdtempSync(join(tmpdir(), "store-diagnose-"));
  roots.push(root);
  const file = join(root, "Pulumi.dev.yaml");
  writeFileSync(file, JSON.stringify({ config }));
  const project = parseProject(root, readFileSync(join(ROOT, "Pulumi.yaml"), "utf8"));
  const stack = { name: "dev", file };
  return { project, stack, state: findState(project, {}, stack) };
}

/** Writes a state of the session's stack with these Docker resources, each with its ID as name. */
export function writeState(
  session: Session,
  ids: { readonly containers?: readonly string[]; readonly networks?: readonly string[] },
): void {
  const file = checkpointFile(session.state, session.stack.name) ?? "";
  const resources = [
    ...(ids.containers ?? []).map((id) => ({ type: "docker:index/container:Container", id })),
    ...(ids.networks ?? []).map((id) => ({ type: "docker:index/network:Network", id })),
  ].map((resource) => ({ ...resource, urn: `urn:pulumi:dev::store::${resource.type}::x` }));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ checkpoint: { latest: { resources } } }));
}
