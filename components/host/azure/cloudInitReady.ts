/**
 * For /bin/sh on a new machine: waits until cloud-init has made it a Docker host, saying every few seconds how far it is, and
 * ends with cloud-init's own lines when it has failed.
 *
 * `cloud-init status` says 0 on Debian 12 even after errors from which it went on, so that its result file is read, too.
 */
export const CLOUD_INIT_READY = `
log=/var/log/cloud-init-output.log
fail() {
  echo "$1 The end of $log:" >&2
  # Without the tables of keys and networks, which come last.
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
errors=$(sudo python3 -c 'import json; print("; ".join(json.load(open("/var/lib/cloud/data/result.json"))["v1"]["errors"]))')
[ -z "$errors" ] || fail "cloud-init has finished with errors: $errors."
version=$(sudo docker version --format '{{.Server.Version}}' 2>&1) || fail "Docker doesn't run: $version."
echo "Docker $version is ready"
`;
