import { types } from "@pulumi/docker";
import { readWithoutComments } from "../shell/shell";

type HealthCheck = types.input.ContainerHealthcheck;

/** Defines `http_get PORT PATH` for bash. */
export const HTTP_GET_SCRIPT = readWithoutComments(__dirname, "httpGet.sh");
const LONG_POLL_SCRIPT = readWithoutComments(__dirname, "longPoll.sh");

/**
 * Health check of a container whose image has bash. Healthy means that a GET request to the path is answered with a 2xx status.
 *
 * @param stateFolder Writable folder of the container that is empty whenever the container starts. Defaults to "/tmp".
 */
export function httpHealthCheck(port: number, path: string, stateFolder?: string): HealthCheck {
  return longPoll(
    `${HTTP_GET_SCRIPT}\n${LONG_POLL_SCRIPT}`,
    ["http_get", port.toString(), path],
    stateFolder,
  );
}

/**
 * Health check of a container whose image has bash. Healthy means that the command ends with exit code 0.
 *
 * @param stateFolder As for {@link httpHealthCheck}.
 */
export function commandHealthCheck(command: readonly string[], stateFolder?: string): HealthCheck {
  return longPoll(LONG_POLL_SCRIPT, command, stateFolder);
}

/**
 * Health check by a command for an image without bash. Every 5 s, because each check starts a process on the host, which takes
 * about 50 ms of a core.
 */
export function pollingHealthCheck(command: readonly string[]): HealthCheck {
  return {
    tests: ["CMD", ...command],
    interval: "5s",
    timeout: "5s",
    startPeriod: ONE_MINUTE,
    retries: 3,
  };
}

/**
 * Docker waits one interval before the first check, and each check starts a process on the host: a short interval keeps an idle
 * host busy, a long one delays every rollout. With long polling the first result is available within 500 ms, and afterwards one
 * sleeping bash costs next to nothing.
 */
function longPoll(script: string, command: readonly string[], stateFolder = "/tmp"): HealthCheck {
  return {
    tests: ["CMD", "bash", "-c", script, "health", stateFolder, ...command],
    interval: "500ms",
    timeout: "1m30s",
    startPeriod: ONE_MINUTE,
    // One failure is enough: the script itself has already retried.
    retries: 1,
  };
}

/** In the form in which Docker reports it; any other form would be a difference after each refresh. */
const ONE_MINUTE = "1m0s";
