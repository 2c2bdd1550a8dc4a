#!/bin/sh
# Checks that a service can use a database on another server: reachable, with valid TLS, the right login and rights, and a supported
# version. The last line of the output is the mistake. Waits 20 s for a server that may just be starting.
# Runs in the PostgreSQL image. The variable roots has the public authorities' certificates if they are the trusted ones.
# Arguments: SERVICE HOST PORT DATABASE USER PASSWORD SSLMODE ROOTS, where ROOTS are the certificates of the server's own authority or empty.
set -u
service=$1 host=$2 database=$4 user=$5 mode=$7 server="the server $2:$3"
export PGHOST="$2" PGPORT="$3" PGDATABASE="$4" PGUSER="$5" PGPASSWORD="$6" PGSSLMODE="$7" PGAPPNAME="$1 check" PGCONNECT_TIMEOUT=5
# With this file, sslmode=require would check the certificate, too.
[ "$mode" = verify-full ] && export PGSSLROOTCERT=/tmp/roots.pem && printf '%s\n' "${8:-${roots-}}" >"$PGSSLROOTCERT"
# The first version with the collation that the search of inventory uses; packages/cli/devServices/postgres.ts has it, too.
minimum=17

refuse() {
  echo "store:databaseUrl.$service: $1" >&2
  exit 1
}

# Diagnoses an error of psql, unless it may pass by itself before the deadline.
diagnose() {
  case $1 in
    *"timeout expired"* | *"Connection refused"* | *"No route to host"* | *"is unreachable"* | *"server closed the connection"*)
      is_over && refuse "$server can't be reached from the host of the stack. Check that it runs, and that its firewall admits the host."
      ;;
    *"translate host name"*)
      is_over && refuse "the host of the stack finds no address for the name $host. Correct the name, or its DNS record."
      ;;
    *"the database system is"*)
      is_over && refuse "$server is starting or stopping: ${1##*: }. Try again when it is up."
      ;;
    *"too many"* | *"connection slots"*)
      is_over && refuse "$server has no free connection for the user $user. End unused ones, or raise max_connections, or the limit of the user or the database."
      ;;
    *"password authentication failed"*)
      refuse "$server refuses the password of the user $user, or has no such user. Correct the URL, or the server: ALTER ROLE \"$user\" PASSWORD '…'."
      ;;
    *"database \""*"\" does not exist"*)
      refuse "$server has no database $database. Create it there: CREATE DATABASE \"$database\" OWNER \"$user\"."
      ;;
    *"does not match host name"*)
      refuse "the certificate of $server is for another name. Use the name that it is for in the URL, or replace it on the server."
      ;;
    *"certificate verify failed"* | *"self-signed certificate"*)
      refuse "the certificate of $server isn't of a trusted authority, or has expired. Set store:databaseRoot to the root certificate of its authority, or replace it on the server."
      ;;
    *"root certificate file"*)
      refuse "the gateway's image (store:haproxyImage) has no certificates of public authorities. Set store:databaseRoot to the root certificate of the server's authority."
      ;;
    *"does not support SSL"*)
      refuse "$server has no TLS, which sslmode=$mode requires. Turn it on there, or, in a private network, use sslmode=disable."
      ;;
    *"no pg_hba.conf entry"*)
      refuse "$server doesn't admit the user $user to the database $database from the host of the stack with sslmode=$mode. Check its firewall rules or pg_hba.conf."
      ;;
    *) refuse "$server can't be used: $(printf %s "$1" | tail -n 1)" ;;
  esac
}

deadline=$(($(date +%s) + 20))
is_over() {
  [ "$(date +%s)" -ge "$deadline" ]
}

query="SELECT current_setting('server_version_num')::int / 10000, split_part(version(), ' ', 2), current_setting('server_encoding'),
  current_setting('transaction_read_only'), COALESCE(has_schema_privilege(current_schema(), 'CREATE'), false)"
until answer=$(psql --no-psqlrc --no-password --quiet --tuples-only --no-align --field-separator=' ' --command="$query" 2>/tmp/error); do
  diagnose "$(cat /tmp/error)"
  sleep 1
done

# shellcheck disable=SC2086
set -- $answer
[ "$1" -ge "$minimum" ] || refuse "$server runs PostgreSQL $2, and the store needs $minimum or later. Upgrade it, or use another server."
[ "$3" = UTF8 ] || refuse "the database $database has the encoding $3. Create it with ENCODING 'UTF8' TEMPLATE template0."
[ "$4" = off ] || refuse "the database $database is read-only: $host is a standby, or default_transaction_read_only is on. Use the name of the primary, or turn it off."
[ "$5" = t ] || refuse "the user $user may create no tables in the database $database. Let it own the database: ALTER DATABASE \"$database\" OWNER TO \"$user\"."
