import { types } from "@pulumi/docker";

type HealthCheck = types.input.ContainerHealthcheck;

/** A container whose image has bash is healthy when it answers a GET of the path with 2xx. */
export function askedByHttp(port: number, path: string, folder?: string): HealthCheck {
  return held(`${GET}\nask() { get "$@"; }`, [port.toString(), path], folder);
}

/** A container whose image has bash is healthy when the command ends with 0. */
export function askedByCommand(command: readonly string[], folder?: string): HealthCheck {
  return held('ask() { "$@"; }', command, folder);
}

/** The same for an image without bash. Each question starts a process on the host, some 50 ms of a core, so it is asked every 5 s. */
export function polled(command: readonly string[]): HealthCheck {
  return {
    tests: ["CMD", ...command],
    interval: "5s",
    timeout: "5s",
    startPeriod: ONE_MINUTE,
    retries: 3,
  };
}

/**
 * A check that goes on until there is something new to say, a minute at most. Then Docker starts it again.
 *
 * Docker asks for the first time after the interval, and each of its questions starts a process on the host. A short interval would keep
 * an idle host busy, a long one make every rollout wait. This one does neither: it is one sleeping bash most of the time, and what it
 * asks costs next to nothing.
 *
 * @param ask Defines the function `ask`, which ends with 0 when the container can serve and otherwise says why it can't.
 * @param folder Of the container: it can be written to, and is empty whenever the container starts, as Docker's memory of it is.
 */
function held(ask: string, args: readonly string[], folder = "/tmp"): HealthCheck {
  return {
    tests: ["CMD", "bash", "-c", ask + hold(folder), "health", ...args],
    interval: "500ms",
    timeout: "1m30s",
    startPeriod: ONE_MINUTE,
    // It is patient itself: once it says so, it is so.
    retries: 1,
  };
}

/** An HTTP request by bash alone, since the images have no curl: `get PORT PATH` prints the answer, and ends with 0 when it is 2xx. */
export const GET = `get() {
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return
  printf 'GET %s HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' "$2" >&3
  # Until it hangs up. Only where the time is over this ends with more than 128.
  IFS= read -r -d '' -t 2 answer <&3
  if (($? > 128)); then echo "no answer within 2 s"; return 1; fi
  echo "$answer"
  [[ $answer =~ ^HTTP/1\\.[01]\\ 2 ]]
}`;

const hold = (folder: string): string => `
# Waits without another process, which would be left when this one is ended.
exec 4<> <(:)
pause() { read -r -t "$1" <&4; }
said_healthy=${folder}/said-healthy
if [ -e "$said_healthy" ]; then
  failures=0
  until ((failures == 5 || (failures == 0 && SECONDS >= 60))); do
    if said=$(ask "$@" 2>&1); then failures=0; pause 5; else ((failures += 1)); pause 1; fi
  done
  if ((failures > 0)); then rm "$said_healthy"; fi
else
  until said=$(ask "$@" 2>&1) && : >"$said_healthy"; do
    if ((SECONDS >= 5)); then break; fi
    pause 0.2
  done
fi
echo "$said"
[ -e "$said_healthy" ]
`;

/** As Docker reports it back: written in any other way, it would differ after each refresh. */
const ONE_MINUTE = "1m0s";
