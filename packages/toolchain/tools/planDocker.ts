import { DEFAULT_DOCKER_HOST, type DockerEndpoint } from "@store/docker/endpoint";
import { isStopped, type Problem, unreachableHint } from "@store/docker/unreachable";
import { type AsRoot, usesApt } from "../system/apt";

/** Facts about a machine whose Docker daemon can't be reached. */
export interface DockerFacts extends DockerEndpoint {
  problem: Problem;
  platform: NodeJS.Platform;
  /** ID and ID_LIKE of /etc/os-release. */
  distribution: string[];
  daemonInstalled: boolean;
  /** Address of a daemon of this user that answers at another place, for example rootless Docker. @default none */
  otherSocket?: string;
  /** Command prefix for root: empty for root, sudo if it needs no password. Undefined if neither is possible. */
  asRoot: AsRoot | undefined;
}

export type DockerPlan =
  { action: "install" | "start"; asRoot: AsRoot } | { action: "tell"; remedy: string };

/** Decides how to make Docker available: install it, start it, or tell the user what to do. */
export function planDocker(facts: DockerFacts): DockerPlan {
  const { asRoot } = facts;
  const hint = unreachableHint(facts.host, facts.problem, facts.hostFrom);
  if (hint !== undefined) return tell(hint);
  // The user has chosen this daemon; don't replace it by another.
  if (facts.host !== DEFAULT_DOCKER_HOST) {
    return tell(
      isStopped(facts.problem)
        ? `Start the daemon there, or change ${facts.hostFrom}.`
        : `Check the daemon there and the connection to it, or change ${facts.hostFrom}.`,
    );
  }
  if (facts.otherSocket !== undefined) return tell(otherSocketHint(facts.otherSocket, facts));
  if (facts.platform === "darwin") {
    return tell(
      "Install Docker Desktop (https://docs.docker.com/desktop), start it, and run this again.",
    );
  }
  if (!isStopped(facts.problem)) {
    return tell(
      "Restart the daemon, which is there, but doesn't work: `sudo systemctl restart docker`.",
    );
  }
  if (facts.daemonInstalled) {
    return asRoot === undefined
      ? tell(
          "Start it: `sudo systemctl start docker`, or `sudo dockerd` in another terminal without systemd. Then run this again.",
        )
      : { action: "start", asRoot };
  }
  if (!usesApt(facts.distribution)) {
    return tell(
      "Install Docker Engine (https://docs.docker.com/engine/install), start it, and run this again.",
    );
  }
  return asRoot === undefined
    ? tell(
        "Run `sudo apt-get update && sudo apt-get install docker.io && sudo usermod -aG docker $USER`, log in again, and run this again.",
      )
    : { action: "install", asRoot };
}

function otherSocketHint(host: string, { hostFrom }: DockerFacts): string {
  const use =
    hostFrom === "store:dockerHost"
      ? "set store:dockerHost to it, or remove that key"
      : `export DOCKER_HOST=${host}`;
  // DOCKER_HOST has precedence over a context.
  const context = /^(DOCKER_HOST|store:dockerHost)$/.test(hostFrom)
    ? ""
    : ", or choose its context (docker context ls, docker context use NAME)";
  return `A daemon answers at ${host}. Use it: ${use}${context}.`;
}

function tell(remedy: string): DockerPlan {
  return { action: "tell", remedy };
}
