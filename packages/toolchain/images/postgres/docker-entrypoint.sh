#!/usr/bin/env bash
# Sets up the database on the first start, as the official image's documentation describes it, then becomes the server.
set -Eeuo pipefail

main() {
  if [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi
  if [ "$1" != postgres ] || asks_for_information "$@"; then exec "$@"; fi

  if [ "$(id -u)" = 0 ]; then
    prepare_folders_as_root
    HOME=/var/lib/postgresql exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
  fi

  # This build's own default is /tmp, and initdb writes no other one down. First, so that an option of the user's wins.
  shift
  if ! grep -qs '^ *unix_socket_directories' "$PGDATA/postgresql.conf"; then
    set -- -c unix_socket_directories=/var/run/postgresql "$@"
  fi
  set -- postgres "$@"

  if [ ! -s "$PGDATA/PG_VERSION" ]; then
    read_settings
    require_password
    initialize "$@"
  else
    echo
    echo 'PostgreSQL Database directory appears to contain a database; Skipping initialization'
    echo
  fi
  exec "$@"
}

asks_for_information() {
  local arg
  for arg; do
    case $arg in -'?' | --help | --describe-config | -V | --version) return 0 ;; esac
  done
  return 1
}

prepare_folders_as_root() {
  mkdir -p "$PGDATA" /var/run/postgresql
  find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
  # A tmpfs or a bind mount may cover what the image prepared; where it can't be changed, the server says what is wrong.
  chown postgres /var/run/postgresql || :
  chmod 3775 /var/run/postgresql || :
}

read_settings() {
  from_file POSTGRES_PASSWORD
  from_file POSTGRES_USER postgres
  from_file POSTGRES_DB "$POSTGRES_USER"
  from_file POSTGRES_INITDB_ARGS
  : "${POSTGRES_HOST_AUTH_METHOD:=}"
}

# from_file NAME [DEFAULT]: a setting is $NAME or the content of the file $NAME_FILE.
from_file() {
  local name=$1 default=${2-} file="${1}_FILE"
  if [ -n "${!name-}" ] && [ -n "${!file-}" ]; then
    echo "error: both $name and $file are set (but are exclusive)" >&2
    exit 1
  fi
  local value=${!name:-$default}
  if [ -n "${!file-}" ]; then value=$(<"${!file}"); fi
  export "$name=$value"
  unset "$file"
}

require_password() {
  if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
    cat >&2 <<'MESSAGE'
Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the
       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".

       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all
       connections without a password. This is *not* recommended.

       See PostgreSQL documentation about "trust":
       https://www.postgresql.org/docs/current/auth-trust.html
MESSAGE
    exit 1
  fi
}

initialize() {
  mkdir -p "$PGDATA"
  chmod 00700 "$PGDATA" || :

  # The arguments are written as on a command line, quotes included. The line feed is there because initdb takes no empty
  # file, and without a password it would be one.
  eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") '"$POSTGRES_INITDB_ARGS"
  printf '\nhost all all all %s\n' \
    "${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption)}" >>"$PGDATA/pg_hba.conf"

  # On the socket alone: who waits for the port to answer must not see a server that is about to go away again.
  shift
  PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -w start \
    -o "-c listen_addresses='' -p ${PGPORT:-5432} $(quoted "$@")"
  export PGPASSWORD=$POSTGRES_PASSWORD
  create_database
  run_init_files /docker-entrypoint-initdb.d/*
  unset PGPASSWORD
  PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -m fast -w stop

  echo
  echo 'PostgreSQL init process complete; ready for start up.'
  echo
}

quoted() {
  if [ $# -gt 0 ]; then printf '%q ' "$@"; fi
}

create_database() {
  local exists
  exists=$(query postgres --set db="$POSTGRES_DB" --tuples-only \
    <<<"SELECT 1 FROM pg_database WHERE datname = :'db';")
  if [ -z "$exists" ]; then
    query postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
  fi
}

run_init_files() {
  local file
  for file; do
    case $file in
      *.sh)
        if [ -x "$file" ]; then
          echo "$0: running $file"
          "$file"
        else
          echo "$0: sourcing $file"
          # shellcheck source=/dev/null
          . "$file"
        fi
        ;;
      *.sql) echo "$0: running $file" && query "$POSTGRES_DB" -f "$file" ;;
      *.sql.gz) echo "$0: running $file" && gunzip -c "$file" | query "$POSTGRES_DB" ;;
      *'*') ;; # an empty folder
      *) echo "$0: ignoring $file" ;;
    esac
  done
}

# query DATABASE [PSQL_ARGUMENT...]
query() {
  local database=$1
  shift
  PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password \
    --username "$POSTGRES_USER" --dbname "$database" "$@"
}

main "$@"
