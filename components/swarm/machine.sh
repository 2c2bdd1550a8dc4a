# shellcheck shell=sh
# Functions for scripts on a machine of a swarm, which follow this text.
# Prints a field of Docker's description of itself.
info() { docker info --format "{{$1}}"; }

refuse_live_restore() {
  [ "$(info .LiveRestoreEnabled)" = false ] ||
    fail 'Docker'"'"'s live-restore excludes Swarm on this machine. Set "live-restore": false in /etc/docker/daemon.json, then: systemctl reload docker'
}

refuse_broken_swarm() {
  fail "This machine is in a swarm that doesn't work: $(info .Swarm.Error). Take it out on this machine: docker swarm leave --force"
}
