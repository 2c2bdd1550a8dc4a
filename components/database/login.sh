#!/bin/sh
# Logs in to the database as its service does: by TCP with the password. By the container's own name, because the image trusts
# connections from 127.0.0.1.
# Arguments: PASSWORD_FILE USER DATABASE
PGPASSWORD=$(cat "$1") PGCONNECT_TIMEOUT=5 exec psql --no-psqlrc --quiet --tuples-only --no-password \
  --host="$(hostname)" --username="$2" --dbname="$3" --command='SELECT 1'
