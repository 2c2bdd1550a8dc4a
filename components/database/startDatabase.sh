#!/bin/sh
# Entry point of a database's container: the image's own entry point, with a first start that may be interrupted at any time.
# The image takes a data folder for complete as soon as initdb has begun to fill it. Therefore the data folder is initialised under
# another name and renamed when it is complete; a half-made one is thrown away at the next start, and no other data folder ever is.
# An earlier release initialised the data folder in place. A half-made one of that release is kept under the name PGDATA.incomplete.
# Existing data get the current password before anyone can connect: they may be older than it.
# Arguments: folder of the data volume, and the command for the image's entry point.
set -eu
volume=$1
shift

# Two servers would destroy the data: the container of an interrupted run may still use it. The server inherits the lock and holds it
# until its last process has ended.
exec 9>"$volume/.lock"
if ! flock -n 9; then
  echo "Waiting until another container stops using the data." >&2
  flock 9
fi

# Checks for a data folder in which no database for the service was created yet. Nobody can have stored data in it.
is_half_made() {
  [ -n "$(ls -A "$PGDATA" 2>/dev/null)" ] || return 1
  # The service's database would be one of the built-in ones.
  case $POSTGRES_DB in postgres | template0 | template1) return 1 ;; esac
  if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # initdb first creates empty folders, then PG_VERSION. Other files are not initdb's.
    [ -z "$(find "$PGDATA" ! -type d -size +0 -print -quit)" ]
    return
  fi
  # The object IDs of built-in databases are below 16384, and those of all others are above.
  for database in "$PGDATA"/base/*; do
    case ${database##*/} in *[!0-9]*) continue ;; esac
    [ "${database##*/}" -lt 16384 ] || return 1
  done
  [ -z "$(ls -A "$PGDATA/pg_tblspc" 2>/dev/null)" ]
}

# Sets the role's password by a server that accepts no connections (about 0.1 s, plus the recovery of a killed server, which the next start
# then needn't do). An SQL error is logged, but without the statement, which contains the password.
set_password() {
  printf "ALTER ROLE \"%s\" PASSWORD '%s';\n" "$POSTGRES_USER" "$(sed "s/'/''/g" "$POSTGRES_PASSWORD_FILE")" |
    postgres --single -j -D "$PGDATA" -c log_min_error_statement=panic -c log_statement=none -c log_checkpoints=off template1 >/dev/null
}

if is_half_made; then
  echo "An earlier release's first start was interrupted before $PGDATA was complete: starting over. The old folder is $PGDATA.incomplete." >&2
  rm -rf "$PGDATA.incomplete"
  mv "$PGDATA" "$PGDATA.incomplete"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  if [ -e "$PGDATA" ]; then
    # Succeeds only for an empty folder.
    rmdir "$PGDATA" || {
      echo "$PGDATA contains files, but no database: PG_VERSION is missing or empty. Restore the data, or remove the files." >&2
      exit 1
    }
  fi
  new=$PGDATA.new
  rm -rf "$new"
  # The server listens on TCP only once the entry point has finished; on another port, where no client finds it.
  port=5433
  PGDATA=$new PGPORT=$port docker-entrypoint.sh "$@" &
  server=$!
  until pg_isready --quiet --username="$POSTGRES_USER" --host=127.0.0.1 --port=$port; do
    if ! kill -0 $server 2>/dev/null; then
      wait $server
      exit 1
    fi
    sleep 0.1
  done
  pg_ctl stop --silent --pgdata="$new" --mode=fast
  wait $server
  mv "$new" "$PGDATA"
  # Before any client writes data: a lost renaming would lose them.
  sync "${PGDATA%/*}"
elif ! set_password; then
  # The server fails for the same reason, or runs with the password that it has.
  echo "The current password of $POSTGRES_USER could not be set." >&2
fi

exec docker-entrypoint.sh "$@"
