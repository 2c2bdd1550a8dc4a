import * as os from "node:os";
import * as path from "node:path";
import { CliError } from "@store/docker/cliError";
import { type DockerEndpoint, resolveDockerEndpoint } from "@store/docker/endpoint";
import { describeProblem } from "@store/docker/unreachable";
import { distribution, findAsRoot, usesApt } from "../system/apt";
import { cacheFolder } from "../system/cache";
import { withLock } from "../system/lock";
import { type Reporter } from "../system/report";
import { findOnPath } from "../system/run";
import { pingDaemon } from "./pingDocker";
import { type DockerFacts, type DockerPlan, planDocker } from "./planDocker";
import { install, start } from "./startDocker";

export interface DockerFound extends DockerEndpoint {
  found: true;
  version: string;
  /** The daemon's CPU architecture in Docker's notation. */
  arch: string;
  /** Executable of the docker command; undefined if it isn't installed. */
  cli?: string;
  how: "found" | "installed" | "started";
}

export interface DockerMissing extends DockerEndpoint {
  found: false;
  problem: string;
  /** Action that ensureDocker would take. */
  plan: DockerPlan;
}

/**
 * Returns the running daemon at the endpoint. Installs or starts one if necessary and possible.
 *
 * @param endpoint Defaults to the daemon that the docker command would use.
 * @throws CliError with instructions otherwise
 */
export async function ensureDocker(
  report: Reporter,
  endpoint = currentEndpoint(),
): Promise<DockerFound> {
  const first = await findDocker(endpoint);
  if (first.found) return first;
  if (first.plan.action === "tell") throw new CliError(first.problem, { hint: first.plan.remedy });

  return withLock(
    cacheFolder(),
    "docker",
    (pid) => report.step(`Waiting for process ${pid}, which is setting up Docker`),
    async () => {
      let now = await findDocker(endpoint);
      if (now.found) return now;
      let how: DockerFound["how"] = "started";
      let joinedGroup = false;
      if (now.plan.action === "install") {
        ({ joinedGroup } = await install(now.plan.asRoot, report));
        how = "installed";
        // With systemd, the package starts the daemon.
        now = await findDocker(endpoint);
      }
      if (!now.found && now.plan.action === "start") {
        await start(now.plan.asRoot, report);
        now = await findDocker(endpoint);
      }
      if (now.found) return { ...now, how };
      throw new CliError(now.problem, {
        hint: joinedGroup
          ? "Docker is installed, and you are in the group docker, which counts from the next login. Log in again, or run " +
            "newgrp docker in this shell, and run this again."
          : now.plan.action === "tell"
            ? now.plan.remedy
            : "See `docker version` and the daemon's log.",
      });
    },
  );
}

/**
 * Checks whether the daemon at the endpoint answers. Changes nothing.
 *
 * @param endpoint Defaults to the daemon that the docker command would use.
 * @throws CliError if the endpoint is invalid
 */
export async function findDocker(
  endpoint = currentEndpoint(),
): Promise<DockerFound | DockerMissing> {
  const answer = await pingDaemon(endpoint);
  if (typeof answer === "object") {
    return { found: true, ...endpoint, ...answer, cli: findOnPath("docker"), how: "found" };
  }
  const plan = planDocker({ ...endpoint, problem: answer, ...(await examineMachine()) });
  const { host, hostFrom } = endpoint;
  // A closed socket says nothing about the daemon behind it.
  const failure = answer === "EACCES" ? "Docker can't be used" : "No Docker daemon answers";
  const problem = `${failure} at ${host}, from ${hostFrom}: ${describeProblem(answer)}.`;
  return { found: false, ...endpoint, problem, plan };
}

/** Error for a machine with a daemon, but without the docker command, which Debian 13 and newer have in a package of its own. */
export function missingDockerCommand(names = distribution()): CliError {
  return new CliError("The docker command is not installed or not on PATH; up and exec run it.", {
    hint: usesApt(names)
      ? "Install it: sudo apt-get install docker-cli (docker-ce-cli from Docker's own repository)."
      : "Install it: https://docs.docker.com/engine/install/binaries",
  });
}

function currentEndpoint(): DockerEndpoint {
  return resolveDockerEndpoint(process.env, os.homedir());
}

/** Sockets of rootless Docker, Docker Desktop, Colima and OrbStack. Their installers set up a docker context, which may not be current. */
function userSockets(): string[] {
  const home = os.homedir();
  const runtime = process.env["XDG_RUNTIME_DIR"] || `/run/user/${process.getuid?.() ?? ""}`;
  return [
    path.join(runtime, "docker.sock"),
    path.join(home, ".docker/run/docker.sock"),
    path.join(home, ".docker/desktop/docker.sock"),
    path.join(home, ".colima/default/docker.sock"),
    path.join(home, ".orbstack/run/docker.sock"),
  ];
}

async function findUserSocket(): Promise<string | undefined> {
  for (const host of userSockets().map((socket) => `unix://${socket}`)) {
    if (typeof (await pingDaemon({ host })) === "object") return host;
  }
  return undefined;
}

async function examineMachine(): Promise<Omit<DockerFacts, keyof DockerEndpoint | "problem">> {
  return {
    platform: process.platform,
    distribution: distribution(),
    // PATH of a user other than root often lacks the folders with dockerd.
    daemonInstalled:
      findOnPath("dockerd", [process.env.PATH, "/usr/sbin", "/usr/local/sbin"].join(":")) !==
      undefined,
    otherSocket: await findUserSocket(),
    asRoot: await findAsRoot(),
  };
}
