#!/bin/sh
# Sets Docker's live-restore to $1. A reload applies it without a restart of the daemon, so that no container stops.
# https://docs.docker.com/reference/cli/dockerd/#configuration-reload-behavior
set -eu
sudo sed -i "s/\"live-restore\": *[a-z]*/\"live-restore\": $1/" /etc/docker/daemon.json
sudo systemctl reload docker
tries=30
until [ "$(docker info --format '{{.LiveRestoreEnabled}}')" = "$1" ]; do
  tries=$((tries - 1))
  [ $tries -gt 0 ] || {
    echo "Docker's live-restore is still not $1 after a reload. Is it set in /etc/docker/daemon.json?" >&2
    exit 1
  }
  sleep 1
done
