import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import {
  aptInstall,
  asRootRun,
  commandLine,
  distribution,
  findAsRoot,
  usesApt,
  type AsRoot,
} from "../system/apt";
import { cacheFolder } from "../system/cache";
import { CliError } from "@store/docker/cliError";
import { DEFAULT_DOCKER_HOST, type DockerHost, localDockerHost } from "@store/docker/dockerHost";
import { Daemon, reasonOf } from "@store/docker/daemon";
import { withLock } from "../system/lock";
import { messageOf } from "@store/docker/messageOf";
import { type Reporter } from "../system/report";
import { findOnPath, lastLines, run } from "../system/run";

export interface DockerFound {
  found: true;
  /** URL for DOCKER_HOST and the Docker provider. */
  host: string;
  hostFrom: string;
  version: string;
  /** The daemon's CPU architecture in Docker's notation. */
  arch: string;
  /** Executable of the docker command; undefined if it isn't installed. */
  cli?: string;
  how: "found" | "installed" | "started";
}

export interface DockerMissing {
  found: false;
  host: string;
  hostFrom: string;
  problem: string;
  /** Action that ensureDocker would take. */
  plan: DockerPlan;
}

/** Returns a running daemon. Installs or starts one if necessary and possible. @throws CliError with instructions otherwise. */
export async function ensureDocker(report: Reporter): Promise<DockerFound> {
  const first = await findDocker();
  if (first.found) return first;
  if (first.plan.action === "tell") throw new CliError(first.problem, { hint: first.plan.remedy });

  return withLock(
    cacheFolder(),
    "docker",
    (pid) => report.step(`Waiting for process ${pid}, which is setting up Docker`),
    async () => {
      let now = await findDocker();
      if (now.found) return now;
      let how: DockerFound["how"] = "started";
      if (now.plan.action === "install") {
        await install(now.plan.asRoot, report);
        how = "installed";
        // With systemd, the package starts the daemon.
        now = await findDocker();
      }
      if (!now.found && now.plan.action === "start") {
        await start(now.plan.asRoot, report);
        now = await findDocker();
      }
      if (now.found) return { ...now, how };
      throw new CliError(now.problem, {
        hint:
          now.plan.action === "tell"
            ? now.plan.remedy
            : "See `docker version` and the daemon's log.",
      });
    },
  );
}

/** Returns the daemon that the docker command would use, and whether it answers. Changes nothing. */
export async function findDocker(): Promise<DockerFound | DockerMissing> {
  const target = targetOf(process.env);
  const answer = await ask(target.host);
  if (typeof answer === "object") {
    return { found: true, ...target, ...answer, cli: findOnPath("docker"), how: "found" };
  }
  const plan = planDocker({ ...target, problem: answer, ...(await lookAround()) });
  return { found: false, ...target, problem: describe(target, answer), plan };
}

function targetOf(env: NodeJS.ProcessEnv): DockerHost {
  return localDockerHost(env, os.homedir());
}

const ANSWER_LIMIT_MS = 5_000;

/** Cause of an unreachable daemon: a system error code or a message. */
type Problem = string;

async function ask(host: string): Promise<{ version: string; arch: string } | Problem> {
  if (!Daemon.supports(host)) return "EPROTONOSUPPORT";
  try {
    const answer = await new Daemon(host).get("/version", ANSWER_LIMIT_MS);
    if (answer.status !== 200) return reasonOf(answer);
    const { Version, Arch } = answer.body as { Version: string; Arch: string };
    return { version: Version, arch: Arch };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? messageOf(error);
  }
}

function describe(target: DockerHost, problem: Problem): string {
  const reasons: Record<string, string> = {
    ENOENT: "there is no such socket",
    ECONNREFUSED: "nothing listens there",
    EACCES: "this user may not open it",
    ETIMEDOUT: `no answer within ${ANSWER_LIMIT_MS / 1000} s`,
    ENOTFOUND: "there is no such host",
    EPROTONOSUPPORT: "only unix:// and tcp:// addresses are supported",
  };
  return `No Docker daemon answers at ${target.host}, from ${target.hostFrom}: ${reasons[problem] ?? problem}.`;
}

export interface DockerFacts extends DockerHost {
  problem: Problem;
  platform: NodeJS.Platform;
  /** ID and ID_LIKE of /etc/os-release. */
  distribution: string[];
  daemonInstalled: boolean;
  /** Command prefix for root: empty for root, sudo if it needs no password. Undefined if neither is possible. */
  asRoot: AsRoot | undefined;
}

export type DockerPlan =
  { action: "install" | "start"; asRoot: AsRoot } | { action: "tell"; remedy: string };

