# shellcheck shell=sh
# Removes the unit of installAfterDocker.sh, and its files after the last stack.
# Argument: STACK.
set -eu
[ -d /run/systemd/system ] || exit 0
# Another machine may have taken over the address.
[ -e /etc/systemd/system/store-after-docker@.service ] || exit 0
as_root systemctl disable --quiet "store-after-docker@$1"
ls /etc/systemd/system/docker.service.wants/store-after-docker@*.service >/dev/null 2>&1 ||
  as_root rm -f /etc/systemd/system/store-after-docker@.service /usr/local/lib/store/afterDocker.sh
as_root systemctl daemon-reload
