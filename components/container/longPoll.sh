# shellcheck shell=bash
# Health check that returns only when the container's health changes, or after one minute; Docker then starts it again.
# Arguments: STATE_FOLDER COMMAND [ARGUMENT...], where COMMAND succeeds when the container is healthy.
reported_healthy=$1/reported-healthy
shift

# `read` with a timeout from a pipe that stays empty: `sleep` would be a process that survives the end of this script.
exec 4<> <(:)
pause() { read -r -t "$1" <&4; }

if [ -e "$reported_healthy" ]; then
  failures=0
  until ((failures == 5 || (failures == 0 && SECONDS >= 60))); do
    if output=$("$@" 2>&1); then failures=0; pause 5; else ((failures += 1)); pause 1; fi
  done
  if ((failures > 0)); then rm "$reported_healthy"; fi
else
  until output=$("$@" 2>&1) && : >"$reported_healthy"; do
    if ((SECONDS >= 5)); then break; fi
    pause 0.2
  done
fi
echo "$output"
[ -e "$reported_healthy" ]
