#!/bin/sh
# Makes this machine a Docker host: installs Docker where it is missing (Debian and Ubuntu only), raises sshd's limits and lets the
# user talk to the daemon.
# Argument: SSHD_LIMITS, the content of sshd's configuration file.
set -eu
limits=$1
sudo=$([ "$(id -u)" = 0 ] || echo sudo)
if ! $sudo docker version >/dev/null 2>&1; then
  # shellcheck source=/dev/null
  . /etc/os-release
  case "$ID" in
    debian | ubuntu) ;;
    *)
      echo "Docker is missing on this $ID machine. Install it there (https://docs.docker.com/engine/install/), then run up again." >&2
      exit 1
      ;;
  esac
  echo "Docker is missing: installing the package docker.io"
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes docker.io >/dev/null
fi
file=/etc/ssh/sshd_config.d/10-store.conf
if [ -d "${file%/*}" ] && [ ! -e "$file" ]; then
  printf %s "$limits" | $sudo tee "$file" >/dev/null
  $sudo systemctl reload ssh 2>/dev/null || $sudo systemctl reload sshd
fi
[ -z "$sudo" ] || $sudo usermod --append --groups docker "$(id -un)"
echo "Docker $($sudo docker version --format '{{.Server.Version}}') is ready"
