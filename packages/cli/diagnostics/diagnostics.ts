import { resourceName } from "../state/checkpoint";
import { EngineEvent, plain, StepMetadata } from "../engine/events";

/** Why a run of the engine failed, as far as its events and its messages tell. */
export type Finding =
  | { readonly kind: "daemonGone"; readonly host: string; readonly during?: string }
  | { readonly kind: "diskFull"; readonly resource: string; readonly message: string }
  | { readonly kind: "portTaken"; readonly port: number }
  | Protected
  | { readonly kind: "networksFull"; readonly resource: string; readonly message: string }
  | BuildFailed
  | NotPublished
  | ImageMissing
  | Unhealthy
  | ConfigRefused
  | { readonly kind: "secret"; readonly message: string }
  | { readonly kind: "locked"; readonly message: string }
  | { readonly kind: "changesUnexpected" }
  | { readonly kind: "program"; readonly message: string; readonly trace: readonly string[] }
  | ResourceFailed
  | { readonly kind: "engine"; readonly message: string };

export interface ResourceFailed {
  readonly kind: "resource";
  readonly resource: string;
  readonly message: string;
  /** What it is, where it is Azure's: "virtual machine". All that a host needs has one name. */
  readonly inCloud?: string;
}

export interface BuildFailed {
  readonly kind: "build";
  /** Name of the image's resource, without its tag: "inventory-image". */
  readonly image: string;
  readonly context: string;
  readonly dockerfile: string;
  /** Where the builder wrote what the steps printed, relative to the project. */
  readonly logFile?: string;
  readonly message: string;
  readonly diskFull: boolean;
}

/** An image didn't get into the registry. */
export interface NotPublished {
  readonly kind: "notPublished";
  /** Name of the image's resource, without its tag: "inventory-image". */
  readonly image: string;
  readonly why: string;
  readonly evidence: readonly string[];
}

/** The host can't pull an image. */
export interface ImageMissing {
  readonly kind: "imageMissing";
  /** With its registry, tag and digest, as far as it was given them. */
  readonly image: string;
  readonly reason: string;
  /** The registry, where that is the reason: it refuses the login. */
  readonly refusedBy?: string;
}

export interface Unhealthy {
  readonly kind: "unhealthy";
  readonly resource: string;
  /** ID of the container that was made. */
  readonly container?: string;
}

/** What holds data was to be deleted: the program doesn't have it any more. */
export interface Protected {
  readonly kind: "protected";
  readonly urns: readonly string[];
}

export interface ConfigRefused {
  readonly kind: "config";
  readonly key?: string;
  readonly message: string;
  /** Whether a resource found it out, and so not before others may have been changed. @default false */
  readonly midway?: boolean;
}

/** What went wrong, the cause before its consequences. */
export function findings(events: readonly EngineEvent[], stderr: string): Finding[] {
  const failed = new Map<string, StepMetadata>(
    events.flatMap(({ resOpFailedEvent: event }) =>
      event ? [[event.metadata.urn, event.metadata]] : [],
    ),
  );
  const found = errorsByUrn(events).flatMap(([urn, messages]): Finding[] => {
    // In a preview no step has failed.
    if (messages.some((message) => PROTECTED.test(message))) {
      return [{ kind: "protected", urns: [urn] }];
    }
    const step = failed.get(urn);
    return step ? [ofResource(step, messages)] : ofProgram(messages);
  });
  if (found.length === 0) found.push(...ofStderr(stderr));
  return together(found).sort((a, b) => RANK.indexOf(a.kind) - RANK.indexOf(b.kind));
}

/** What is protected is one finding: a service's data is its volume and its password. */
function together(found: readonly Finding[]): Finding[] {
  const urns = found.flatMap((finding) => (finding.kind === "protected" ? finding.urns : []));
  const others = found.filter(({ kind }) => kind !== "protected");
  return urns.length > 0 ? [...others, { kind: "protected", urns }] : others;
}

const PROTECTED = /cannot be deleted\s+because it is protected/;

const RANK: readonly Finding["kind"][] = [
  "locked",
  "daemonGone",
  "diskFull",
  "secret",
  "config",
  "portTaken",
  "networksFull",
  "build",
  "notPublished",
  "imageMissing",
  "unhealthy",
  "protected",
  "program",
  "resource",
  "changesUnexpected",
  "engine",
];

