#!/bin/sh
# Prints the ID of this boot, and the packages whose updates need a reboot.
cat /proc/sys/kernel/random/boot_id
[ -e /run/reboot-required ] || exit 0
echo reboot-required
if [ -r /run/reboot-required.pkgs ]; then sort -u /run/reboot-required.pkgs; fi
