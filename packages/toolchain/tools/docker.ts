import * as os from "node:os";
import { CliError } from "@store/docker/cliError";
import { type DockerHost, localDockerHost } from "@store/docker/dockerHost";
import { distribution, findAsRoot } from "../system/apt";
import { cacheFolder } from "../system/cache";
import { withLock } from "../system/lock";
import { type Reporter } from "../system/report";
import { findOnPath } from "../system/run";
import { ANSWER_LIMIT_MS, pingDaemon, type Problem } from "./pingDocker";
import { type DockerFacts, type DockerPlan, planDocker } from "./planDocker";
import { install, start } from "./startDocker";

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
  const answer = await pingDaemon(target.host);
  if (typeof answer === "object") {
    return { found: true, ...target, ...answer, cli: findOnPath("docker"), how: "found" };
  }
  const plan = planDocker({ ...target, problem: answer, ...(await examineMachine()) });
  return { found: false, ...target, problem: describe(target, answer), plan };
}

function targetOf(env: NodeJS.ProcessEnv): DockerHost {
  return localDockerHost(env, os.homedir());
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

async function examineMachine(): Promise<Omit<DockerFacts, keyof DockerHost | "problem">> {
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
