# shellcheck shell=sh
# Fails, with Docker's message, if the port of the host is taken. Runs before the gateway is replaced: its container is deleted before the
# new one is created, so a port that is taken would leave no gateway.
# Arguments: IMAGE VOLUME PUBLISHED PORT, where VOLUME is that of the gateway's configuration and PUBLISHED the value of --publish. The image
# is on the host already.
set -eu
# The previous gateway holds the port if only something else of the gateway changes. No other stack or checkout has its volume.
own_gateway=$(docker ps --quiet --filter "publish=$4" --filter "volume=$2")
[ -z "$own_gateway" ] || exit 0
docker run --rm --publish "$3" --read-only --cap-drop ALL --security-opt no-new-privileges --log-driver none --entrypoint true "$1"
