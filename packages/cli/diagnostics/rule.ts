import type { StepEventMetadata } from "@pulumi/pulumi/automation";
import type { CliErrorOptions } from "@store/docker/cliError";
import type { StoreContainer } from "../docker/containers";
import type { Docker } from "@store/docker/docker";
import type { Session } from "../project/session";
import type { CrashedContainers } from "../lifecycle/crashWatch";
import { resourceName } from "../state/checkpoint";
import { storeCommand } from "../project/storeCommand";

/** An error that a run of the engine reported. */
export interface EngineError {
  /** An operation on a resource, the Pulumi program, or the engine itself (stderr). */
  readonly source: "resource" | "program" | "engine";
  /** Root cause, without the messages that wrap it. */
  readonly message: string;
  readonly urn?: string;
  /** The failed step. Only for errors of a resource, and not in a preview. */
  readonly step?: StepEventMetadata;
}

/** An entry of the table in diagnose.ts, which translates errors of the engine into messages. */
export interface Rule {
  /** Unique name. */
  readonly name: string;
  /** Sources of the errors that the rule is for. @default ["resource"] */
  readonly sources?: readonly EngineError["source"][];
  /** The rule applies if one of these matches the error's message. */
  readonly match: readonly RegExp[];
  /** The rule is only for stacks whose host is another machine. @default false */
  readonly remoteOnly?: boolean;
  /** Further condition. @default every error that matches */
  readonly accepts?: (error: EngineError) => boolean;
  /** Rank among the errors of this rule: the one with the lowest is reported in full. @default 0 */
  readonly rank?: (found: Found) => number;
  /** Errors with the same cause are one diagnostic. @default each error has a cause of its own */
  readonly cause?: (found: Found) => string | undefined;
  readonly toDiagnostic: (found: Found, context: Context) => Diagnostic | Promise<Diagnostic>;
}

/** An error together with the first rule that applies to it. */
export interface Found {
  readonly rule: Rule;
  readonly error: EngineError;
  readonly match: RegExpExecArray;
  /** URNs of this error and of all others with the same cause. */
  readonly urns: readonly string[];
}

/** The content of the CliError that the user sees. */
export interface Diagnostic extends CliErrorOptions {
  readonly summary: string;
}

/** The run that failed. */
export interface Context {
  readonly command: "up" | "preview" | "down";
  /** The command line to run after the cause is fixed. @default `./store` with the command and the stack */
  readonly retry?: string;
  readonly session: Session;
  /** False for a stack whose host is another machine. */
  readonly isLocal: boolean;
  /** Docker on this machine; undefined if the stack has another host or Docker doesn't answer. */
  readonly docker: Docker | undefined;
  /** Containers that were removed during the run, because they exited at each start. */
  readonly crashed: CrashedContainers;
  /** The run created, changed or deleted resources before it failed. */
  readonly hasChanges: boolean;
  /** Containers of the stack after the run; empty without Docker. */
  readonly containers: readonly StoreContainer[];
}

/** A sentence if containers of the stack run; empty at a first `up`. Ends with a space. */
export function keepsRunning({ command, containers }: Context): string {
  const isRunning = containers.some(({ state }) => state === "running");
  return command === "up" && isRunning ? "The previous version keeps running. " : "";
}

/** A sentence about the effect of the failed run. Ends with a space. */
export function whatChanged({ command, hasChanges, session }: Context): string {
  if (!hasChanges) return "Nothing was changed. ";
  return `The stack ${session.stack.name} is partly ${command === "down" ? "deleted" : "changed"}. `;
}

/** The command to run after the cause is fixed. */
export function retryCommand({
  command,
  retry,
  session,
}: Pick<Context, "command" | "retry" | "session">): string {
  return retry ?? storeCommand(command, session.stack.name);
}

/** A command for the stack of the run. */
export function commandFor(command: string, { session }: Pick<Context, "session">): string {
  return storeCommand(command, session.stack.name);
}

/** Path of the stack's configuration file, relative to the project. */
export function stackFileName({ session }: Context): string {
  return session.stack.file.replace(`${session.project.root}/`, "");
}

/** For {@link Rule.cause}: the same message of several resources is one diagnostic. */
export function sameMessage({ error }: Found): string {
  return error.message;
}

/** "a, b, c and 4 more". */
export function listNames(names: readonly string[]): string {
  const more = names.length - LISTED_NAMES;
  const listed = names.slice(0, LISTED_NAMES).join(", ");
  return more > 0 ? `${listed} and ${more} more` : listed;
}

const LISTED_NAMES = 3;

/** Name of the failed resource in the program. */
export function resourceOf({ error }: Found): string {
  return resourceName(error.urn ?? "");
}

/** A string input of the failed resource. */
export function inputOf({ error }: Found, ...path: readonly string[]): string | undefined {
  let value: unknown = error.step?.new?.inputs;
  for (const key of path) {
    value = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  }
  return typeof value === "string" ? value : undefined;
}
