#!/bin/sh
# Reboots this machine, which ends the connection.
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
if command -v systemctl >/dev/null; then as_root systemctl reboot; else as_root reboot; fi
