# shellcheck shell=sh
# Takes this machine out of its swarm, with the networks that Docker made for it.
set -eu
[ "$(docker info --format '{{.Swarm.LocalNodeState}}')" = inactive ] || docker swarm leave --force
docker network rm docker_gwbridge >/dev/null 2>&1 || true
