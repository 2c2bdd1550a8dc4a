import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { cacheFolder, filesBelow, keyOf } from "../system/cache";
import { Daemon } from "@store/docker/daemon";
import { messageOf } from "@store/docker/messageOf";
import { CliError } from "@store/docker/cliError";
import { Reporter } from "../system/report";
import { findOnPath, lastLines, run } from "../system/run";
import { sendArchive } from "./archive";

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

export interface Mirrors {
  readonly main: string;
  readonly security: string;
}

/**
 * The Debian image that the stand-ins stand on, as it would be made now.
 *
 * @param suite Another Debian than the one of the base images: the rehearsal's machines have their own.
 */
export function debianBase(suite = SUITE): DebianBase {
  const certificates = caBundle();
  const mirrors = mirrorsOf(aptSources());
  const key = keyOf({ ...filesBelow(RECIPE), suite, certificates, ...mirrors });
  return { suite, key, ref: `${REPOSITORY}:${suite}-${key}`, certificates, mirrors };
}

/** Makes it unless the daemon has it. The caller holds the lock. */
export async function ensureDebianBase(
  base: DebianBase,
  daemon: Daemon,
  labels: Record<string, string>,
  report: Reporter,
): Promise<void> {
  if ((await daemon.get(`/images/${base.ref}/json`)).status === 200) return;
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
    await importImage(root, base.ref, daemon, labels, asRoot);
  });
  await removeOlderBases(base, daemon);
}

/** The mirror that this machine's apt uses, so that a proxy's or a company's is honoured; else Debian's own. */
export function mirrorsOf(sources: string): Mirrors {
  const urls = sources
    .split("\n")
    .filter((line) => !line.trimStart().startsWith("#"))
    .flatMap((line) => line.split(/\s+/))
    .filter((word) => /^https?:\/\//.test(word))
    .map((word) => word.replace(/\/+$/, ""));
  return {
    main: urls.find((url) => url.endsWith("/debian")) ?? "http://deb.debian.org/debian",
    security:
      urls.find((url) => url.endsWith("/debian-security")) ??
      "http://deb.debian.org/debian-security",
  };
}

/** Each certificate of these bundles once, in order. */
export function mergeCertificates(bundles: readonly string[]): string {
  const blocks = bundles.flatMap(
    (text) => text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [],
  );
  return [...new Set(blocks)].map((block) => `${block}\n`).join("");
}

/**
 * What this machine trusts, the variables included by which it is told to trust an intercepting proxy: containers reach
 * the package registries through the same one, and without its CA they trust nothing that it passes on.
 */
function caBundle(): string {
  const { SSL_CERT_FILE, NODE_EXTRA_CA_CERTS } = process.env;
  const files = ["/etc/ssl/certs/ca-certificates.crt", SSL_CERT_FILE, NODE_EXTRA_CA_CERTS];
  const existing = files.filter((file) => file !== undefined && file !== "" && existsSync(file));
  return mergeCertificates(
    [...new Set(existing)].map((file) => readFileSync(file as string, "utf8")),
  );
}

function aptSources(): string {
  const folder = "/etc/apt/sources.list.d";
  const files = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => /\.(list|sources)$/.test(name))
        .sort()
        .map((name) => path.join(folder, name))
    : [];
  return ["/etc/apt/sources.list", ...files]
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
}

const WAYS_OUT =
  "Give the Docker daemon a way to a registry that has the image, or load the image from a machine that has it " +
  "(`docker save` there, `docker load` here), or set the key to an image that can be reached.";

/** The words to put before a command that only root may run. */
function rootCommand(): string[] {
  if (process.getuid?.() === 0) return [];
  if (spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0) return ["sudo", "-n"];
  throw new CliError(
    "A base image can't be made from packages here: that needs root, or sudo without a password.",
    { hint: WAYS_OUT },
  );
}

