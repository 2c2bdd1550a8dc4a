import {
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
  mkdirSync,
  renameSync,
} from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { cacheFolder } from "../system/cache";
import { noteUse } from "./engineCache";
import { type GoFound, findGo } from "./go";
import { type Toolchain, buildToolchain, toolchain } from "./goToolchain";
import { withLock } from "../system/lock";
import { checkPins, engineVersion, repositoryRoot } from "./pins";
import { CliError } from "@store/docker/cliError";
import { type Reporter } from "../system/report";
import { findAllOnPath, findOnPath, isExecutable, lastLines, run } from "../system/run";
import { isAtLeast, parseVersion } from "../system/versions";

export interface Engine {
  /** The absolute path of the executable. */
  pulumi: string;
  version: string;
  how: EngineSource;
  /** What must be set for it, and for everything that it starts. */
  env: Record<string, string>;
}

/**
 * path: the user's own. npm: the one that the npm package `pulumi` downloads. toolchain: built here from Go modules,
 * with its own providers.
 */
export type EngineSource = "path" | "npm" | "toolchain";

/** The engine to use, made ready. Fast when one is ready: then nothing is downloaded, probed or started. */
export async function ensureEngine(report: Reporter): Promise<Engine> {
  const survey = await surveyReady({ remember: true });
  const ready = readyEngine(survey);
  if (ready !== undefined && (await isStillThere(ready, survey, report))) return ready;
  survey.rejected.forEach((reason) => report.note(reason));

  const site = await probeDownloadSite();
  if (site.reachable) {
    const failure = await downloadByNpm(report);
    if (failure === undefined) return npmEngine(npmBinary());
    report.note(`Pulumi's download failed:\n${failure}`);
  }
  checkPins();
  const go = await findGo();
  const choice = chooseEngine({ ...facts(survey), downloadSite: "unreachable", go });
  if (choice.how === "none") throw new CliError(choice.problem, { hint: choice.remedy });
  if (!site.reachable) {
    report.note(
      `Pulumi's download site can't be reached (${site.reason}): building the engine from Go modules, once.`,
    );
  }
  await buildToolchain(survey.toolchain, report);
  return toolchainEngine(survey.toolchain);
}

/** Ours may be removed by another checkout when it wasn't used for long. */
async function isStillThere(
  engine: Engine,
  survey: ReadySurvey,
  report: Reporter,
): Promise<boolean> {
  return engine.how !== "toolchain" || noteUse(survey.toolchain.folder, report);
}

export interface EngineSurvey {
  choice: EngineChoice;
  /** Only when it is ready to use. */
  engine?: Engine;
  /** What was found and is not used, and why. */
  rejected: string[];
  downloadSite: EngineFacts["downloadSite"];
}

/** What ensureEngine would use and whether that is ready. Changes nothing. */
export async function findEngine(): Promise<EngineSurvey> {
  const survey = await surveyReady({ remember: false });
  const engine = readyEngine(survey);
  if (engine !== undefined) {
    return {
      choice: { how: engine.how, ready: true },
      engine,
      rejected: survey.rejected,
      downloadSite: "not asked",
    };
  }
  const [site, go] = await Promise.all([probeDownloadSite(), findGo()]);
  const downloadSite = site.reachable ? "reachable" : "unreachable";
  return {
    choice: chooseEngine({ ...facts(survey), downloadSite, go }),
    rejected: survey.rejected,
    downloadSite,
  };
}

export interface EngineFacts {
  /** An acceptable one on PATH. */
  onPath: boolean;
  /** The npm package's download is there. */
  npmReady: boolean;
  /** Our own build of exactly these sources is there. */
  toolchainReady: boolean;
  downloadSite: "not asked" | "reachable" | "unreachable";
  go: GoFound;
}

export type EngineChoice =
  { how: EngineSource; ready: boolean } | { how: "none"; problem: string; remedy: string };

/**
 * What is ready wins over what would have to be fetched, so that a run without a change needs no network. Of what is
 * ready, the published engine wins over ours: ours is for when there is no other.
 */
