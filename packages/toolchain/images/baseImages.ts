import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { cacheFolder } from "../system/cache";
import { Answer, Daemon, reasonOf } from "@store/docker/daemon";
import { debianBase, DebianBase, ensureDebianBase, exitingOnSignals } from "./debian";
import {
  build,
  CONFIG_KEYS,
  discardDownloads,
  download,
  exampleOf,
  ImageName,
  Recipe,
  recipeFor,
  recipeKey,
} from "./recipes";
import { withLock } from "../system/lock";
import { messageOf } from "@store/docker/messageOf";
import { CliError } from "@store/docker/cliError";
import { Reporter } from "../system/report";

/** The base images as the stack's configuration names them. */
export type BaseImageRefs = Readonly<Record<ImageName, string>>;

export interface BaseImage {
  readonly ref: string;
  /** "pullable": not here, but a registry serves it; the program pulls it. "stand-in": made from packages, by us. */
  readonly how: "present" | "pullable" | "stand-in";
}

/** What is known of a base image, for a person who wants to know what is in use. */
export interface BaseImageFinding {
  readonly ref: string;
  /** Key of the stack's configuration that names it. */
  readonly configKey: string;
  readonly local: Local;
  /** Asked only when the daemon doesn't have the official image. */
  readonly registry?: Registry;
  /** Whether it could be made from packages. */
  readonly canBeMade: boolean;
}

/** What the daemon has under a name. "outdated": a stand-in that today's recipe would make otherwise. */
export type Local = "official" | "stand-in" | "outdated" | "absent";

/** What the registry of a name says, as seen from the daemon. */
export type Registry =
  | { readonly answer: "serves" }
  | { readonly answer: "refuses" | "unreachable"; readonly reason: string };

/**
 * Sees to it that every base image is here, or can be pulled. The official image always goes first: an equivalent is made
 * only where no registry can be reached, and gives its name back as soon as one can.
 */
export async function ensureBaseImages(
  refs: BaseImageRefs,
  docker: { readonly host: string },
  report: Reporter,
): Promise<BaseImage[]> {
  // Through ssh we can't ask, and wouldn't make an image for another machine: there the program's pull says what is wrong.
  if (!Daemon.speaksTo(docker.host)) {
    return IMAGES.map((image) => ({ ref: refs[image], how: "pullable" }));
  }
  const daemon = new Daemon(docker.host);
  const findings = await inspect(refs, daemon);
  const decisions = findings.map((finding) => ({ ...finding, decision: decisionOn(finding) }));

  for (const { ref, decision } of decisions) {
    if (decision === "free the name") await freeName(ref, daemon, report);
  }
  const toMake = decisions.filter(({ decision }) => decision === "make");
  if (toMake.length > 0) {
    const images = toMake.map(({ image }) => image);
    await exitingOnSignals(() => make(images, refs, daemon, report));
  }
  const standIns = decisions.filter(({ decision }) => isStandIn(decision));
  if (standIns.length > 0) {
    report.note(
      `No registry is reachable: ${standIns.map(({ ref }) => ref).join(", ")} ` +
        `${standIns.length === 1 ? "is an equivalent" : "are equivalents"} made from packages.`,
    );
  }
  return decisions.map(({ ref, decision }) => ({ ref, how: outcomeOf(decision) }));
}

/** The same look at things without changing any; nothing is known of a daemon behind ssh. */
export async function inspectBaseImages(
  refs: BaseImageRefs,
  docker: { readonly host: string },
): Promise<BaseImageFinding[]> {
  if (!Daemon.speaksTo(docker.host)) return [];
  const findings = await inspect(refs, new Daemon(docker.host));
  return findings.map(({ image: _, ...finding }) => finding);
}

export type Decision = "use" | "pull" | "free the name" | "use stand-in" | "make";

