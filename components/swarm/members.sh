# shellcheck shell=sh
# Lets services run on these nodes, moves them away from all other workers, and makes the token useless that the nodes have joined with.
# Arguments: NODE..., their IDs.
set -eu
fail() {
  echo "$*" >&2
  exit 1
}
of_node() { docker node inspect --format "{{$2}}" "$1"; }

for node in "$@"; do
  # A worker that has just joined is "unknown" for a moment.
  tries=30
  until [ "$(of_node "$node" .Status.State 2>/dev/null)" = ready ]; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] ||
      fail "The machine $(of_node "$node" .Description.Hostname) ($(of_node "$node" .Status.Addr)) doesn't answer the manager. Is it running, and are TCP 2377 and 7946 and UDP 7946 and 4789 open between the machines?"
    sleep 2
  done
  docker node update --availability active --label-add dev.store.worker=true "$node" >/dev/null
done

for node in $(docker node ls --quiet --filter role=worker); do
  id=$(of_node "$node" .ID)
  case " $* " in *" $id "*) continue ;; esac
  echo "Moving the services away from $(of_node "$node" .Description.Hostname)"
  docker node update --availability drain "$node" >/dev/null
  tries=60
  while [ -n "$(docker node ps "$node" --filter desired-state=running --quiet)" ] && [ $tries -gt 0 ]; do
    tries=$((tries - 1))
    sleep 1
  done
  # Instances that drain go on for a few seconds, also if the machine is gone.
  sleep 5
  docker node rm --force "$node" >/dev/null
done
docker swarm join-token --rotate --quiet worker >/dev/null