async function ensureDebootstrap(asRoot: readonly string[], report: Reporter): Promise<void> {
  const searchPath = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`;
  if (findOnPath("debootstrap", searchPath) !== undefined) return;
  if (findOnPath("apt-get", searchPath) === undefined) {
    throw new CliError(
      "A base image can't be made from packages here: that needs Debian or Ubuntu.",
      { hint: WAYS_OUT },
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
  // The lists may be old, or missing on a machine that was never updated.
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
  // An older debootstrap doesn't know the suite by name; Debian's suites all share one script.
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
  daemon: Daemon,
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
    await sendArchive(daemon, `/images/create?${query.toString()}`, tar, () => undefined);
  } catch (error) {
    throw new CliError(`Docker can't take the Debian base image: ${messageOf(error)}`, {
      hint: "See that the daemon has disk space left (`docker system df`), then run it again.",
    });
  }
}

/** Those of an older recipe or an older CA bundle. Images that stand on one keep its layers. */
async function removeOlderBases(base: DebianBase, daemon: Daemon): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ reference: [REPOSITORY] }));
  const { body } = await daemon.get(`/images/json?filters=${filters}`);
  const tags = (body as { RepoTags: string[] | null }[]).flatMap((image) => image.RepoTags ?? []);
  const older = tags.filter(
    (tag) => tag.startsWith(`${REPOSITORY}:${base.suite}-`) && tag !== base.ref,
  );
  for (const tag of older) await daemon.delete(`/images/${tag}`);
}

/**
 * A folder for as long as the action takes. What a killed process left is removed first; what debootstrap may have
 * mounted in it is left alone (`--one-file-system`) until debootstrap itself has unmounted it.
 */
async function inScratchFolder(
  folder: string,
  asRoot: readonly string[],
  action: (folder: string) => Promise<void>,
): Promise<void> {
  const remove = (): void => {
    const script =
      'for i in 1 2 3 4 5 6; do rm -rf --one-file-system "$1" 2>/dev/null && exit; sleep 0.5; done; exit 1';
    const [command, ...args] = [...asRoot, "sh", "-c", script, "sh", folder];
    const { status } = spawnSync(command, args, { stdio: "ignore" });
    if (status !== 0)
      throw new CliError(`${folder} can't be removed.`, { hint: "Remove it by hand." });
  };
  remove();
  mkdirSync(folder, { recursive: true });
  process.once("exit", remove);
  // Anew, and so after the handlers that end our child processes: they still write into the folder.
  const toTheEnd = (): void => {
    process.off("exit", remove);
    process.once("exit", remove);
  };
  SIGNALS.forEach((signal) => process.prependListener(signal, toTheEnd));
  try {
    await action(folder);
  } finally {
    SIGNALS.forEach((signal) => process.off(signal, toTheEnd));
    process.off("exit", remove);
    remove();
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * A signal's default action skips the "exit" handlers that clean up and release locks; where the program has no handler of
 * its own, this makes it an ordinary exit for as long as the action takes.
 */
export async function exitingOnSignals<T>(action: () => Promise<T>): Promise<T> {
  const signals = SIGNALS.filter((signal) => process.listenerCount(signal) === 0);
  const exit = (signal: NodeJS.Signals): never => process.exit(128 + os.constants.signals[signal]);
  signals.forEach((signal) => process.once(signal, exit));
  try {
    return await action();
  } finally {
    signals.forEach((signal) => process.off(signal, exit));
  }
}

async function mustRun(
  [command = "", ...args]: readonly string[],
  failure: string,
  env: Record<string, string> = {},
  onLine?: (line: string) => void,
): Promise<void> {
  const { code, stdout, stderr } = await run(command, args, { env, onLine });
  if (code === 0) return;
  // A Ctrl-C ends the command as well, perhaps before we hear of it: then this is not a failure to report.
  await sleep(100);
  throw new CliError(`${failure}:\n${lastLines(`${stdout}\n${stderr}`)}`, { hint: WAYS_OUT });
}
