# shellcheck shell=sh
# Prints the token with which a worker joins, the manager's address, and what identifies the swarm.
set -eu
printf '%s %s:2377 %s\n' "$(docker swarm join-token --quiet worker)" "$(info .Swarm.NodeAddr)" "$(docker swarm ca | fingerprint)"
