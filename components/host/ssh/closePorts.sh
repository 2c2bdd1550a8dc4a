#!/bin/sh
# Keeps containers on these networks away from this machine's ports and from the cloud's metadata service, also after a reboot, by an
# instance of a systemd unit for each network's bridge. Instances of networks that don't exist any more, of any stack, are removed.
# Arguments: UNIT, the content of store-firewall@.service; the networks' IDs, or docker_gwbridge, the way out of a swarm's networks.
set -eu
unit=$1
shift
units=/etc/systemd/system

# The machine belongs to somebody else, who may have reasons: the store works without the rules.
skip() {
  echo "Containers with a way out reach this machine's own ports, because $*"
  exit 0
}

[ -d /run/systemd/system ] || skip "it has no systemd"
as_root true 2>/dev/null || skip "the user $(id -un) is not root"

networks=$(docker network ls --quiet) || skip "Docker doesn't answer the user $(id -un)"
existing=" $(echo "$networks" | tr '\n' ' ')"

remove_old_units() {
  for link in "$units"/multi-user.target.wants/store-firewall@br-*.service; do
    [ -L "$link" ] || continue
    network=${link##*@br-} network=${network%.service}
    case $existing in
      *" $network "*) ;;
      *) as_root systemctl disable --quiet --now "store-firewall@br-$network" || return ;;
    esac
  done
}

write_unit() { printf '%s\n' "$unit" | as_root tee "$units/store-firewall@.service" >/dev/null; }

names=
for network in "$@"; do
  case $network in
    docker_gwbridge) names="$names store-firewall@$network" ;;
    *) names="$names store-firewall@br-$(printf %.12s "$network")" ;;
  esac
done

# The units are stopped by the definition with which they were started. Each step needs the previous one, and errexit is off before `||`.
# shellcheck disable=SC2086
change_firewall() {
  remove_old_units &&
    { as_root systemctl stop $names 2>/dev/null || true; } &&
    write_unit &&
    as_root systemctl daemon-reload &&
    as_root systemctl enable --quiet --now $names
}

output=$(change_firewall 2>&1) || skip "its firewall can't be changed: $output"
