#!/bin/sh
set -e
# Arguments that aren't a command are Node's: an option, or a script that isn't also a program.
if [ "${1#-}" != "$1" ] || ! command -v "$1" >/dev/null || { [ -f "$1" ] && [ ! -x "$1" ]; }; then
  set -- node "$@"
fi
exec "$@"
