#!/bin/sh
set -e
if [ "${1#-}" != "$1" ]; then set -- haproxy "$@"; fi
if [ "$1" = haproxy ]; then
  shift
  # Master-worker mode, so that a reload by signal works, and in the foreground.
  set -- haproxy -W -db "$@"
fi
exec "$@"