export function chooseEngine(facts: EngineFacts): EngineChoice {
  if (facts.onPath) return { how: "path", ready: true };
  if (facts.npmReady) return { how: "npm", ready: true };
  if (facts.toolchainReady) return { how: "toolchain", ready: true };
  if (facts.downloadSite === "reachable") return { how: "npm", ready: false };
  if (facts.go.usable) return { how: "toolchain", ready: false };
  return {
    how: "none",
    problem: `There is no Pulumi engine, it can't be downloaded, and ${facts.go.problem}.`,
    remedy:
      `Either install Go ${facts.go.required} or newer, so that the engine can be built from Go modules; or install ` +
      `Pulumi ${engineVersion()} or newer (https://www.pulumi.com/docs/install), or let this machine reach Pulumi's download site.`,
  };
}

interface ReadySurvey {
  onPath?: { pulumi: string; version: string };
  npmReady: boolean;
  toolchain: Toolchain;
  rejected: string[];
}

async function surveyReady(options: { remember: boolean }): Promise<ReadySurvey> {
  const { found, rejected } = await findOnUsersPath(options);
  return {
    onPath: found,
    npmReady: isExecutable(npmBinary()),
    toolchain: toolchain(),
    rejected,
  };
}

function facts(survey: ReadySurvey): Omit<EngineFacts, "downloadSite" | "go"> {
  return {
    onPath: survey.onPath !== undefined,
    npmReady: survey.npmReady,
    toolchainReady: survey.toolchain.ready,
  };
}

function readyEngine(survey: ReadySurvey): Engine | undefined {
  if (survey.onPath !== undefined) {
    const { pulumi, version } = survey.onPath;
    return { pulumi, version, how: "path", env: quietly };
  }
  if (survey.npmReady) return npmEngine(npmBinary());
  if (survey.toolchain.ready) return toolchainEngine(survey.toolchain);
  return undefined;
}

/** The pinned version is ours to raise: a notice that there is a newer one would be for nobody. */
const quietly = { PULUMI_SKIP_UPDATE_CHECK: "true" };

function npmEngine(pulumi: string): Engine {
  return {
    pulumi,
    version: engineVersion(),
    how: "npm",
    // As the package's own start script does: the language hosts are next to it.
    env: { ...quietly, PATH: prependToPath(path.dirname(pulumi)) },
  };
}

function toolchainEngine({ bin, home }: Toolchain): Engine {
  return {
    pulumi: path.join(bin, "pulumi"),
    version: engineVersion(),
    how: "toolchain",
    env: {
      ...quietly,
      PATH: prependToPath(bin),
      // Our plugins must not mix with the published ones that the user's own engine has in ~/.pulumi …
      PULUMI_HOME: home,
      // … but the user's login is theirs with either engine.
      PULUMI_CREDENTIALS_PATH:
        process.env.PULUMI_CREDENTIALS_PATH ??
        process.env.PULUMI_HOME ??
        path.join(os.homedir(), ".pulumi"),
      // There is no site to get one from; asking costs every preview seconds of retries.
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      NODE_OPTIONS: [process.env.NODE_OPTIONS, `--require ${JSON.stringify(RUNTIME_OPTIONS)}`]
        .filter(Boolean)
        .join(" "),
    },
  };
}

const RUNTIME_OPTIONS = path.join(__dirname, "runtimeOptions.cjs");

function prependToPath(folder: string): string {
  return [folder, process.env.PATH].filter(Boolean).join(path.delimiter);
}

// The user's own ---------------------------------------------------------------------------------------------------

async function findOnUsersPath(options: {
  remember: boolean;
}): Promise<{ found?: { pulumi: string; version: string }; rejected: string[] }> {
  const rejected: string[] = [];
  const minimum = engineVersion();
  for (const pulumi of findAllOnPath("pulumi").filter(isUsersOwn)) {
    const version = await versionOf(pulumi, options);
    const problem = whyNotFromPath(pulumi, version, minimum, hasLanguageHost(pulumi));
    if (problem === undefined && version !== undefined)
      return { found: { pulumi, version }, rejected };
    if (problem !== undefined) rejected.push(problem);
  }
  return { rejected };
}

