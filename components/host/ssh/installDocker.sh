#!/bin/sh
# Makes this machine a Docker host: installs Docker where it is missing (Debian, Ubuntu and their derivatives), starts it where it is
# stopped, raises sshd's limits and lets the user talk to the daemon. Works with and without systemd.
# Argument: SSHD_LIMITS, the content of sshd's configuration file.
set -eu
limits=$1
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
user=$(id -un)

has_systemd() {
  [ -d /run/systemd/system ]
}

# Runs apt-get, and waits for another one, which often runs on a machine that has just booted: DPkg::Lock::Timeout doesn't cover the
# lock of the package lists. The caller's time limit ends the wait.
apt() {
  until output=$(as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=60 "$@" 2>&1); do
    case "$output" in
      *"ould not get lock"* | *"nable to lock"* | *"nable to acquire the dpkg"*)
        echo "waiting for another package manager on this machine: $(echo "$output" | head -n 1)" >&2
        sleep 5
        ;;
      *) fail "apt-get $* failed:
$output" ;;
    esac
  done
}

install_docker() {
  [ -r /etc/os-release ] || fail "Docker is missing on this machine. Install it there (https://docs.docker.com/engine/install/), then run up again."
  # shellcheck source=/dev/null
  . /etc/os-release
  case " $ID ${ID_LIKE-} " in
    *" debian "* | *" ubuntu "*) ;;
    *) fail "Docker is missing on this $ID machine. Install it there (https://docs.docker.com/engine/install/), then run up again." ;;
  esac
  # Not every container can ask for it: a Swarm service has no argument for it.
  [ -e /etc/docker/daemon.json ] || {
    as_root mkdir -p /etc/docker
    echo '{ "no-new-privileges": true }' | as_root tee /etc/docker/daemon.json >/dev/null
  }
  echo "Docker is missing: installing the package docker.io"
  apt update
  apt install --yes docker.io
  # In newer releases, the command is a package of its own.
  command -v docker >/dev/null || apt install --yes docker-cli
}

start_docker() {
  echo "Starting Docker"
  if has_systemd; then
    as_root systemctl enable --now docker
  elif command -v rc-service >/dev/null; then
    as_root rc-service docker start
  elif ! { [ -x /etc/init.d/docker ] && as_root service docker start; }; then
    as_root sh -c 'nohup dockerd >/var/log/dockerd.log 2>&1 </dev/null &'
  fi
  seconds=60
  until as_root docker version >/dev/null 2>&1; do
    seconds=$((seconds - 1))
    [ $seconds -gt 0 ] || fail "Docker doesn't run after 60 s: $(as_root docker version 2>&1 | tail -n 1)
$(as_root tail -n 10 /var/log/dockerd.log /var/log/docker.log 2>/dev/null)"
    sleep 1
  done
}

# Returns 1 if sshd could not be told to read its configuration again.
reload_sshd() {
  if has_systemd; then
    as_root systemctl reload ssh 2>/dev/null || as_root systemctl reload sshd 2>/dev/null
  elif [ -s /run/sshd.pid ]; then
    as_root kill -HUP "$(cat /run/sshd.pid)"
  else
    as_root service ssh reload >/dev/null 2>&1 || as_root service sshd reload >/dev/null 2>&1
  fi
}

if ! as_root true 2>/dev/null; then
  docker version >/dev/null 2>&1 || fail "The user $user may use neither Docker nor sudo without a password. Log in as root, or allow it: echo '$user ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/store"
  echo "Docker $(docker version --format '{{.Server.Version}}') is ready; sshd's limits are unchanged, because the user $user is not root"
  exit 0
fi
if ! as_root docker version >/dev/null 2>&1; then
  command -v dockerd >/dev/null || install_docker
  as_root docker version >/dev/null 2>&1 || start_docker
fi
file=/etc/ssh/sshd_config.d/10-store.conf
if [ -d "${file%/*}" ] && [ ! -e "$file" ]; then
  printf %s "$limits" | as_root tee "$file" >/dev/null
  reload_sshd || echo "sshd was not reloaded; its limits apply after its next start" >&2
fi
[ "$(id -u)" = 0 ] || docker version >/dev/null 2>&1 || as_root usermod --append --groups docker "$user"
echo "Docker $(as_root docker version --format '{{.Server.Version}}') is ready"
