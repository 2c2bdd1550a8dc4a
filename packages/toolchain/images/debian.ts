import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import { messageOf } from "@store/docker/messageOf";
import { cacheFolder, filesBelow, keyOf } from "../system/cache";
import { Reporter } from "../system/report";
import { findOnPath, lastLines, run } from "../system/run";
import { sendArchive } from "./archive";
import { aptSources, caBundle, type Mirrors, mirrorsOf } from "./debianSources";
import { inScratchFolder } from "./scratchFolder";

export const SUITE = "trixie";

const REPOSITORY = "store-toolchain/debian";

const RECIPE = path.join(__dirname, "debian");

export interface DebianBase {
  readonly suite: string;
  readonly key: string;
  readonly ref: string;
  readonly certificates: string;
  readonly mirrors: Mirrors;
}

/**
 * Describes the Debian image on which fallback images are based. It may not be built yet.
 *
 * @param suite Debian release. @default the release of the fallback images
 */
export function debianBase(suite = SUITE): DebianBase {
  const certificates = caBundle();
  const mirrors = mirrorsOf(aptSources());
  const key = keyOf({ ...filesBelow(RECIPE), suite, certificates, ...mirrors });
  return { suite, key, ref: `${REPOSITORY}:${suite}-${key}`, certificates, mirrors };
}

/** Builds the image unless the daemon has it. The caller must hold the lock base-images. */
export async function ensureDebianBase(
  base: DebianBase,
  docker: Docker,
  labels: Record<string, string>,
  report: Reporter,
): Promise<void> {
  if ((await docker.get(`/images/${base.ref}/json`)) !== undefined) return;
  const asRoot = rootCommand();
  await ensureDebootstrap(asRoot, report);
  await inScratchFolder(path.join(cacheFolder(), "debian-root"), asRoot, async (folder) => {
    const root = path.join(folder, "root");
    await bootstrap(root, base, asRoot, report);
    const bundle = path.join(folder, "ca-certificates.crt");
    writeFileSync(bundle, base.certificates);
    await mustRun(
      [...asRoot, "sh", path.join(RECIPE, "finish.sh"), root, bundle, base.suite].concat([
        base.mirrors.main,
        base.mirrors.security,
      ]),
      "The Debian base image can't be finished",
    );
    report.progress("importing the Debian base image");
    await importImage(root, base.ref, docker, labels, asRoot);
  });
  await removeOlderBases(base, docker);
}

/** Hint for all errors of the build. */
const ALTERNATIVES =
  "Give the Docker daemon access to a registry that has the image; or copy the image from another machine " +
  "(`docker save` there, `docker load` here); or configure another image.";

/** Returns the prefix of a command that needs root: nothing for root, otherwise sudo. */
function rootCommand(): string[] {
  if (process.getuid?.() === 0) return [];
  if (spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0) return ["sudo", "-n"];
  throw new CliError(
    "A base image can't be made from packages here: that needs root, or sudo without a password.",
    { hint: ALTERNATIVES },
  );
}

async function ensureDebootstrap(asRoot: readonly string[], report: Reporter): Promise<void> {
  const searchPath = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`;
  if (findOnPath("debootstrap", searchPath) !== undefined) return;
  if (findOnPath("apt-get", searchPath) === undefined) {
    throw new CliError(
      "A base image can't be made from packages here: that needs Debian or Ubuntu.",
      { hint: ALTERNATIVES },
    );
  }
  report.progress("installing debootstrap");
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const install = [...asRoot, "apt-get", "install", "-y", "--no-install-recommends"].concat([
    "debootstrap",
    "debian-archive-keyring",
  ]);
  const [command = "", ...args] = install;
  if ((await run(command, args, { env })).code === 0) return;
  // The package lists may be outdated or missing.
  await mustRun([...asRoot, "apt-get", "update"], "apt-get can't update its lists", env);
  await mustRun(install, "debootstrap can't be installed", env);
}

async function bootstrap(
  root: string,
  base: DebianBase,
  asRoot: readonly string[],
  report: Reporter,
): Promise<void> {
  const scripts = "/usr/share/debootstrap/scripts";
  // An older debootstrap has no script for the suite; all suites share the script of sid.
  const { suite } = base;
  const script = existsSync(path.join(scripts, suite)) ? [] : [path.join(scripts, "sid")];
  await mustRun(
    [...asRoot, "debootstrap", "--variant=minbase", suite, root, base.mirrors.main, ...script],
    `debootstrap can't make a Debian ${suite} from ${base.mirrors.main}`,
    { PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin` },
    (line) => report.progress(`Debian ${suite}: ${line.replace(/^I: /, "")}`),
  );
}

async function importImage(
  root: string,
  ref: string,
  docker: Docker,
  labels: Record<string, string>,
  asRoot: readonly string[],
): Promise<void> {
  const [repository = "", tag = ""] = ref.split(":");
  const query = new URLSearchParams({ fromSrc: "-", repo: repository, tag });
  for (const [name, value] of Object.entries(labels)) {
    query.append("changes", `LABEL ${name}=${value}`);
  }
  query.append("changes", 'CMD ["bash"]');
  const tar = [...asRoot, "tar", "-c", "--numeric-owner", "-C", root, "."];
  try {
    await sendArchive(docker, `/images/create?${query.toString()}`, tar, () => undefined);
  } catch (error) {
    throw new CliError(`Docker can't take the Debian base image: ${messageOf(error)}`, {
      hint: "See that the daemon has disk space left (`docker system df`), then run it again.",
    });
  }
}

/** Removes the tags of older recipes and CA bundles. Images based on them keep their layers. */
async function removeOlderBases(base: DebianBase, docker: Docker): Promise<void> {
  const filters = { reference: [REPOSITORY] };
  const images = await docker.list<{ RepoTags: string[] | null }>("/images/json", { filters });
  const tags = images.flatMap((image) => image.RepoTags ?? []);
  const older = tags.filter(
    (tag) => tag.startsWith(`${REPOSITORY}:${base.suite}-`) && tag !== base.ref,
  );
  for (const tag of older) await docker.remove(`/images/${tag}`);
}

async function mustRun(
  [command = "", ...args]: readonly string[],
  failure: string,
  env: Record<string, string> = {},
  onLine?: (line: string) => void,
): Promise<void> {
  const { code, stdout, stderr } = await run(command, args, { env, onLine });
  if (code === 0) return;
  // Ctrl-C also ends the command, perhaps before this process handles it; then there is no failure to report.
  await sleep(100);
  throw new CliError(`${failure}:\n${lastLines(`${stdout}\n${stderr}`)}`, { hint: ALTERNATIVES });
}
