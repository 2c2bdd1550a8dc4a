import { DEFAULT_DOCKER_HOST, type DockerHost } from "@store/docker/dockerHost";
import { type AsRoot, usesApt } from "../system/apt";
import { type Problem } from "./pingDocker";

/** Facts about a machine whose Docker daemon can't be reached. */
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

/** Decides how to make Docker available: install it, start it, or tell the user what to do. */
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
