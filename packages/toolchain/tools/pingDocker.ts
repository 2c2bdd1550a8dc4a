import { CliError } from "@store/docker/cliError";
import { isSupported } from "@store/docker/connection";
import { Docker, reasonOf } from "@store/docker/docker";
import type { DockerEndpoint } from "@store/docker/endpoint";
import { PODMAN, type Problem, problemOf } from "@store/docker/unreachable";

/** Timeout of a request to the daemon, in milliseconds. */
export const ANSWER_LIMIT_MS = 5_000;

/** Timeout for a daemon behind ssh, whose login takes time. */
const SSH_ANSWER_LIMIT_MS = 40_000;

interface VersionAnswer {
  readonly Version: string;
  readonly Arch: string;
  readonly Components?: readonly { readonly Name: string }[];
}

/** Returns the daemon's version and architecture, or why it can't be reached. @throws CliError if the endpoint is invalid */
export async function pingDaemon(
  endpoint: Pick<DockerEndpoint, "host" | "certPath">,
): Promise<{ version: string; arch: string } | Problem> {
  if (!isSupported(endpoint.host)) return "EPROTONOSUPPORT";
  const docker = new Docker(endpoint);
  try {
    const limitMs = endpoint.host.startsWith("ssh:") ? SSH_ANSWER_LIMIT_MS : ANSWER_LIMIT_MS;
    const answer = await docker.request("GET", "/version", limitMs);
    if (answer.status !== 200) return reasonOf(answer);
    const { Version, Arch, Components } = answer.body as VersionAnswer;
    if (Components?.some(({ Name }) => Name === "Podman Engine")) return PODMAN;
    return { version: Version, arch: Arch };
  } catch (error) {
    return problemOf(error instanceof CliError ? error.cause : error);
  } finally {
    docker.close();
  }
}
