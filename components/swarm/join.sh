# shellcheck shell=sh
# Makes this machine a worker of the swarm, and prints its node ID. Standard input: what invitation.sh prints.
set -eu
# The engine removes the newline at the end, without which read fails.
read -r token manager || [ -n "$manager" ]

[ "$(info .Architecture)" = x86_64 ] || fail "This machine's architecture is $(info .Architecture), but the images are for x86_64."
refuse_live_restore

case $(info .Swarm.LocalNodeState) in
  inactive)
    address=$(ip -4 -o route get "${manager%:*}" 2>/dev/null | sed -n 's/.* src \([^ ]*\).*/\1/p') || true
    refuse_range "$address"
    message=$(docker swarm join ${address:+--advertise-addr "$address" --data-path-addr "$address"} --token "$token" "$manager" 2>&1) || {
      case $message in
        *"already part of a swarm"*) fail "Two workers in store:workers are this machine under different names. Name each machine once." ;;
      esac
      # Docker goes on trying in the background.
      docker swarm leave --force >/dev/null 2>&1 || true
      fail "This machine can't join the swarm of $manager: $message. Between the machines, TCP 2377 and 7946 and UDP 7946 and 4789 must be open."
    }
    ;;
  active)
    case " $(info 'range .Swarm.RemoteManagers}}{{.Addr}} {{end') " in
      *" $manager "*) ;;
      *) fail "This machine is in another swarm. Take it out on this machine: docker swarm leave --force" ;;
    esac
    ;;
  *) refuse_broken_swarm ;;
esac
info .Swarm.NodeID
