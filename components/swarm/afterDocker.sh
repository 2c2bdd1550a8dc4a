#!/bin/sh
# Runs on the manager after each start of Docker: starts the stack's containers that Docker has left stopped. Without live-restore, it doesn't
# start a container with the policy unless-stopped again after a crash of its own, and one whose networks between machines aren't there yet
# fails and isn't tried again. The gateway isn't restarted, although it finds the services on the other machines half a minute later: a
# container that leaves and joins several such networks at once may fail with "network not found".
# Argument: STACK.
set -u
stack=$1
stopped() {
  for role in database gateway certificates; do
    docker ps --all --quiet --filter "label=dev.store.stack=$stack" --filter "label=dev.store.role=$role" --filter status=exited
  done
}

tries=60
until docker info >/dev/null 2>&1; do
  tries=$((tries - 1))
  [ $tries -gt 0 ] || exit 1
  sleep 1
done

tries=40
while containers=$(stopped) && [ -n "$containers" ]; do
  tries=$((tries - 1))
  [ $tries -gt 0 ] || exit 1
  for container in $containers; do
    docker start "$container" >/dev/null
  done
  sleep 5
done
