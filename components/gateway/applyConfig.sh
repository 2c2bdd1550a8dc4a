# shellcheck shell=sh
# Makes the gateway use its configuration (reload.sh). The gateway may be reloaded or replaced while a service is down, so it waits only for
# services of which Docker reports a healthy container.
# Arguments: CONTAINER VERSION NETWORK..., where the gateway reaches the services on these networks.
set -eu
container=$1 version=$2
shift 2
for network in "$@"; do
  shift
  set -- "$@" --filter "network=$network"
done
healthy=$(docker ps "$@" --filter status=running --filter health=healthy --filter label=dev.store.role=service --format '{{.Label "dev.store.service"}}')
# shellcheck disable=SC2086
docker exec "$container" bash /etc/store/reload.sh "$version" $healthy
