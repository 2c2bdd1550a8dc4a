# shellcheck shell=sh
# Makes the stack's containers on this machine start with Docker, by a systemd unit.
# Arguments: UNIT, the content of store-after-docker@.service; SCRIPT, that of afterDocker.sh; STACK.
set -eu
unit=$1 script=$2 stack=$3

[ -d /run/systemd/system ] || {
  echo "This machine has no systemd: start the containers of the stack yourself after a crash of Docker"
  exit 0
}
as_root mkdir -p /usr/local/lib/store
printf '%s\n' "$script" | as_root tee /usr/local/lib/store/afterDocker.sh >/dev/null
printf '%s\n' "$unit" | as_root tee /etc/systemd/system/store-after-docker@.service >/dev/null
as_root systemctl daemon-reload
as_root systemctl enable --quiet "store-after-docker@$stack"
