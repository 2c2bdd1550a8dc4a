# shellcheck shell=sh
# Makes this machine a worker of the swarm, and prints its node ID. Standard input: what invitation.sh prints.
# Argument: NAME of the worker.
set -eu
name=$1
# The engine removes the newline at the end, without which read fails.
read -r token manager swarm || [ -n "$manager" ]

[ "$(info .Architecture)" = x86_64 ] || fail "This machine's architecture is $(info .Architecture), but the images are for x86_64."
refuse_live_restore

has_manager() {
  case " $(info 'range .Swarm.RemoteManagers}}{{.Addr}} {{end') " in *" $manager "*) ;; *) return 1 ;; esac
}

# Succeeds if this machine is in a swarm that the manager has had before: it was dissolved, or the manager was installed anew.
is_in_former() {
  [ -n "$swarm" ] && has_manager || return 1
  own=$(as_root cat "$(info .DockerRootDir)/swarm/certificates/swarm-root-ca.crt" 2>/dev/null | fingerprint)
  # That of no certificate, if it can't be read.
  [ "$own" != "$swarm" ] && [ "$own" != "$(printf '' | fingerprint)" ]
}

state=$(info .Swarm.LocalNodeState)
[ "$(info .Swarm.ControlAvailable)" != true ] ||
  fail "A worker in store:workers is the first machine under another name, or the manager of another swarm. Name other machines only."
if [ "$state" != inactive ] && is_in_former; then
  leave_former
  state=inactive
fi

case $state in
  inactive)
    forget_names
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
    has_manager || fail "This machine is in another swarm. Take it out on this machine: docker swarm leave --force"
    ;;
  *) refuse_broken_swarm ;;
esac
remember_name "$name"
info .Swarm.NodeID
