# shellcheck shell=sh
# Lets services run on these nodes, moves them away from all other workers, and makes the token useless that the nodes have joined with.
# Arguments: NODE..., their IDs.
set -eu
of_node() { docker node inspect --format "{{$2}}" "$1"; }

joined=
for node in "$@"; do
  # Machines are told apart here: their addresses in the configuration may be names.
  host=$(of_node "$node" .Description.Hostname 2>/dev/null) || host=$node
  [ "$(of_node "$node" .Spec.Role 2>/dev/null)" != manager ] ||
    fail "A worker in store:workers is the first machine, $host, under another name. Name other machines only."
  case " $joined " in
    *" $node "*) fail "Two workers in store:workers are the same machine, $host, under different names. Name each machine once." ;;
  esac
  joined="$joined $node"
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

# Prints how many instances of a service run. Further arguments filter them.
running() {
  service=$1
  shift
  docker service ps "$service" --filter desired-state=running "$@" --format '{{.CurrentState}}' | grep -c ^Running || true
}

# Starts as many further instances on the other machines as this one has: a drained machine stops its own before Swarm starts others. Sets
# grown to the services with their numbers from before.
start_elsewhere() {
  leaving=$1 grown=
  docker node update --availability pause "$leaving" >/dev/null
  for service in $(docker service ls --quiet); do
    here=$(running "$service" --filter "node=$leaving")
    [ "$here" -gt 0 ] || continue
    replicas=$(docker service inspect --format '{{.Spec.Mode.Replicated.Replicas}}' "$service")
    grown="$grown $service=$replicas"
    docker service scale --detach "$service=$((replicas + here))" >/dev/null
  done
  for one in $grown; do
    tries=120
    until [ $(($(running "${one%=*}") - $(running "${one%=*}" --filter "node=$leaving"))) -ge "${one#*=}" ]; do
      tries=$((tries - 1))
      [ $tries -gt 0 ] || {
        # shellcheck disable=SC2086
        docker service scale --detach $grown >/dev/null
        docker node update --availability active "$leaving" >/dev/null
        fail "The machine $(of_node "$leaving" .Description.Hostname) can't leave: the instances of $(docker service inspect --format '{{.Spec.Name}}' "${one%=*}") don't get healthy on the other machines."
      }
      sleep 1
    done
  done
}

for node in $(docker node ls --quiet --filter role=worker); do
  id=$(of_node "$node" .ID)
  case " $* " in *" $id "*) continue ;; esac
  echo "Moving the services away from $(of_node "$node" .Description.Hostname)"
  start_elsewhere "$node"
  docker node update --availability drain "$node" >/dev/null
  tries=60
  while [ -n "$(docker node ps "$node" --filter desired-state=running --quiet)" ] && [ $tries -gt 0 ]; do
    tries=$((tries - 1))
    sleep 1
  done
  # Instances that drain go on for a few seconds, also if the machine is gone.
  sleep 5
  # shellcheck disable=SC2086
  [ -z "$grown" ] || docker service scale --detach $grown >/dev/null
  docker node rm --force "$node" >/dev/null
done
docker swarm join-token --rotate --quiet worker >/dev/null
