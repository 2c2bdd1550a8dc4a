# shellcheck shell=sh
# Functions for scripts that run on another machine, which follow this text.
fail() {
  echo "$*" >&2
  exit 1
}

# Runs a command as root. sudo must not prompt: there is no terminal.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}
