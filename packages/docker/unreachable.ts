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
    hint: unreachableHint(host, problem) ?? "Start it. ./store doctor checks it.",
    cause: error,
  });
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

/** Returns what the user can do; undefined if the daemon has to be installed or started. */
export function unreachableHint(host: string, problem: Problem): string | undefined {
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
  if (problem === "EPROTONOSUPPORT") {
    return "Set DOCKER_HOST to a unix://, tcp:// or ssh:// address, or `docker context use default`.";
  }
  if (host.startsWith("ssh:")) {
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
