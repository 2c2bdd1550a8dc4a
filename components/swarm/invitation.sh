# shellcheck shell=sh
# Prints the token with which a worker joins, and the manager's address.
set -eu
printf '%s %s:2377\n' "$(docker swarm join-token --quiet worker)" "$(docker info --format '{{.Swarm.NodeAddr}}')"
