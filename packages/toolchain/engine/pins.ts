import { readFileSync } from "node:fs";
import * as path from "node:path";

import { CliError } from "@store/docker/cliError";

export const repositoryRoot = path.resolve(__dirname, "../../..");
export const goSources = path.resolve(__dirname, "../go");

/** A provider plugin that the toolchain builds. */
export interface PluginPin {
  name: string;
  /** Version of the npm package. The engine requires a plugin of exactly this version. */
  version: string;
  /** Folder in packages/toolchain/go. */
  module: string;
  /** Go package in the module. */
  package: string;
  tags: string[];
  /** A stub provider from this repository, instead of the published provider's sources. */
  stub: boolean;
}

export const plugins: readonly PluginPin[] = [
  {
    name: "docker",
    version: "5.2.0",
    module: "docker-provider",
    package: ".",
    // Leave Compose out: it doubles the size, and the published provider has no resource for it.
    tags: ["no_compose"],
    stub: false,
  },
  {
    name: "random",
    version: "4.21.2",
    module: "stub-providers",
    package: "./pulumi-resource-random",
    tags: [],
    stub: true,
  },
  {
    name: "command",
    // npm's tag "latest" points to an older build.
    version: "1.2.1",
    module: "stub-providers",
    package: "./pulumi-resource-command",
    tags: [],
    stub: true,
  },
  {
    name: "tls",
    version: "5.6.1",
    module: "stub-providers",
    package: "./pulumi-resource-tls",
    tags: [],
    stub: true,
  },
  {
    // Rejects every request; exists so that previews don't try to download the plugin.
    name: "azure-native",
    version: "3.28.0",
    module: "stub-providers",
    package: "./pulumi-resource-azure-native",
    tags: [],
    stub: true,
  },
];

/**
 * Returns the engine's version, which the npm package `pulumi` pins. It is also the minimum for an engine on PATH: the tests don't
 * run with older ones, which silently ignore options of the newer SDK.
 */
export function engineVersion(): string {
  return installedVersion("pulumi");
}

/** Checks that the versions of npm packages, Go modules and plugins agree. @throws CliError */
export function checkPins(): void {
  const problems = disagreements(
    Object.fromEntries([
      ["pulumi", installedVersion("pulumi")],
      ...plugins.map((p) => [`@pulumi/${p.name}`, installedVersion(`@pulumi/${p.name}`)]),
    ]) as Record<string, string>,
    readFileSync(path.join(goSources, "engine", "go.mod"), "utf8"),
  );
  if (problems.length > 0) {
    throw new CliError(
      `The toolchain's pins and the installed npm packages disagree: ${problems.join("; ")}.`,
      {
        hint: "Run `npm ci`. After an upgrade in package.json, update packages/toolchain/engine/pins.ts and packages/toolchain/go, too.",
      },
    );
  }
}

/** Returns a description of each version that disagrees. */
export function disagreements(installed: Record<string, string>, engineGoMod: string): string[] {
  const pinned = new Map(plugins.map((plugin) => [`@pulumi/${plugin.name}`, plugin.version]));
  for (const [, module, version] of engineGoMod.matchAll(
    /(github\.com\/pulumi\/pulumi\/(?:pkg|sdk)\/v3) v(\S+)/g,
  )) {
    if (version !== undefined && version !== installed.pulumi) {
      return [
        `npm has pulumi ${installed.pulumi ?? "not"}, packages/toolchain/go/engine ${module} ${version}`,
      ];
    }
  }
  return [...pinned]
    .filter(([name, version]) => installed[name] !== version)
    .map(
      ([name, version]) =>
        `npm has ${name} ${installed[name] ?? "not"}, packages/toolchain/engine/pins.ts ${version}`,
    );
}

/** Returns the minimum Go version of all modules. */
export function requiredGo(goMods: string[]): string {
  const versions = goMods
    .map((text) => /^go (\S+)$/m.exec(text)?.[1])
    .filter((version) => version !== undefined);
  return versions.reduce((newest, version) =>
    newest.localeCompare(version, "en", { numeric: true }) < 0 ? version : newest,
  );
}

function installedVersion(name: string): string {
  const file = path.join(repositoryRoot, "node_modules", name, "package.json");
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new CliError(`The npm package ${name} is not installed.`, { hint: "Run `npm ci`." });
  }
}
