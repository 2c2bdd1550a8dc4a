import { DOCKER_HUB, registryOf } from "@store/docker/registryLogin";

/** Cause of a failed build that lies outside of the Dockerfile and its files. */
export interface BuildCause {
  /** Completes "Building the image of inventory failed: ". */
  readonly problem: string;
  /** Instruction for the user, without the command to run again. */
  readonly remedy: string;
}

/** The error ENOSPC or EDQUOT, which the system also gives for other limits than the disk. */
export const NO_SPACE = /no space left on device|ENOSPC|disk quota exceeded/i;

const FREE_DISK_SPACE =
  "Free space on the disk of Docker's data folder. docker system df shows what uses it; docker image prune and docker builder " +
  "prune remove unused data.";

/** Finds the limit behind {@link NO_SPACE} in the lines that have the error. */
export function noSpaceCause(output: string): BuildCause {
  const lines = output.split("\n").filter((line) => NO_SPACE.test(line));
  return (
    OTHER_LIMITS.find(({ match }) => lines.some((line) => match.test(line)))?.cause ?? {
      problem: "the disk is full.",
      remedy: FREE_DISK_SPACE,
    }
  );
}

const OTHER_LIMITS: readonly { readonly match: RegExp; readonly cause: BuildCause }[] = [
  {
    match: /inotify|file watchers/i,
    cause: {
      problem: "the system's limit of watched files is reached. The disk isn't full.",
      remedy:
        "Raise it on Docker's host: sudo sysctl fs.inotify.max_user_watches=524288 (until a reboot; for good in /etc/sysctl.d).",
    },
  },
  {
    match: /session key/i,
    cause: {
      problem: "the system's limit of keys is reached. The disk isn't full.",
      remedy:
        "Raise it on Docker's host: sudo sysctl kernel.keys.maxkeys=20000 kernel.keys.maxbytes=400000 (until a reboot; for good in /etc/sysctl.d).",
    },
  },
  {
    match: /cgroup/i,
    cause: {
      problem: "the system's limit of control groups is reached. The disk isn't full.",
      remedy: "Remove stopped containers (docker container prune) and restart Docker.",
    },
  },
  {
    match: /shared memory|\/dev\/shm/i,
    cause: {
      problem: "the container's shared memory (/dev/shm) is full. The disk isn't full.",
      remedy: "Give the program less shared memory.",
    },
  },
];

/** Finds the cause in the builder's error and in the output of the failed step; undefined for an error in the Dockerfile. */
export function buildCause(error: string, output: readonly string[]): BuildCause | undefined {
  const inBuilder = BUILDER_CAUSES.find(({ match }) => match.test(error));
  const everything = [error, ...output].join("\n");
  return (
    inBuilder?.cause(error) ??
    STEP_CAUSES.find(({ match }) => match.test(everything))?.cause(everything)
  );
}

interface Entry {
  readonly match: RegExp;
  readonly cause: (error: string) => BuildCause;
}

/** Errors of the builder itself. Steps may print the same texts for other reasons. */
const BUILDER_CAUSES: readonly Entry[] = [
  {
    match: /failed to open build log file: .*permission denied/i,
    cause: (error) => ({
      problem: `the log ${/open (\S+):/.exec(error)?.[1] ?? "in build-logs"} can't be written: permission denied.`,
      remedy: "Give the folder build-logs to this user: sudo chown -R $(id -u) build-logs.",
    }),
  },
  {
    match: /secret \S*: not found|failed to stat .*: no such file/i,
    cause: () => ({
      problem: "a build secret is missing.",
      remedy:
        "Set the environment variable, or create the file, that image.secrets of the service's spec names.",
    }),
  },
  {
    match:
      /pull access denied|insufficient_scope|authorization failed|no basic auth|failed to authorize|(401|403) (Unauthorized|Forbidden)/i,
    cause: (error) => ({
      problem: `the registry of its base image${baseImage(error)} denies access.`,
      remedy: `Check the name (store:nodeImage, FROM in the Dockerfile); if it is right, log in: docker login${registryArgument(error)}.`,
    }),
  },
  {
    match: /toomanyrequests|429 Too Many Requests|pull rate limit/i,
    cause: (error) => ({
      problem: `the registry of its base image${baseImage(error)} refuses further downloads for a while (rate limit).`,
      remedy: `Log in, which raises the limit (docker login${registryArgument(error)}), or wait.`,
    }),
  },
  {
    match: /server gave HTTP response to HTTPS client/i,
    cause: (error) => ({
      problem: `the registry of its base image${baseImage(error)} speaks plain HTTP.`,
      remedy:
        'Allow it: {"insecure-registries": ["REGISTRY"]} in /etc/docker/daemon.json, and systemctl restart docker.',
    }),
  },
  {
    match: /x509:|certificate (signed by unknown|has expired|is not valid)/i,
    cause: (error) => ({
      problem: `Docker doesn't trust the certificate of the registry of its base image${baseImage(error)}.`,
      remedy:
        "Put the registry's CA into /etc/docker/certs.d/REGISTRY/ca.crt on Docker's host (https://docs.docker.com/engine/security/certificates/).",
    }),
  },
  {
    match:
      /failed to (do request|fetch|resolve reference)|dial tcp|i\/o timeout|TLS handshake timeout/i,
    cause: (error) => ({
      problem: `its base image${baseImage(error)} can't be downloaded: the registry is unreachable.`,
      remedy:
        "Check the network of Docker's daemon, its proxy (https://docs.docker.com/engine/daemon/proxy/) and the registry.",
    }),
  },
  {
    match: /manifest unknown|no match for platform|failed to resolve source metadata .*not found/i,
    cause: (error) => ({
      problem: `its base image${baseImage(error)} doesn't exist for this platform.`,
      remedy: "Check the name: store:nodeImage, FROM in the Dockerfile.",
    }),
  },
  {
    match:
      /booting buildkit|no builder ".*" found|failed to dial gRPC|failed to find driver|buildkit daemon|error reading from server: EOF|listing workers/i,
    cause: () => ({
      problem: "Docker's builder doesn't work.",
      remedy:
        "See docker buildx ls and the daemon's log; restart Docker. ./store doctor checks it.",
    }),
  },
];

/** Errors that a step prints. */
const STEP_CAUSES: readonly Entry[] = [
  {
    match: NO_SPACE,
    cause: noSpaceCause,
  },
  {
    match:
      /\b(EAI_AGAIN|ENOTFOUND|ETIMEDOUT|ECONNRESET|ENETUNREACH)\b|temporary failure (in name resolution|resolving)|could not resolve (host|'.*')|network is unreachable|proxyconnect/i,
    cause: () => ({
      problem: "a download failed.",
      remedy:
        "Check the network; behind a proxy, set it for builds, too: https://docs.docker.com/engine/cli/proxy/.",
    }),
  },
  {
    match: /exit code: 137|signal: killed|cannot allocate memory|\bOOM\b/i,
    cause: () => ({
      problem: "a step was killed, probably for lack of memory.",
      remedy: "Give Docker more memory, or stop other containers.",
    }),
  },
];

/** Argument of `docker login`, after a space; empty for Docker Hub. */
function registryArgument(error: string): string {
  const registry = registryOf(baseImage(error).trim());
  return registry === DOCKER_HUB ? "" : ` ${registry}`;
}

function baseImage(error: string): string {
  const [, image] =
    /failed to resolve source metadata for (\S+?):? /.exec(error) ??
    /failed to solve: (\S+[:@]\S+): /.exec(error) ??
    [];
  return image === undefined ? "" : ` ${image}`;
}
