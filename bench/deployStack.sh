#!/bin/sh
# Deploys the stack bench and waits for its service inventory, which `docker stack deploy` does itself from Docker 26 on only.
# Arguments: FILE in base64, REPLICAS.
set -e
echo "$1" | base64 -d >/root/bench.yaml
docker stack deploy --with-registry-auth --compose-file /root/bench.yaml bench

running() {
  docker service ls --filter name=bench_inventory --format '{{.Replicas}}'
}

state() {
  docker service inspect --format '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}' bench_inventory
}

until [ "$(running)" = "$2/$2" ] && [ "$(state)" != updating ]; do sleep 0.2; done
