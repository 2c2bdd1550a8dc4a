import { CliError } from "./cliError";
import { messageOf } from "./messageOf";

/** Cause of an unreachable daemon: a system error code or a message. */
export type Problem = string;

/** Code of the system's error, or its message. */
export function problemOf(error: unknown): Problem {
  return (error as NodeJS.ErrnoException).code ?? messageOf(error);
}

/** Problem of an address at which Podman answers. */
export const PODMAN: Problem = "PODMAN";

/** Error for a daemon that doesn't answer. Its cause is the system's error. */
export function dockerUnreachable(host: string, error: unknown): CliError {
  const problem = problemOf(error);
  return new CliError(`Docker at ${host} doesn't answer: ${describeProblem(problem, error)}.`, {
    hint:
      unreachableHint(host, problem) ??
      (isStopped(problem)
        ? "Start it, and run this again."
        : "Check the daemon, and run this again."),
    cause: error,
  });
}

/** Checks for a problem of a daemon that doesn't run. */
export function isStopped(problem: Problem): boolean {
  return problem === "ENOENT" || problem === "ECONNREFUSED";
}

/** Describes the cause as a clause. */
export function describeProblem(problem: Problem, error?: unknown): string {
  const known: Readonly<Record<string, string>> = {
    ENOENT: "there is no such socket",
    ECONNREFUSED: "nothing listens there",
    EACCES: "this user may not open the socket",
    ENOTFOUND: "there is no such host",
    PODMAN:
      "Podman answers there, which lacks parts of Docker's API that the store needs (image distribution, BuildKit)",
    EPROTONOSUPPORT: "only unix://, tcp:// and ssh:// addresses are supported",
  };
  const message = known[problem] ?? (error === undefined ? problem : messageOf(error));
  return message.trim().replace(/\.$/, "");
}

/**
 * Returns what the user can do; undefined if the daemon has to be installed or started.
 *
 * @param hostFrom Source of the address, for example "store:dockerHost". Defaults to unknown.
 */
export function unreachableHint(
  host: string,
  problem: Problem,
  hostFrom?: string,
): string | undefined {
  if (problem === "EACCES") {
    return (
      "Join the group docker: sudo usermod -aG docker $USER. Then log in again (or run newgrp docker in this shell), " +
      "and run this again. Rootless Docker needs no group: docker context use rootless."
    );
  }
  if (problem === PODMAN) {
    return (
      "Install Docker Engine, which also runs rootless (https://docs.docker.com/engine/security/rootless), and choose its daemon: " +
      "by DOCKER_HOST, docker's context or store:dockerHost."
    );
  }
  if (problem === "EPROTONOSUPPORT" && hostFrom === "store:dockerHost") {
    return "Set store:dockerHost to a unix://, tcp:// or ssh:// address, such as unix:///var/run/docker.sock, or remove that key.";
  }
  if (problem === "EPROTONOSUPPORT") {
    return "Set DOCKER_HOST to a unix://, tcp:// or ssh:// address, or `docker context use default`.";
  }
  if (problem === "ENOTFOUND" || problem === "EAI_AGAIN") {
    return "Correct the address, or check this machine's name resolution.";
  }
  if (host.startsWith("ssh:")) {
    if (/docker: (command )?not found|Unknown command: docker/.test(problem)) {
      return "Install Docker on that machine (https://docs.docker.com/engine/install), for the user of that login.";
    }
    if (
      /permission denied while trying to connect|docker\.sock: .*permission denied/i.test(problem)
    ) {
      return "Add the user of that login to the group docker on that machine: sudo usermod -aG docker USER.";
    }
    if (
      /Is the docker daemon running|docker\.sock: .*(no such file|connection refused)/i.test(
        problem,
      )
    ) {
      return "Start Docker on that machine: sudo systemctl start docker.";
    }
    return (
      `Check the connection: docker --host ${host} version. ssh must log in without a prompt: with a key in ssh-agent, ` +
      "and with the host's key in known_hosts."
    );
  }
  if (/certificate|CERT|VERIFY|\bTLS\b|ERR_SSL|EPROTO\b/.test(problem)) {
    return "Check that the certificates belong to this daemon, and that DOCKER_TLS_VERIFY is set for a daemon with TLS only.";
  }
  return undefined;
}
