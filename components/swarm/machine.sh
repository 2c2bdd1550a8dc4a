# shellcheck shell=sh
# Functions for scripts on a machine of a swarm, which follow this text.
# Prints a field of Docker's description of itself.
info() { docker info --format "{{$1}}"; }

# Prints what identifies a swarm, from its root certificate on standard input.
fingerprint() { tr -d '[:space:]' | sha256sum | cut -d ' ' -f 1; }

# Leaves a swarm for the next one. Docker is restarted, because it may go on with the former swarm's network agent: in a rehearsal (20.10), workers
# of a replaced host were ready in the next swarm, but logged there "No installed keys could decrypt the message", and their containers reached
# none on the host. See https://github.com/moby/moby/issues/30590.
leave_former() {
  docker swarm leave --force >&2
  docker network rm docker_gwbridge >/dev/null 2>&1 || true
  [ ! -d /run/systemd/system ] || as_root systemctl restart docker
}

# The names under which this machine has joined, as files: a renamed worker joins under its new name before it leaves under the former one.
# Without root's rights there are none.
NAMES=/var/lib/store-worker-names
remember_name() { if as_root true 2>/dev/null; then as_root mkdir -p "$NAMES" && as_root touch "$NAMES/$1"; fi; }
forget_name() { if as_root true 2>/dev/null; then as_root rm -f "$NAMES/$1" && { as_root rmdir "$NAMES" 2>/dev/null || true; }; fi; }
forget_names() { if as_root true 2>/dev/null; then as_root rm -rf "$NAMES"; fi; }
other_names() { ls "$NAMES" 2>/dev/null || true; }

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
