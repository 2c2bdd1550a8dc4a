import { readFileSync } from "node:fs";
import * as path from "node:path";

import { CliError } from "@store/docker/cliError";

export const repositoryRoot = path.resolve(__dirname, "../../..");
export const goSources = path.resolve(__dirname, "../go");

/** A provider plugin that the toolchain builds. */
export interface PluginPin {
  name: string;
  /** The version of the npm package; the engine looks for the plugin of exactly this version. */
  version: string;
  /** The folder in packages/toolchain/go, and the package in it. */
  module: string;
  package: string;
  tags: string[];
  /** Ours from the ground up, instead of the published one's own sources. */
  stub: boolean;
}

export const plugins: readonly PluginPin[] = [
  {
    name: "docker",
    version: "5.2.0",
    module: "docker-provider",
    package: ".",
    // Compose in the provider would double its size, and the published one has no resource for it.
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
    // npm's "latest" is an old build under a wrong tag.
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
    // Refuses everything: it is there so that previews don't look for it.
    name: "azure-native",
    version: "3.28.0",
    module: "stub-providers",
    package: "./pulumi-resource-azure-native",
    tags: [],
    stub: true,
  },
];

/**
 * The engine's version is pinned by the npm package `pulumi`. It is also the oldest one that we accept on PATH: the
 * tests run with no older one, and nobody would see that an older engine ignores an option that the newer SDK sends.
 */
export function engineVersion(): string {
  return installedVersion("pulumi");
}

/** The packages in node_modules and the Go sources are pinned in two places; together they make one engine. */
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
        hint: "Run `npm ci`. After an upgrade in package.json, bring packages/toolchain/engine/pins.ts and packages/toolchain/go in line with it.",
      },
    );
  }
}

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

/** The oldest Go that all of our modules build with. */
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