/** The error messages for each resource, in the order of the first. Without a resource: the program's own. */
function errorsByUrn(events: readonly EngineEvent[]): [string, string[]][] {
  const errors = new Map<string, string[]>();
  for (const { diagnosticEvent } of events) {
    if (diagnosticEvent?.severity !== "error") continue;
    const urn = diagnosticEvent.urn ?? "";
    errors.set(urn, [...(errors.get(urn) ?? []), plain(diagnosticEvent.message).trim()]);
  }
  return [...errors];
}

function ofResource(step: StepMetadata, messages: readonly string[]): Finding {
  const resource = resourceName(step.urn);
  const inputs = step.new?.inputs ?? {};
  const message = rootCause(messages);
  const unpublished = NOT_PUBLISHED.exec(message);
  if (unpublished) {
    const [, why = "", rest = ""] = unpublished;
    const evidence = rest.split("\n").filter((line) => line.trim() !== "");
    return { kind: "notPublished", image: imageOf(resource), why, evidence };
  }
  // What a script of the program's says on purpose.
  const refusal = /^(store:\w+): .*$/m.exec(message);
  if (refusal) return { kind: "config", key: refusal[1], message: refusal[0], midway: true };
  const daemon = daemonIn(message);
  if (daemon !== undefined) return { kind: "daemonGone", host: daemon, during: resource };
  const port = takenPort(message);
  if (port !== undefined) return { kind: "portTaken", port };
  if (/running buildx build|error building|failed to solve|dockerfile/i.test(message)) {
    return ofBuild(resource, inputs, message);
  }
  if (DISK_FULL.test(message)) return { kind: "diskFull", resource, message };
  if (/pull(ing)? image|manifest unknown|unable to read docker image/i.test(message)) {
    return ofImage(typeof inputs["name"] === "string" ? inputs["name"] : resource, message);
  }
  if (NETWORKS_FULL.test(message)) return { kind: "networksFull", resource, message };
  if (/failed to be in healthy state|container exited immediately/i.test(message)) {
    return { kind: "unhealthy", resource, container: step.new?.id };
  }
  const inCloud = /^azure-native:\w+:(\w+)$/.exec(step.type)?.[1];
  return { kind: "resource", resource, message, ...(inCloud && { inCloud: inWords(inCloud) }) };
}

function ofImage(image: string, message: string): ImageMissing {
  const said = message.split(`error pulling image ${image}: `).at(-1) ?? message;
  const reason = said.replace(/^Error response from daemon: /, "");
  const registry = /^([^/]+[.:][^/]+)\//.exec(image)?.[1];
  const refused =
    registry !== undefined &&
    // "pull access denied … may require 'docker login'" is what Docker Hub says of a name that it doesn't know.
    /unauthorized|authentication required|no basic auth|^denied/i.test(reason);
  return { kind: "imageMissing", image, reason, ...(refused && { refusedBy: registry }) };
}

/** What components/image/publish/publish.mjs says last, after what docker has said. */
const NOT_PUBLISHED = /^not published: (.*)$([\s\S]*)/m;

/** "public IP address" for PublicIPAddress. */
function inWords(type: string): string {
  return type
    .split(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/)
    .map((word) => (word === word.toUpperCase() ? word : word.toLowerCase()))
    .join(" ");
}

/** Its resource has the tag in its name. */
function imageOf(resource: string): string {
  return resource.replace(/:[^:]*$/, "");
}

function ofBuild(
  resource: string,
  inputs: Readonly<Record<string, unknown>>,
  message: string,
): BuildFailed {
  const build = (inputs["build"] ?? {}) as Readonly<Record<string, unknown>>;
  const text = (key: string): string | undefined =>
    typeof build[key] === "string" ? build[key] : undefined;
  return {
    kind: "build",
    image: imageOf(resource),
    context: text("context") ?? "",
    dockerfile: text("dockerfile") ?? "Dockerfile",
    logFile: text("buildLogFile"),
    message: message.replace(/^.*?failed to solve: /s, ""),
    diskFull: DISK_FULL.test(message),
  };
}

