# shellcheck shell=sh
# Takes this machine out of its swarm, with the networks that Docker made for it; not if it is also a worker under another name, which may be its
# new one in the configuration.
# Argument: NAME of the worker.
set -eu
forget_name "$1"
names=$(other_names)
[ -z "$names" ] || {
  echo "This machine stays in the swarm as $names"
  exit 0
}
[ "$(info .Swarm.LocalNodeState)" = inactive ] || docker swarm leave --force
docker network rm docker_gwbridge >/dev/null 2>&1 || true
