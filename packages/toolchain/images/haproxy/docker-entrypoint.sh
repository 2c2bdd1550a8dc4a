#!/bin/sh
set -e
if [ "${1#-}" != "$1" ]; then set -- haproxy "$@"; fi
if [ "$1" = haproxy ]; then
  shift
  # Master-worker mode (-W) for reloads by signal; in the foreground (-db).
  set -- haproxy -W -db "$@"
fi
exec "$@"