/** What the program itself said: an error that it threw on purpose, or a mistake in it. */
function ofProgram(messages: readonly string[]): Finding[] {
  return messages
    .filter((message) => !/^(update|preview|destroy|refresh) (failed|canceled)$/.test(message))
    .map((message): Finding => {
      const mistake = /^Running program '.*?' failed with an unhandled exception:\s*(.*)$/s.exec(
        message,
      )?.[1];
      if (mistake !== undefined) {
        const [first = "", ...trace] = mistake.split("\n");
        // Only the person's own files say where to look.
        const own = trace.filter((line) => !/node_modules|\(node:|at node:/.test(line));
        return { kind: "program", message: first, trace: own };
      }
      return {
        kind: "config",
        key: /^([a-z][\w-]*:[\w.]+):/.exec(message)?.[1],
        message,
      };
    });
}

/** The engine ended before it ran anything. */
function ofStderr(stderr: string): Finding[] {
  const message = /^error: (.*)$/ms.exec(stderr)?.[1]?.trim();
  if (message === undefined) return [];
  if (message.includes("is currently locked by")) return [{ kind: "locked", message }];
  if (/^no changes were expected/.test(message)) return [{ kind: "changesUnexpected" }];
  if (/decrypt|incorrect passphrase|message authentication failed/i.test(message)) {
    return [{ kind: "secret", message }];
  }
  const key =
    /configuration key '([^']+)'/.exec(message)?.[1] ??
    /missing required configuration variable '([^']+)'/i.exec(message)?.[1];
  if (key !== undefined || /stack config|stack configuration|invalid YAML/.test(message)) {
    return [{ kind: "config", key, message: message.replace(/^validating stack config: /, "") }];
  }
  return [{ kind: "engine", message }];
}

/**
 * The innermost of the messages that are wrapped in each other:
 *
 *     1 error occurred:
 *         * creating urn:…: 1 error occurred:
 *         * container failed to be in healthy state
 */
function rootCause(messages: readonly string[]): string {
  const wrapped = messages.find((message) => message.startsWith("1 error occurred:"));
  const innermost = wrapped?.split(/\n\s*\* /).at(-1) ?? messages[0] ?? "";
  return (
    innermost
      .replace(/^creating urn:\S+: /, "")
      // A command's own words are enough.
      .replace(/^(Process exited with|exit) status \d+: running ".*":\n(?=.)/, "")
      .replace(/^\s*sdk-v2\/\S+ sdk\.helper_schema: /, "")
      .replace(/: provider=\S+$/, "")
      .trim()
  );
}

function daemonIn(message: string): string | undefined {
  return (
    /Cannot connect to the Docker daemon at (\S+?)\.? /.exec(message)?.[1] ??
    /make sure that (\S+) is reachable/.exec(message)?.[1] ??
    (/error during connect|Docker server.*(EOF|refused)/i.test(message) ? "its address" : undefined)
  );
}

function takenPort(message: string): number | undefined {
  const port =
    /listen \w+ \S*?:(\d+): bind: address already in use/.exec(message)?.[1] ??
    /Bind for \S*?:(\d+) failed: port is already allocated/.exec(message)?.[1] ??
    /failed to bind host port.*?:(\d+)(?:\/tcp)?.*address already in use/.exec(message)?.[1] ??
    /[Pp]orts are not available.*?:(\d+)/.exec(message)?.[1];
  return port === undefined ? undefined : Number(port);
}

export const DISK_FULL = /no space left on device|ENOSPC|disk quota exceeded/i;

/** Docker's words before and since version 28. */
const NETWORKS_FULL = /non-overlapping IPv4 address pool|address pools have been fully subnetted/;

/** The part of a build's log that belongs to its last run, or rather to the step of it that failed. */
export function failedStep(log: string): string[] {
  const last = log.slice(Math.max(0, log.lastIndexOf("#0 building with")));
  const step = /^#(\d+) ERROR: /m.exec(last)?.[1];
  if (step === undefined) return [];
  return last
    .split("\n")
    .filter((line) => line.startsWith(`#${step} `))
    .map((line) => line.replace(/^#\d+ (\d+\.\d+ )?/, ""))
    .filter((line) => !/^(ERROR: |DONE |CACHED)/.test(line));
}
