import { Answer, reasonOf } from "@store/docker/docker";
import { type RegistryStatus } from "./plan";

/** Interprets the daemon's response to `GET /distribution/REF/json`. */
export function registryAnswer(ref: string, answer: Answer): RegistryStatus {
  const { status } = answer;
  if (status === 200) return { answer: "serves" };
  const reason = reasonOf(answer)
    .trim()
    .replace(/[.:]+$/, "");
  if (/denied|unauthorized|authentication required|no basic auth/i.test(reason)) {
    // Docker Hub answers "denied" for a missing repository. Another registry may accept the credentials of the pull.
    return isOnDockerHub(ref) ? { answer: "refuses", reason } : { answer: "serves" };
  }
  if (status === 404 || /manifest unknown|not found|name unknown|invalid reference/i.test(reason)) {
    return { answer: "refuses", reason };
  }
  return { answer: "unreachable", reason: shortReason(reason) };
}

/** Shortens "Get "https://…": dial tcp: lookup registry.example on 192.0.2.1:53: no such host" to host and cause. */
export function shortReason(reason: string): string {
  const lookup = /lookup (\S+)(?: on \S+)?: (.+)$/.exec(reason);
  if (lookup) return `${lookup[1] ?? ""}: ${lookup[2] ?? ""}`;
  return reason.replace(/^(?:Get|Head) "https?:\/\/([^/"]+)[^"]*": /, "$1: ");
}

export function isOnDockerHub(ref: string): boolean {
  return registryHost(ref) === DOCKER_HUB;
}

const DOCKER_HUB = "docker.io";

/** Returns the registry of a reference. As in Docker, the first part is a registry if it has a dot or a colon, or is localhost. */
export function registryHost(ref: string): string {
  const [first = "", ...rest] = ref.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return isHost && first !== "index.docker.io" ? first : DOCKER_HUB;
}