export function planDocker(facts: DockerFacts): DockerPlan {
  const { asRoot } = facts;
  if (facts.problem === "EPROTONOSUPPORT") {
    return tell("Set DOCKER_HOST to a unix:// or tcp:// address, or `docker context use default`.");
  }
  if (facts.problem === "EACCES") {
    return tell("Run `sudo usermod -aG docker $USER`, log in again, and run this again.");
  }
  // The user has chosen this daemon; don't replace it by another.
  if (facts.host !== DEFAULT_DOCKER_HOST) {
    return tell(`Start the daemon there, or change ${facts.hostFrom}.`);
  }
  if (facts.platform === "darwin") {
    return tell(
      "Install Docker Desktop (https://docs.docker.com/desktop), start it, and run this again.",
    );
  }
  if (facts.problem !== "ENOENT" && facts.problem !== "ECONNREFUSED") {
    return tell("Restart the daemon: it is there, but it doesn't work.");
  }
  if (facts.daemonInstalled) {
    return asRoot === undefined
      ? tell("Start it: `sudo systemctl start docker`, or `sudo dockerd` without systemd.")
      : { action: "start", asRoot };
  }
  if (!usesApt(facts.distribution)) {
    return tell(
      "Install Docker Engine (https://docs.docker.com/engine/install), start it, and run this again.",
    );
  }
  return asRoot === undefined
    ? tell(
        "Run `sudo apt-get install docker.io && sudo usermod -aG docker $USER`, log in again, and run this again.",
      )
    : { action: "install", asRoot };
}

function tell(remedy: string): DockerPlan {
  return { action: "tell", remedy };
}

async function lookAround(): Promise<Omit<DockerFacts, keyof DockerHost | "problem">> {
  return {
    platform: process.platform,
    distribution: distribution(),
    // PATH of a user other than root often lacks the folders with dockerd.
    daemonInstalled:
      findOnPath("dockerd", [process.env.PATH, "/usr/sbin", "/usr/local/sbin"].join(":")) !==
      undefined,
    asRoot: await findAsRoot(),
  };
}

async function install(asRoot: AsRoot, report: Reporter): Promise<void> {
  report.step("Docker is not on this machine: installing the distribution's package docker.io");
  await aptInstall(asRoot, ["docker.io"], report, "Install Docker by hand, then run this again.");
  // In newer releases, the command is a package of its own.
  const { stdout } = await run("apt-cache", ["pkgnames", "docker-cli"]);
  if (stdout.split("\n").includes("docker-cli") && findOnPath("docker") === undefined) {
    await aptInstall(asRoot, ["docker-cli"], report, "Run `apt-get install docker-cli`.");
  }
  if (asRoot.length > 0)
    await asRootRun(asRoot, ["usermod", "-aG", "docker", os.userInfo().username]);
}

const START_LIMIT_MS = 60_000;

async function start(asRoot: AsRoot, report: Reporter): Promise<void> {
  // The documented test for systemd as init system, see sd_booted(3).
  if (statSync("/run/systemd/system", { throwIfNoEntry: false }) !== undefined) {
    report.step("Starting Docker (systemd)");
    const { code, stderr } = await asRootRun(asRoot, ["systemctl", "start", "docker"]);
    if (code !== 0) {
      throw new CliError(`systemctl start docker failed:\n${lastLines(stderr)}`, {
        hint: "See `journalctl -u docker`.",
      });
    }
    await untilAnswering(() => undefined, "See `journalctl -u docker`.");
    return;
  }

  mkdirSync(cacheFolder(), { recursive: true });
  const log = path.join(cacheFolder(), "dockerd.log");
  report.step(`Starting Docker (without systemd: dockerd in the background, log in ${log})`);
  const [command, ...args] = commandLine(asRoot, ["dockerd"]);
  const output = openSync(log, "w");
  // Detached, so that it outlives this process and doesn't receive the terminal's Ctrl-C.
  const daemon = spawn(command, args, {
    detached: true,
    cwd: "/",
    stdio: ["ignore", output, output],
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` },
  });
  closeSync(output);
  let ended: string | undefined;
  daemon.on("error", (error) => (ended = error.message));
  daemon.on("exit", (code, signal) => (ended = `it ended with ${code ?? signal}`));
  daemon.unref();
  const logTail = (): string =>
    `The end of its log, ${log}:\n${lastLines(readFileSync(log, "utf8"))}`;
  await untilAnswering(
    () => ended && `dockerd didn't start (${ended}). ${logTail()}`,
    "Fix the cause named in the log, or install and start Docker manually.",
    logTail,
  );
}

async function untilAnswering(
  failure: () => string | undefined,
  remedy: string,
  evidence: () => string = () => "",
): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadline) {
    const answer = await ask(DEFAULT_DOCKER_HOST);
    // Permission denied on the socket means that the daemon is running.
    if (typeof answer === "object" || answer === "EACCES") return;
    const failed = failure();
    if (failed) throw new CliError(failed, { hint: remedy });
    await sleep(200);
  }
  throw new CliError(
    `Docker was started, but doesn't answer after ${START_LIMIT_MS / 1000} s. ${evidence()}`.trim(),
    { hint: remedy },
  );
}
