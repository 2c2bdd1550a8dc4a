#!/bin/sh
# Runs on the manager after each start of Docker. Starts the stack's containers that Docker has left stopped: without live-restore, it doesn't
# start a container with the policy unless-stopped again after a crash of its own. Then restarts the gateway until it finds the services:
# a container that joins an overlay before the other machines are known gets their names only half a minute later.
# Argument: STACK.
set -u
stack=$1
own() { docker ps --quiet --filter "label=dev.store.stack=$stack" "$@"; }

tries=60
until docker info >/dev/null 2>&1; do
  tries=$((tries - 1))
  [ $tries -gt 0 ] || exit 1
  sleep 1
done

for container in $(own --all --filter status=exited); do
  docker start "$container" >/dev/null
done

# A machine that doesn't come back must not keep the gateway waiting.
tries=30
while docker node ls --format '{{.Status}}' | grep -qv Ready && [ $tries -gt 0 ]; do
  tries=$((tries - 1))
  sleep 1
done

names=$(docker service ls --quiet --filter "label=dev.store.stack=$stack" |
  xargs -r docker service inspect --format '{{index .Spec.Labels "dev.store.service"}}' | sort -u)
gateway=$(own --all --filter label=dev.store.role=gateway | head -n 1)
[ -n "$gateway" ] || exit 0

finds_all() {
  for name in $names; do
    docker exec "$gateway" getent hosts "$name" >/dev/null || return
  done
}

for wait in 2 4 8 16; do
  finds_all && exit 0
  docker restart --time 2 "$gateway" >/dev/null
  sleep $wait
done
finds_all