export function whyNotFromPath(
  pulumi: string,
  version: string | undefined,
  minimum: string,
  hasLanguageHost: boolean,
): string | undefined {
  if (version === undefined) return `${pulumi} does not tell its version; not used.`;
  if (!isAtLeast(version, minimum)) {
    return `${pulumi} is ${version}, older than ${minimum}; not used.`;
  }
  if (!hasLanguageHost) {
    return `${pulumi} has no pulumi-language-nodejs next to it or on PATH; not used.`;
  }
  return undefined;
}

/**
 * npm puts node_modules/.bin on PATH for its scripts. The `pulumi` there is the package that downloads the engine: it is
 * judged for itself, and starting it to ask for its version would start the download.
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

/** Starting the engine takes a quarter of a second: the answer is kept for as long as the file is the same. */
async function versionOf(
  pulumi: string,
  options: { remember: boolean },
): Promise<string | undefined> {
  const { mtimeMs, size } = statSync(pulumi);
  const identity = `${realpathSync(pulumi)} ${size} ${mtimeMs}`;
  const remembered = readVersions()[identity];
  if (remembered !== undefined) return remembered;

  const { code, stdout } = await run(pulumi, ["version"], { env: quietly, timeoutMs: 20_000 });
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
    // Not there yet, or cut off by a full disk: it only saves time.
    return {};
  }
}

function rememberVersion(identity: string, version: string): void {
  mkdirSync(cacheFolder(), { recursive: true });
  const draft = `${versionsFile()}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ [identity]: version }));
  renameSync(draft, versionsFile());
}

// The npm package's ------------------------------------------------------------------------------------------------

/** The package's own modules, so that it is asked and not imitated: where it puts the engine, and where it gets it. */
interface PulumiPackage {
  cacheDir: (version: string) => string;
  installCLI: (
    version: string,
    root: string,
    io: { fetchText: (url: string) => Promise<string> },
  ) => Promise<void>;
}

function pulumiPackage(): PulumiPackage {
  const lib = path.join(repositoryRoot, "node_modules", "pulumi", "lib");
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the package has no types and no exports map
  const load = (name: string): object => require(path.join(lib, name)) as object;
  return { ...load("cache"), ...load("download") } as PulumiPackage;
}

function npmBinary(): string {
  return path.join(pulumiPackage().cacheDir(engineVersion()), "bin", "pulumi");
}

const PROBE_LIMIT_MS = 3_000;

type DownloadSite = { reachable: true } | { reachable: false; reason: string };

/** Asks for the very thing that the package would fetch first. */
async function probeDownloadSite(): Promise<DownloadSite> {
  const url = await firstDownload();
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_LIMIT_MS) });
    // Without this an unread body keeps the connection, and so the process, open.
    await response.body?.cancel();
    return response.ok
      ? { reachable: true }
      : { reachable: false, reason: `HTTP ${response.status}` };
  } catch (error) {
    return { reachable: false, reason: networkReason(error) };
  }
}

async function firstDownload(): Promise<string> {
  let asked: string | undefined;
  const stop = new Error("asked");
  await pulumiPackage()
    .installCLI(engineVersion(), "", {
      fetchText: (url) => {
        asked = url;
        throw stop;
      },
    })
    .catch((error: unknown) => {
      if (error !== stop) throw error;
    });
  if (asked === undefined) throw new Error("The npm package pulumi downloads nothing.");
  return asked;
}

export function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${PROBE_LIMIT_MS / 1000} s`;
  const cause: unknown = error.cause;
  return cause instanceof Error ? cause.message : error.message;
}

/** Returns why it failed. */
function downloadByNpm(report: Reporter): Promise<string | undefined> {
  return withLock(
    cacheFolder(),
    "engine-download",
    (pid) => report.step(`Waiting for the engine that process ${pid} is downloading`),
    async () => {
      if (isExecutable(npmBinary())) return undefined;
      report.step(`Downloading Pulumi ${engineVersion()} (npm package pulumi)`);
      const { code, stdout, stderr } = await run(
        process.execPath,
        [path.join(repositoryRoot, "node_modules", "pulumi", "run.js"), "version"],
        {
          // The package would otherwise install whatever version the user has set for other work.
          env: { ...quietly, PULUMI_VERSION: engineVersion() },
          onLine: (line) => report.progress(line),
        },
      );
      return code === 0 && isExecutable(npmBinary()) ? undefined : lastLines(stdout + stderr);
    },
  );
}