/** What to do about an image; throws where there is nothing to be done. */
export function decisionOn(finding: BaseImageFinding): Decision {
  const { ref, configKey, local, registry, canBeMade } = finding;
  if (local === "official" || registry === undefined) return "use";
  switch (registry.answer) {
    case "serves":
      return local === "absent" ? "pull" : "free the name";
    case "refuses":
      throw new CliError(`There is no image ${ref}: its registry says "${registry.reason}".`, {
        hint: `Set ${configKey} to an image that exists, by its exact version.`,
      });
    case "unreachable":
      if (local === "stand-in") return "use stand-in";
      if (canBeMade) return "make";
      throw new CliError(
        `The image ${ref} isn't on this machine, and its registry can't be reached: ${registry.reason}.`,
        {
          hint:
            `Give the Docker daemon a way to the registry, load the image (\`docker load\`), or set ${configKey} to ` +
            `${exampleOf(imageOf(configKey))} with an exact version, of which an equivalent can be made from packages.`,
        },
      );
  }
}

/** What the daemon's own question to a registry says about it. */
export function registryAnswer(ref: string, answer: Answer): Registry {
  const { status } = answer;
  if (status === 200) return { answer: "serves" };
  const reason = reasonOf(answer)
    .trim()
    .replace(/[.:]+$/, "");
  if (/denied|unauthorized|authentication required|no basic auth/i.test(reason)) {
    // Docker Hub says "denied" of what doesn't exist. Elsewhere it may be a login that the pull has, and we haven't.
    return isOnDockerHub(ref) ? { answer: "refuses", reason } : { answer: "serves" };
  }
  if (status === 404 || /manifest unknown|not found|name unknown|invalid reference/i.test(reason)) {
    return { answer: "refuses", reason };
  }
  return { answer: "unreachable", reason: shortReason(reason) };
}

/** "Get "https://…": dial tcp: lookup registry.example on 192.0.2.1:53: no such host" → its end, with the host. */
export function shortReason(reason: string): string {
  const lookup = /lookup (\S+)(?: on \S+)?: (.+)$/.exec(reason);
  if (lookup) return `${lookup[1] ?? ""}: ${lookup[2] ?? ""}`;
  return reason.replace(/^(?:Get|Head) "https?:\/\/([^/"]+)[^"]*": /, "$1: ");
}

export function isOnDockerHub(ref: string): boolean {
  return registryHost(ref) === DOCKER_HUB;
}

const IMAGES = Object.keys(CONFIG_KEYS) as ImageName[];
const DOCKER_HUB = "docker.io";

const LABEL = "dev.store.toolchain";
const KEY_LABEL = "dev.store.toolchain.key";

const REGISTRY_LIMIT_MS = 3000;

type Inspected = BaseImageFinding & { readonly image: ImageName };

async function inspect(refs: BaseImageRefs, daemon: Daemon): Promise<Inspected[]> {
  const images = await Promise.all(
    IMAGES.map(async (image) => ({ image, labels: await labelsOf(refs[image], daemon) })),
  );
  // Its key is a hash over what this machine trusts: not worth it where all images are official.
  const base = images.some(({ labels }) => isOurs(labels)) ? debianBase() : undefined;
  const memory = new Memory(daemon.host);
  const findings = await Promise.all(
    images.map(async ({ image, labels }) => {
      const ref = refs[image];
      const recipe = recipeFor(image, ref);
      const local = localState(labels, recipe && base && recipeKey(recipe, base));
      return {
        image,
        ref,
        configKey: CONFIG_KEYS[image],
        local,
        registry: local === "official" ? undefined : await askRegistry(ref, daemon, memory),
        canBeMade: recipe !== undefined && process.platform === "linux",
      };
    }),
  );
  memory.save();
  return findings;
}

