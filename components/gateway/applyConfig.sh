# shellcheck shell=sh
# Connects the gateway to the services' networks and makes it use its configuration (reload.sh). The gateway may be reloaded or replaced
# while a service is down, so it waits only for services of which Docker reports a healthy container, or Swarm one on another machine.
# Arguments: CONTAINER VERSION NETWORK=NAME..., where the gateway reaches the services on these networks and has the DNS name NAME there,
# or none if NAME is empty.
set -eu
container=$1 version=$2
shift 2

joined=" $(docker inspect --format '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}' "$container")"
wanted=" "
for network in "$@"; do
  shift
  name=${network#*=} network=${network%%=*}
  wanted="$wanted$network "
  set -- "$@" --filter "network=$network"
  case $joined in
    *" $network "*) ;;
    *) docker network connect ${name:+--alias "$name"} "$network" "$container" ;;
  esac
done
# The networks of services that the store has no more. Networks of others, such as that of a Prometheus, have no such label.
for network in $(docker network ls --filter label=dev.store.gateway --format '{{.Name}}'); do
  case $wanted in *" $network "*) continue ;; esac
  case $joined in *" $network "*) docker network disconnect "$network" "$container" ;; esac
done

# Swarm counts an instance as running when it is healthy. The gateway of another stack on the manager of a swarm has the labels of its own.
healthy_elsewhere() {
  own=$(docker inspect --format '{{range $name, $value := .Config.Labels}}{{if or (eq $name "dev.store.stack") (eq $name "dev.store.project")}} --filter label={{$name}}={{$value}}{{end}}{{end}}' "$container")
  # shellcheck disable=SC2086
  docker service ls $own --filter label=dev.store.role=service --format '{{.ID}} {{.Replicas}}' 2>/dev/null | while read -r id replicas; do
    [ "${replicas%%/*}" = 0 ] || docker service inspect --format '{{index .Spec.Labels "dev.store.service"}}' "$id"
  done
}

healthy=$(docker ps "$@" --filter status=running --filter health=healthy --filter label=dev.store.role=service --format '{{.Label "dev.store.service"}}')
healthy=$(printf '%s\n' "$healthy" "$(healthy_elsewhere)" | sort -u)
# shellcheck disable=SC2086
docker exec "$container" bash /etc/store/reload.sh "$version" $healthy
