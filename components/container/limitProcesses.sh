#!/bin/sh
# Limits the processes and threads of containers. Does nothing if the daemon can't limit them: a rootless one needs cgroup v2.
# Arguments: [LIMIT CONTAINERS]..., where CONTAINERS are separated by spaces: each docker command takes time before originals are deleted.
set -eu
if [ "$(docker info --format '{{.PidsLimit}}')" = false ]; then exit 0; fi
while [ $# -gt 0 ]; do
  # shellcheck disable=SC2086
  docker update --pids-limit "$1" $2 >/dev/null
  shift 2
done