/** Undefined when there is no such image. */
async function labelsOf(ref: string, daemon: Daemon): Promise<Record<string, string> | undefined> {
  let answer: Answer;
  try {
    answer = await daemon.get(`/images/${ref}/json`);
  } catch (error) {
    throw new CliError(`The Docker daemon at ${daemon.host} doesn't answer: ${messageOf(error)}`, {
      hint: "Start it; `docker version` must show a server.",
    });
  }
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) {
    throw new CliError(`The Docker daemon can't look up the image "${ref}": ${reasonOf(answer)}`, {
      hint: "See that the image's name in the stack's configuration is written as for `docker pull`.",
    });
  }
  const { Config } = answer.body as { Config: { Labels?: Record<string, string> | null } | null };
  return Config?.Labels ?? {};
}

export function localState(
  labels: Record<string, string> | undefined,
  currentKey: string | undefined,
): Local {
  if (labels === undefined) return "absent";
  if (!isOurs(labels)) return "official";
  return labels[KEY_LABEL] === currentKey ? "stand-in" : "outdated";
}

function isOurs(labels: Record<string, string> | undefined): boolean {
  return labels?.[LABEL] === "stand-in";
}

async function askRegistry(ref: string, daemon: Daemon, memory: Memory): Promise<Registry> {
  const host = registryHost(ref);
  const remembered = memory.recall(host);
  if (remembered !== undefined) return { answer: "unreachable", reason: remembered };
  const start = Date.now();
  const registry = await daemon
    .get(`/distribution/${ref}/json`, REGISTRY_LIMIT_MS)
    .then((answer) => registryAnswer(ref, answer))
    .catch((error: unknown): Registry => ({
      answer: "unreachable",
      reason: `${host}: ${messageOf(error)}`,
    }));
  if (registry.answer === "unreachable" && Date.now() - start > SLOW_MS) {
    memory.remember(host, registry.reason);
  }
  return registry;
}

const SLOW_MS = 300;
const MEMORY_MS = 5 * 60_000;

/** Which registries couldn't be reached a moment ago, where finding that out takes time. */
class Memory {
  private readonly file = path.join(cacheFolder(), "unreachable-registries.json");
  private readonly fresh: Record<string, { reason: string; at: number }> = {};
  private readonly known: Record<string, { reason: string; at: number }>;

  constructor(private readonly daemonHost: string) {
    this.known = this.read();
  }

  recall(registry: string): string | undefined {
    const entry = this.known[this.keyOf(registry)];
    const age = entry === undefined ? Infinity : Date.now() - entry.at;
    // A clock that was put back must not make it last.
    return age >= 0 && age < MEMORY_MS ? entry?.reason : undefined;
  }

  remember(registry: string, reason: string): void {
    this.fresh[this.keyOf(registry)] = { reason, at: Date.now() };
  }

  save(): void {
    if (Object.keys(this.fresh).length === 0) return;
    mkdirSync(path.dirname(this.file), { recursive: true });
    writeFileSync(this.file, JSON.stringify({ ...this.known, ...this.fresh }));
  }

  private keyOf(registry: string): string {
    return `${registry} from ${this.daemonHost}`;
  }

  private read(): typeof this.known {
    try {
      return JSON.parse(readFileSync(this.file, "utf8")) as typeof this.known;
    } catch (error) {
      // Half written by a process that was killed: it is only a memory.
      if (error instanceof SyntaxError) rmSync(this.file, { force: true });
      else if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      return {};
    }
  }
}

/** Images that stand on it, and containers, keep what they have of it; only the name goes. */
async function freeName(ref: string, daemon: Daemon, report: Reporter): Promise<void> {
  const answer = await daemon.delete(`/images/${ref}?force=1&noprune=1`);
  if (answer.status !== 200 && answer.status !== 404) {
    throw new CliError(
      `The equivalent of ${ref} can't give its name back to the official image: ${reasonOf(answer)}`,
      { hint: `Remove it: docker rmi -f ${ref}` },
    );
  }
  report.note(`A registry serves ${ref}: the equivalent made from packages gives way to it.`);
}

