import { types } from "@pulumi/docker";
import { START_SECONDS } from "./container";
import { readWithoutComments } from "../shell/shell";

type HealthCheck = types.input.ContainerHealthcheck;

/** Defines `http_get PORT PATH` for bash. */
export const HTTP_GET_SCRIPT = readWithoutComments(__dirname, "httpGet.sh");
const LONG_POLL_SCRIPT = readWithoutComments(__dirname, "longPoll.sh");

export interface HealthCheckOptions {
  /** Seconds within which the container must be healthy, as in {@link hardened}. Defaults to {@link START_SECONDS}. */
  readonly withinSeconds?: number;
  /** Writable folder of the container that is empty whenever the container starts. Defaults to "/tmp". */
  readonly stateFolder?: string;
}

/** Health check of a container whose image has bash. Healthy means that a GET request to the path is answered with a 2xx status. */
export function httpHealthCheck(
  port: number,
  path: string,
  options?: HealthCheckOptions,
): HealthCheck {
  return longPoll(
    ["bash", `${HTTP_GET_SCRIPT}\n${LONG_POLL_SCRIPT}`],
    ["http_get", port.toString(), path],
    options,
  );
}

/** Health check of a container whose image has sh. Healthy means that the command ends with exit code 0. */
export function commandHealthCheck(
  command: readonly string[],
  options?: HealthCheckOptions,
): HealthCheck {
  return longPoll(["sh", LONG_POLL_SCRIPT], command, options);
}

/**
 * Health check by a command for an image without a shell. Every 5 s, because each check starts a process on the host, which takes
 * about 50 ms of a core.
 */
export function pollingHealthCheck(command: readonly string[]): HealthCheck {
  return {
    tests: ["CMD", ...command],
    interval: "5s",
    timeout: "5s",
    startPeriod: "1m0s",
    retries: 3,
  };
}

/**
 * Docker waits one interval before the first check, and each check starts a process on the host: a short interval keeps an idle
 * host busy, a long one delays every rollout. With long polling the first result is available within 500 ms, and afterwards one
 * sleeping shell costs next to nothing.
 *
 * Without a start period, because Docker 25 and later check only every `start_interval` during that period, which is 5 s by default and
 * which older versions refuse. The script itself gives the container time to start.
 */
function longPoll(
  [shell, script]: readonly [shell: string, script: string],
  command: readonly string[],
  { withinSeconds = START_SECONDS, stateFolder = "/tmp" }: HealthCheckOptions = {},
): HealthCheck {
  // The check must fail before the provider stops waiting, or Docker would have no output of it to report.
  const startSeconds = Math.min(Math.max(withinSeconds - 5, 1), 55);
  return {
    tests: ["CMD", shell, "-c", script, "health", stateFolder, startSeconds.toString(), ...command],
    interval: "500ms",
    // In the form in which Docker reports it; any other form would be a difference after each refresh.
    timeout: "2m0s",
    // One failure is enough: the script itself has already retried.
    retries: 1,
  };
}
