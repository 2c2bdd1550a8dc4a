import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "@store/docker/cliError";
import { DEFAULT_DOCKER_HOST } from "@store/docker/endpoint";
import { aptInstall, type AsRoot, asRootRun, commandLine } from "../system/apt";
import { cacheFolder } from "../system/cache";
import { type Reporter } from "../system/report";
import { findOnPath, lastLines, run } from "../system/run";
import { pingDaemon } from "./pingDocker";

/**
 * Installs Docker from the distribution's package.
 *
 * @returns whether this user has joined the group docker, which counts from the next login.
 * @throws CliError
 */
export async function install(
  asRoot: AsRoot,
  report: Reporter,
): Promise<{ readonly joinedGroup: boolean }> {
  report.step("Docker is not on this machine: installing the distribution's package docker.io");
  await aptInstall(
    asRoot,
    ["docker.io"],
    report,
    `Fix the cause, or install Docker Engine (https://docs.docker.com/engine/install). Then run this again.`,
  );
  // In newer releases, the command is a package of its own.
  const { stdout } = await run("apt-cache", ["pkgnames", "docker-cli"]);
  if (stdout.split("\n").includes("docker-cli") && findOnPath("docker") === undefined) {
    await aptInstall(asRoot, ["docker-cli"], report, "Fix the cause, then run this again.");
  }
  if (asRoot.length === 0) return { joinedGroup: false };
  const joined = await asRootRun(asRoot, ["usermod", "-aG", "docker", os.userInfo().username]);
  return { joinedGroup: joined.code === 0 };
}

const START_LIMIT_MS = 60_000;

const SEE_JOURNAL =
  "Fix the cause that `sudo journalctl -u docker -n 50` shows, and run this again.";

/** Starts the Docker daemon, by systemd or as a background process, and waits until it answers. @throws CliError */
export async function start(asRoot: AsRoot, report: Reporter): Promise<void> {
  // The documented test for systemd as init system, see sd_booted(3).
  if (statSync("/run/systemd/system", { throwIfNoEntry: false }) !== undefined) {
    report.step("Starting Docker (systemd)");
    const { code, stderr } = await asRootRun(asRoot, ["systemctl", "start", "docker"]);
    if (code !== 0) {
      throw new CliError(`systemctl start docker failed:\n${lastLines(stderr)}`, {
        hint: SEE_JOURNAL,
      });
    }
    await untilAnswering(() => undefined, SEE_JOURNAL);
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
    "Fix the cause that the log names, and run this again.",
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
    const answer = await pingDaemon({ host: DEFAULT_DOCKER_HOST });
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