async function make(
  images: readonly ImageName[],
  refs: BaseImageRefs,
  daemon: Daemon,
  report: Reporter,
): Promise<void> {
  report.step(`Making ${images.map((image) => refs[image]).join(", ")} from packages`);
  await checkArchitecture(daemon);
  const base = debianBase();
  const onWait = (pid: number): void =>
    report.progress(`waiting for process ${pid}, which makes base images`);
  await withLock(cacheFolder(), "base-images", onWait, async () => {
    // Another process may have made them while we waited.
    const recipes: Recipe[] = [];
    for (const recipe of images.map((image) => recipeFor(image, refs[image]))) {
      if (recipe !== undefined && !(await isMade(recipe, base, daemon))) recipes.push(recipe);
    }
    if (recipes.length === 0) return;

    await allOrFirstError([
      ensureDebianBase(base, daemon, { [LABEL]: "base", [KEY_LABEL]: base.key }, report),
      // One after the other: npm's own downloads already run in parallel.
      recipes.reduce(
        (before, recipe) => before.then(() => download(recipe, report)),
        Promise.resolve(),
      ),
    ]);
    await allOrFirstError(recipes.map((recipe) => makeOne(recipe, base, daemon, report)));
    await removeStages(daemon);
  });
}

async function makeOne(
  recipe: Recipe,
  base: DebianBase,
  daemon: Daemon,
  report: Reporter,
): Promise<void> {
  const before = await imageId(recipe.ref, daemon);
  const labels = { [LABEL]: "stand-in", [KEY_LABEL]: recipeKey(recipe, base) };
  await build(recipe, base, daemon, labels, report);
  discardDownloads(recipe);
  // Refused while something stands on it, which is as it should be.
  if (before !== undefined && before !== (await imageId(recipe.ref, daemon))) {
    await daemon.delete(`/images/${before}`);
  }
}

/** The first stages of our builds: large, and nothing stands on them. */
async function removeStages(daemon: Daemon): Promise<void> {
  const filters = JSON.stringify({ dangling: ["true"], label: [`${LABEL}=stage`] });
  const { body } = await daemon.get(`/images/json?filters=${encodeURIComponent(filters)}`);
  for (const { Id } of body as { Id: string }[]) await daemon.delete(`/images/${Id}`);
}

async function isMade(recipe: Recipe, base: DebianBase, daemon: Daemon): Promise<boolean> {
  const labels = await labelsOf(recipe.ref, daemon);
  return localState(labels, recipeKey(recipe, base)) === "stand-in";
}

async function imageId(ref: string, daemon: Daemon): Promise<string | undefined> {
  const { status, body } = await daemon.get(`/images/${ref}/json`);
  return status === 200 ? (body as { Id: string }).Id : undefined;
}

/** debootstrap and npm's packages give us this machine's architecture. */
async function checkArchitecture(daemon: Daemon): Promise<void> {
  const { Arch } = (await daemon.get("/version")).body as { Arch: string };
  const ours = process.arch === "x64" ? "amd64" : process.arch;
  if (Arch !== ours) {
    throw new CliError(
      `The Docker daemon's machine is ${Arch}, this one ${ours}: base images can't be made here for it.`,
      { hint: "Give the daemon a way to a registry, or run this on its own machine." },
    );
  }
}

/** Waits for all of them, so that none goes on behind an error message. */
async function allOrFirstError(actions: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(actions)) {
    if (result.status === "rejected") throw result.reason;
  }
}

function isStandIn(decision: Decision): boolean {
  return decision === "make" || decision === "use stand-in";
}

function outcomeOf(decision: Decision): BaseImage["how"] {
  if (decision === "use") return "present";
  return isStandIn(decision) ? "stand-in" : "pullable";
}

function imageOf(configKey: string): ImageName {
  const image = IMAGES.find((name) => CONFIG_KEYS[name] === configKey);
  if (image === undefined) throw new Error(`no base image is configured by ${configKey}`);
  return image;
}

/** As Docker reads a reference: a first part with a dot, a colon or "localhost" is a registry. */
function registryHost(ref: string): string {
  const [first = "", ...rest] = ref.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return isHost && first !== "index.docker.io" ? first : DOCKER_HUB;
}
