import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "@store/docker/cliError";
import { type Docker, reasonOf } from "@store/docker/docker";
import { messageOf } from "@store/docker/messageOf";
import { problemOf } from "@store/docker/unreachable";

/** File with the defaults of the base images, relative to the project. */
const DEFAULTS_FILE = "config/baseImages.json";
/** Files that repeat them. */
const COPIES = ["Pulumi.yaml", "docs/configuration.md"];

/** Longest time that a registry takes to answer, in milliseconds. */
const REGISTRY_TIMEOUT_MS = 15_000;

export interface BaseImageUpdate {
  readonly image: string;
  /** Reference with the digest, as it is now. */
  readonly current: string;
  /** Newest reference; equal to {@link current} if there is none. */
  readonly newest: string;
}

/** Images whose newer versions fit data and configuration up to a part of the version: haproxy 3.0.x, postgres 18.x, node 26.x.y. */
const FIXED_PARTS: Readonly<Record<string, number>> = { node: 1, postgres: 1, haproxy: 2 };

/**
 * Asks the registries for newer base images than the project's defaults: the newest compatible version, and the digest that its name has
 * now, because publishers build the same version again with the fixes of its packages.
 *
 * @param timeoutMs Longest time that a registry takes to answer. @default 15 s
 * @throws CliError if a registry can't be reached.
 */
export async function findUpdates(
  root: string,
  docker: Docker,
  timeoutMs = REGISTRY_TIMEOUT_MS,
): Promise<BaseImageUpdate[]> {
  return Promise.all(
    Object.entries(readDefaults(root)).map(async ([image, current]) => {
      const tagged = current.replace(/@.*$/, "");
      const newest = await newestVersion(tagged, FIXED_PARTS[image], docker, timeoutMs);
      const digest = await digestOf(newest, docker, timeoutMs);
      if (digest === undefined) throw noSuchImage(newest);
      return { image, current, newest: `${newest}@${digest}` };
    }),
  );
}

/** Writes the newest references into the project's files. Returns the files that have changed. */
export function writeUpdates(root: string, updates: readonly BaseImageUpdate[]): string[] {
  return [DEFAULTS_FILE, ...COPIES].filter((file) => {
    const path = join(root, file);
    const text = readFileSync(path, "utf8");
    const updated = updates.reduce(
      (before, { current, newest }) => replaceReference(before, current, newest),
      text,
    );
    if (updated !== text) writeFileSync(path, updated);
    return updated !== text;
  });
}

/** A reference without a digest is the beginning of one with a digest. */
function replaceReference(text: string, current: string, newest: string): string {
  const pattern = current.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  return text.replace(new RegExp(`${pattern}(?![\\w.@-])`, "g"), newest);
}

function readDefaults(root: string): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(join(root, DEFAULTS_FILE), "utf8")) as Record<string, string>;
}

/** Tries one version after the other, because Docker can't list those of a registry. */
async function newestVersion(
  ref: string,
  fixedParts: number | undefined,
  docker: Docker,
  timeoutMs: number,
): Promise<string> {
  const [, name = "", version = "", variant = ""] = /^(.*:)(\d+(?:\.\d+)+)(.*)$/.exec(ref) ?? [];
  if (fixedParts === undefined || version === "") return ref;
  let newest = version.split(".").map(Number);
  let found = true;
  while (found) {
    found = false;
    for (const next of successors(newest, fixedParts)) {
      const successor = `${name}${next.join(".")}${variant}`;
      if ((await digestOf(successor, docker, timeoutMs)) === undefined) continue;
      newest = next;
      found = true;
      break;
    }
  }
  return `${name}${newest.join(".")}${variant}`;
}

/** Returns the versions that may follow, the nearest first. A release that was withdrawn leaves a gap. */
function successors(version: readonly number[], fixedParts: number): number[][] {
  const parts = version.map((_, index) => index).filter((index) => index >= fixedParts);
  return parts.reverse().flatMap((part) =>
    [1, 2].map((step) =>
      version.map((number, index) => {
        if (index < part) return number;
        return index === part ? number + step : 0;
      }),
    ),
  );
}

/** Returns the digest of an image's name; undefined if the registry doesn't have it. @throws CliError */
async function digestOf(
  ref: string,
  docker: Docker,
  timeoutMs: number,
): Promise<string | undefined> {
  const answer = await docker
    .request("GET", `/distribution/${ref}/json`, timeoutMs)
    .catch((error: unknown) => {
      const cause = (error instanceof CliError ? error.cause : undefined) ?? error;
      // Docker itself has answered until now: it waits for the registry, for example behind a firewall that drops packets.
      throw problemOf(cause) === "ETIMEDOUT" ? noAnswer(ref, messageOf(cause)) : error;
    });
  if (answer.status === 200)
    return (answer.body as { readonly Descriptor: { readonly digest: string } }).Descriptor.digest;
  const reason = reasonOf(answer);
  if (answer.status === 404 || /manifest unknown|not found|name unknown/i.test(reason))
    return undefined;
  throw noAnswer(ref, reason.trim());
}

function noAnswer(ref: string, reason: string): CliError {
  return new CliError(`The registry of ${ref} doesn't answer: ${reason}.`, {
    hint: "Run it where this machine's Docker reaches the registry. Nothing was changed.",
  });
}

function noSuchImage(ref: string): CliError {
  return new CliError(`The registry has no image ${ref}.`, {
    hint: `Correct the reference in ${DEFAULTS_FILE} and Pulumi.yaml.`,
  });
}
