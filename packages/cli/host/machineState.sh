#!/bin/sh
# Prints the state of a machine of a swarm for ./store doctor: lines of a key and a value.
docker info --format 'docker {{.ServerVersion}}
root {{.DockerRootDir}}
swarm {{.Swarm.LocalNodeState}}
node {{.Swarm.NodeID}}
swarm-error {{.Swarm.Error}}' 2>/dev/null || echo "no-docker $(docker info 2>&1 >/dev/null | tail -n 1)"
root=$(docker info --format '{{.DockerRootDir}}' 2>/dev/null)
echo "free-kib $(df -Pk "${root:-/}" 2>/dev/null | awk 'NR == 2 { print $4 }')"
if [ -e /run/reboot-required ]; then
  echo "reboot $(sort -u /run/reboot-required.pkgs 2>/dev/null | tr '\n' ' ')"
fi
# Last, because the time until now isn't known.
echo "time $(date +%s)"
