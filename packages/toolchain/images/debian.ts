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
import { aptSources, caBundle, type Mirrors, mirrorsOf, ubuntuMirrorsOf } from "./debianSources";
import { type Distribution, distributionOf, keyringOf, type Suite } from "./releases";
import { inScratchFolder } from "./scratchFolder";

const SUITE: Suite = "trixie";

const RECIPE = path.join(__dirname, "debian");

export interface DebianBase {
  readonly suite: Suite;
  readonly distribution: Distribution;
  readonly key: string;
  readonly ref: string;
  readonly certificates: string;
  readonly mirrors: Mirrors;
}

/**
 * Describes an image of Debian or Ubuntu that is made from its packages. It may not be built yet.
 *
 * @param suite Release. @default the release of Debian on which the fallback images are based
 */
export function debianBase(suite = SUITE): DebianBase {
  const distribution = distributionOf(suite);
  const certificates = caBundle();
  const sources = aptSources();
  const mirrors = distribution.name === "Ubuntu" ? ubuntuMirrorsOf(sources) : mirrorsOf(sources);
  const key = keyOf({ ...filesBelow(RECIPE), suite, certificates, ...mirrors });
  const ref = `${repositoryOf(distribution)}:${suite}-${key}`;
  return { suite, distribution, key, ref, certificates, mirrors };
}

function repositoryOf({ name }: Distribution): string {
  return `store-toolchain/${name.toLowerCase()}`;
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
  await ensureDebootstrap(base.distribution, asRoot, report);
  await inScratchFolder(path.join(cacheFolder(), "debian-root"), asRoot, async (folder) => {
    const root = path.join(folder, "root");
    await bootstrap(root, base, keyringOf(base.distribution, folder), asRoot, report);
    const bundle = path.join(folder, "ca-certificates.crt");
    writeFileSync(bundle, base.certificates);
    await mustRun(
      [...asRoot, "sh", path.join(RECIPE, "finish.sh"), root, bundle, base.suite].concat([
        base.mirrors.main,
        base.mirrors.security,
      ]),
      `The ${base.distribution.name} base image can't be finished`,
    );
    report.progress(`importing the ${base.distribution.name} base image`);
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

/** Installs debootstrap, and Debian's keys with which it verifies what it downloads. */
async function ensureDebootstrap(
  { keys }: Distribution,
  asRoot: readonly string[],
  report: Reporter,
): Promise<void> {
  const searchPath = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`;
  if (findOnPath("debootstrap", searchPath) !== undefined && existsSync(keys)) return;
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
  keyring: string,
  asRoot: readonly string[],
  report: Reporter,
): Promise<void> {
  const scripts = "/usr/share/debootstrap/scripts";
  const { suite, distribution, mirrors } = base;
  const { name } = distribution;
  const script = existsSync(path.join(scripts, suite))
    ? []
    : [path.join(scripts, distribution.script)];
  // Without the option, debootstrap only warns if it can't verify a signature.
  const options = ["--variant=minbase", `--keyring=${keyring}`];
  await mustRun(
    [...asRoot, "debootstrap", ...options, suite, root, mirrors.main, ...script],
    `debootstrap can't make ${name} ${suite} from ${mirrors.main}`,
    { PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin` },
    (line) => report.progress(`${name} ${suite}: ${line.replace(/^I: /, "")}`),
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
    throw new CliError(`Docker can't take the base image ${ref}: ${messageOf(error)}`, {
      hint: "See that the daemon has disk space left (`docker system df`), then run it again.",
    });
  }
}

/** Removes the tags of older recipes and CA bundles. Images based on them keep their layers. */
async function removeOlderBases(base: DebianBase, docker: Docker): Promise<void> {
  const repository = repositoryOf(base.distribution);
  const filters = { reference: [repository] };
  const images = await docker.list<{ RepoTags: string[] | null }>("/images/json", { filters });
  const tags = images.flatMap((image) => image.RepoTags ?? []);
  const older = tags.filter(
    (tag) => tag.startsWith(`${repository}:${base.suite}-`) && tag !== base.ref,
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
