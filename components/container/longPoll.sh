# shellcheck shell=sh
# Health check that returns only when the container's health changes, or after about one minute; Docker then starts it again.
# For any sh, because not every image has bash.
# Arguments: STATE_FOLDER START_SECONDS COMMAND [ARGUMENT...], where COMMAND succeeds when the container is healthy. A container that has
# just started may take START_SECONDS until the check fails.
reported_healthy=$1/reported-healthy patience=$2 pause=0.2
shift 2

if [ -e "$reported_healthy" ]; then
  patience=5 pause=1
  for _ in 1 2 3 4 5 6; do
    sleep 10
    "$@" >/dev/null 2>&1 || break
  done
fi

deadline=$(($(date +%s) + patience))
until output=$("$@" 2>&1); do
  if [ "$(date +%s)" -ge $deadline ]; then
    rm -f "$reported_healthy"
    echo "$output"
    exit 1
  fi
  sleep $pause
done
: >"$reported_healthy"
echo "$output"
