#!/bin/sh
# Waits until cloud-init has made this machine a Docker host with a disk mounted at $1, prints its progress every few seconds, and prints the end of
# cloud-init's log when it fails.
# `cloud-init status` reports success on Debian 12 even after errors that it survived, so the result file is checked as well.
log=/var/log/cloud-init-output.log

fail() {
  echo "$1 The end of $log:" >&2
  # Without the tables of keys and networks at the end.
  sudo grep -Ev '^(ci-info:|<14>|-----|ssh-|ecdsa-)' "$log" | tail -n 20 >&2
  exit 1
}

while :; do
  status=$(cloud-init status 2>/dev/null | sed -n 's/^status: //p')
  case "$status" in
    done) break ;;
    error | degraded) fail "cloud-init has failed ($status)." ;;
  esac
  echo "cloud-init: $(sudo tail -n 1 "$log" 2>/dev/null | cut -c 1-150)"
  sleep 5
done
# Docker doesn't start without the disk, and another VM would get the same disk: report this cause, not Docker's.
mountpoint -q "$1" || fail "The data disk isn't mounted at $1."
errors=$(sudo python3 -c 'import json; print("; ".join(json.load(open("/var/lib/cloud/data/result.json"))["v1"]["errors"]))')
[ -z "$errors" ] || fail "cloud-init has finished with errors: $errors."
version=$(sudo docker version --format '{{.Server.Version}}' 2>&1) || fail "Docker doesn't run: $version."
echo "Docker $version is ready"
