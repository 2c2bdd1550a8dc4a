# shellcheck shell=sh
# Takes this machine, on which nothing but the services runs, out of its swarm, so that it can join the next one.
set -eu
[ "$(info .Swarm.LocalNodeState)" = inactive ] || leave_former
