#!/bin/sh
# Substitute for systemd-detect-virt on an Azure VM: cloud-init doesn't read the firmware in a container.
[ -e /etc/rehearsal/vm-id ] || exec /usr/bin/systemd-detect-virt "$@"
case " $* " in
  *" --container "* | *" -c "*) echo none && exit 1 ;;
esac
echo microsoft
