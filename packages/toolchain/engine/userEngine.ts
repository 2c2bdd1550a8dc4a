import { mkdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import * as path from "node:path";
import { replaceFile } from "@store/docker/replaceFile";
import { cacheFolder } from "../system/cache";
import { findAllOnPath, findOnPath, isExecutable, run } from "../system/run";
import { isAtLeast, parseVersion } from "../system/versions";
import { NO_UPDATE_CHECK } from "./engineEnv";
import { engineVersion } from "./pins";

export async function findOnUsersPath(options: {
  remember: boolean;
}): Promise<{ found?: { pulumi: string; version: string }; rejected: string[] }> {
  const rejected: string[] = [];
  const minimum = engineVersion();
  for (const pulumi of findAllOnPath("pulumi").filter(isUsersOwn)) {
    const version = await versionOf(pulumi, options);
    const problem = rejectionReason(pulumi, version, minimum, hasLanguageHost(pulumi));
    if (problem === undefined && version !== undefined)
      return { found: { pulumi, version }, rejected };
    if (problem !== undefined) rejected.push(problem);
  }
  return { rejected };
}

export function rejectionReason(
  pulumi: string,
  version: string | undefined,
  minimum: string,
  hasLanguageHost: boolean,
): string | undefined {
  if (version === undefined) return `${pulumi} doesn't print its version; not used.`;
  if (!isAtLeast(version, minimum)) {
    return `${pulumi} is ${version}, older than ${minimum}; not used.`;
  }
  if (!hasLanguageHost) {
    return `${pulumi} has no pulumi-language-nodejs next to it or on PATH; not used.`;
  }
  return undefined;
}

/**
 * Returns whether the user has installed this executable. npm scripts have node_modules/.bin on PATH, where `pulumi` is the npm
 * package, which starts its download when it is run.
 */
function isUsersOwn(pulumi: string): boolean {
  const real = realpathSync(pulumi);
  return (
    !real.includes(`${path.sep}node_modules${path.sep}`) &&
    !real.startsWith(cacheFolder() + path.sep)
  );
}

function hasLanguageHost(pulumi: string): boolean {
  const name = "pulumi-language-nodejs";
  return (
    [pulumi, realpathSync(pulumi)].some((file) =>
      isExecutable(path.join(path.dirname(file), name)),
    ) || findOnPath(name) !== undefined
  );
}

/** Returns the engine's version. Starting the engine takes 0.25 s, so the version is cached until the file changes. */
async function versionOf(
  pulumi: string,
  options: { remember: boolean },
): Promise<string | undefined> {
  const { mtimeMs, size } = statSync(pulumi);
  const identity = `${realpathSync(pulumi)} ${size} ${mtimeMs}`;
  const remembered = readVersions()[identity];
  if (remembered !== undefined) return remembered;

  const { code, stdout } = await run(pulumi, ["version"], {
    env: NO_UPDATE_CHECK,
    timeoutMs: 20_000,
  });
  const version = code === 0 ? stdout.trim().replace(/^v/, "") : "";
  if (parseVersion(version) === undefined) return undefined;
  if (options.remember) rememberVersion(identity, version);
  return version;
}

function versionsFile(): string {
  return path.join(cacheFolder(), "engine-versions.json");
}

function readVersions(): Record<string, string> {
  try {
    return JSON.parse(readFileSync(versionsFile(), "utf8")) as Record<string, string>;
  } catch {
    // Missing, or truncated by a full disk; it is only a cache.
    return {};
  }
}

function rememberVersion(identity: string, version: string): void {
  try {
    mkdirSync(cacheFolder(), { recursive: true });
    replaceFile(versionsFile(), JSON.stringify({ [identity]: version }));
  } catch {
    // A full disk or a read-only home: the next run asks the engine again.
  }
}
