# shellcheck shell=sh
# Takes the manager out of its swarm, which ends it, with the networks that Docker made for it. Docker forgets the DNS names in all networks then,
# also in those of this machine only, until their containers start again (https://github.com/moby/moby/issues/45144). So it restarts the containers
# of all stacks on this machine: of one that goes on without workers, and of others.
set -eu
[ "$(docker info --format '{{.Swarm.LocalNodeState}}')" = inactive ] || docker swarm leave --force
docker network rm docker_gwbridge >/dev/null 2>&1 || true

for role in database service gateway certificates; do
  docker ps --quiet --filter label=dev.store.stack --filter "label=dev.store.role=$role" | xargs -r -n 1 -P 8 docker restart >/dev/null
done
others=$(docker ps --format '{{.Names}} {{.Networks}} {{.Label "dev.store.stack"}}' |
  while read -r name networks stack; do
    case $networks in bridge | host | none | container:*) continue ;; esac
    [ -n "$stack" ] || printf ' %s' "$name"
  done)
[ -z "$others" ] ||
  echo "Docker has forgotten the DNS names of further containers on this machine. Restart them when it suits: docker restart$others" >&2
