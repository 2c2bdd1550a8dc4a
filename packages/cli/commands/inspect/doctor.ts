import { execFile } from "node:child_process";
import { statfsSync } from "node:fs";
import { promisify } from "node:util";
import { BaseImageFinding, inspectBaseImages } from "@store/toolchain/images/baseImages";
import { findDocker } from "@store/toolchain/tools/docker";
import { EngineSource, findEngine } from "@store/toolchain/engine/engine";
import { Docker } from "../../docker/docker";
import { CliError, ExitCode } from "@store/docker/cliError";
import { findEngineLocks } from "../../state/state";
import { isHeld } from "../../state/locks";
import { portHolder } from "../../diagnostics/port";
import { baseImageNames, configText, stackOption, storeCommand } from "../../project/project";
import {
  configuredDocker,
  isLocal,
  openSession,
  Session,
  StackOptions,
} from "../../project/session";
import { colors } from "../../terminal/terminal";

/** Says how things are; sets up nothing. */
export async function doctor(options: StackOptions): Promise<ExitCode> {
  const session = openSession(options);
  const docker = await examineDocker(session);
  const checks: readonly Check[] = [
    node(),
    await npm(),
    docker.check,
    await engine(),
    ...(await baseImages(session, docker.client)),
    backend(session),
    ...lock(session),
    ...(await port(session, docker.client)),
    await disk(session, docker.client),
  ];
  const width = Math.max(...checks.map(({ what }) => what.length));
  for (const check of checks) process.stdout.write(`${render(check, width)}\n`);
  const missing = checks.filter(({ state }) => state === "missing");
  process.stdout.write(
    missing.length === 0
      ? `\nNothing is missing. ${storeCommand("up", session.stack.name)} can run.\n`
      : `\n${missing.length} ${missing.length === 1 ? "thing is" : "things are"} missing.\n`,
  );
  return missing.length === 0 ? ExitCode.Ok : ExitCode.Failed;
}

interface Check {
  readonly what: string;
  /** "later": not there yet, and `up` sees to it by itself. */
  readonly state: "ok" | "later" | "missing";
  readonly found: string;
  readonly toDo?: string;
}

function render({ what, state, found, toDo }: Check, width: number): string {
  const mark = { ok: colors.green("✓"), later: colors.yellow("·"), missing: colors.red("✗") }[
    state
  ];
  const line = `${mark} ${what.padEnd(width)}  ${found}`;
  return toDo === undefined ? line : `${line}\n  ${" ".repeat(width)}  ${colors.dim(toDo)}`;
}

function node(): Check {
  return { what: "Node", state: "ok", found: process.versions.node };
}

async function npm(): Promise<Check> {
  try {
    const { stdout } = await promisify(execFile)("npm", ["--version"]);
    return { what: "npm", state: "ok", found: stdout.trim() };
  } catch {
    // Everything is installed already, or this command wouldn't run: it is needed again when the lock file changes.
    return { what: "npm", state: "missing", found: "not found", toDo: "It comes with Node." };
  }
}

async function examineDocker(
  session: Session,
): Promise<{ readonly check: Check; readonly client: Docker | undefined }> {
  const what = "Docker";
  const configured = configuredDocker(session);
  if (configured) return examineConfigured(configured);
  const found = await findDocker();
  if (found.found) {
    const { version, arch, host, hostFrom, cli } = found;
    const check: Check = {
      what,
      state: "ok",
      found: `${version} (${arch}) at ${host}, from ${hostFrom}`,
      toDo:
        cli === undefined
          ? "The docker command isn't installed: ./store exec needs it."
          : undefined,
    };
    return { check, client: new Docker(host) };
  }
  const { plan } = found;
  return {
    check:
      plan.action === "tell"
        ? { what, state: "missing", found: found.problem, toDo: plan.remedy }
        : {
            what,
            state: "later",
            found: found.problem,
            toDo: `./store up will ${plan.action} it.`,
          },
    client: undefined,
  };
}

async function examineConfigured(
  docker: Docker,
): Promise<{ readonly check: Check; readonly client: Docker | undefined }> {
  const what = "Docker";
  try {
    const version = await docker.get<{ Version?: string }>("/version");
    const found = `${version?.Version ?? "of unknown version"} at ${docker.host}, from store:dockerHost`;
    return { check: { what, state: "ok", found }, client: docker };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const check: Check = { what, state: "missing", found: error.message, toDo: error.hint };
    return { check, client: undefined };
  }
}

