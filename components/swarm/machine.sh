# shellcheck shell=sh
# Functions for scripts on a machine of a swarm, which follow this text.
# Prints a field of Docker's description of itself.
info() { docker info --format "{{$1}}"; }

refuse_live_restore() {
  [ "$(info .LiveRestoreEnabled)" = false ] ||
    fail 'Docker'"'"'s live-restore excludes Swarm on this machine. Set "live-restore": false in /etc/docker/daemon.json, then: systemctl reload docker'
}

# The addresses of overlay networks must differ from those of the machines: init.sh has their range.
refuse_range() {
  case $1 in
    172.30.*) fail "This machine's address, $1, is in 172.30.0.0/16, in which Docker Swarm creates the networks of the services. Use a network with another range." ;;
  esac
}

refuse_broken_swarm() {
  fail "This machine is in a swarm that doesn't work: $(info .Swarm.Error). Take it out on this machine: docker swarm leave --force"
}