async function engine(): Promise<Check> {
  const { choice, engine, rejected, downloadSite } = await findEngine();
  const what = "Pulumi";
  if (engine) {
    const toDo = rejected.length > 0 ? rejected.join(" ") : undefined;
    const plugins = engine.how === "toolchain" ? "; its plugins are built here too" : "";
    return {
      what,
      state: "ok",
      found: `${engine.version}, ${ENGINE_SOURCES[engine.how]}${plugins} (${engine.pulumi})`,
      toDo,
    };
  }
  if (choice.how === "none") {
    return { what, state: "missing", found: choice.problem, toDo: choice.remedy };
  }
  const site = downloadSite === "unreachable" ? " (its download site can't be reached)" : "";
  return {
    what,
    state: "later",
    found: `not here yet${site}`,
    toDo: `./store up will ${choice.how === "npm" ? "download it" : "build it from Go modules, once; that takes minutes"}.`,
  };
}

const ENGINE_SOURCES: Readonly<Record<EngineSource, string>> = {
  path: "the one on PATH",
  npm: "from the npm package",
  toolchain: "the fallback built from Go modules",
};

async function baseImages(session: Session, docker: Docker | undefined): Promise<Check[]> {
  const names = baseImageNames(session.project, session.stack);
  if (docker === undefined || Object.values(names).some((name) => name === "")) return [];
  return (await inspectBaseImages(names, docker)).map(baseImage);
}

function baseImage({ ref, configKey, local, registry, canBeMade }: BaseImageFinding): Check {
  const what = ref;
  if (local === "official") return { what, state: "ok", found: "the official image" };
  if (registry?.answer === "serves") {
    const found = local === "absent" ? "not here yet" : "an equivalent made from packages";
    return { what, state: "later", found, toDo: "./store up will pull the official image." };
  }
  if (registry?.answer === "refuses") {
    return {
      what,
      state: "missing",
      found: `its registry says: ${registry.reason}`,
      toDo: `Set ${configKey} to an image that exists.`,
    };
  }
  if (local === "stand-in") {
    return {
      what,
      state: "ok",
      found: "the fallback: an equivalent made from packages, since its registry can't be reached",
    };
  }
  return canBeMade
    ? {
        what,
        state: "later",
        found: "its registry can't be reached",
        toDo: "./store up will make an equivalent from packages.",
      }
    : {
        what,
        state: "missing",
        found: `its registry can't be reached: ${registry?.reason ?? "no answer"}`,
        toDo: `Load it (docker load), or set ${configKey} to an official image.`,
      };
}

function backend({ state }: Session): Check {
  return {
    what: "State",
    state: "ok",
    found:
      state.backend.kind === "own"
        ? `${state.backend.url}, by ${state.backend.from}`
        : `files of this checkout in ${state.backend.folder} (no backend of your own was chosen)`,
  };
}

function lock({ state, stack }: Session): Check[] {
  return findEngineLocks(state, stack.name).map((found) => ({
    what: "Lock",
    state: isHeld(found) ? "ok" : "later",
    found: `process ${found.pid} on ${found.host} since ${found.since.toLocaleString("en-GB")}`,
    toDo: isHeld(found) ? "It is working." : "It was killed; ./store up removes the lock.",
  }));
}

async function port(session: Session, docker: Docker | undefined): Promise<Check[]> {
  const value = Number(configText(session.project, session.stack, "httpPort"));
  if (!isLocal(session) || !Number.isInteger(value)) return [];
  const what = `Port ${value}`;
  const holder = await portHolder(session, docker, value);
  if (holder === undefined) return [{ what, state: "ok", found: "free" }];
  if (holder.ours) return [{ what, state: "ok", found: "this stack's gateway" }];
  return [
    {
      what,
      state: "missing",
      found: `in use${holder.who ? ` by ${holder.who}` : ""}`,
      toDo: `Stop that, or: ./store pulumi config set httpPort ${value + 1}${stackOption(session.stack.name)}`,
    },
  ];
}

async function disk(session: Session, docker: Docker | undefined): Promise<Check> {
  const info = docker && (await docker.get<{ DockerRootDir?: string }>("/info"));
  const [folder, free] = freeSpace(info?.DockerRootDir) ??
    freeSpace(session.project.root) ?? [session.project.root, 0];
  const gigabytes = free / 1024 ** 3;
  const found = `${gigabytes.toFixed(1)} GiB free at ${folder}`;
  return gigabytes >= NEEDED_GIB
    ? { what: "Disk", state: "ok", found }
    : {
        what: "Disk",
        state: "missing",
        found,
        toDo: `The images and a build need about ${NEEDED_GIB} GiB: docker image prune, docker builder prune.`,
      };
}

/** The images of the store, what building them takes, and room for the databases. */
const NEEDED_GIB = 4;

function freeSpace(folder: string | undefined): [string, number] | undefined {
  if (folder === undefined) return undefined;
  try {
    const { bavail, bsize } = statfsSync(folder);
    return [folder, bavail * bsize];
  } catch {
    // The daemon's folder is in a virtual machine, or not ours to look into.
    return undefined;
  }
}
