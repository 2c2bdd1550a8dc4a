# shellcheck shell=sh
# Makes the service's role what it should be, whatever it is now: the owner of its database, without any other right, with the password of
# the file. Runs in the database's container, as a superuser by its socket, while the service uses the database.
# The image creates the service's role as the superuser of the first start, which can't lose its rights. It is renamed to "postgres" once.
# Arguments: ROLE DATABASE PASSWORD_FILE
set -eu
role=$1 database=$2 password_file=$3

as() {
  user=$1
  shift
  PGOPTIONS='-c lock_timeout=5s -c client_min_messages=warning' psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 \
    --host=/var/run/postgresql --username="$user" --dbname="$database" \
    --set=role="$role" --set=database="$database" "$@"
}

first=$(as "$role" --command='SELECT rolname FROM pg_roles WHERE oid = 10')
if [ "$first" = "$role" ]; then
  # A role can't rename itself.
  as "$role" <<'SQL'
DROP ROLE IF EXISTS store_setup;
CREATE ROLE store_setup SUPERUSER LOGIN;
SQL
  for attempt in 1 2 3 4 5; do
    if as store_setup --set=password_file="$password_file" <<'SQL'
\set password `cat :'password_file'`
BEGIN;
ALTER ROLE :"role" RENAME TO postgres;
CREATE ROLE :"role" LOGIN NOSUPERUSER;
ALTER DATABASE :"database" OWNER TO :"role";
SELECT format('ALTER %s %s OWNER TO %I', kind, name, :'role') FROM (
  SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE'
         ELSE 'TABLE' END AS kind, oid::regclass::text AS name, relnamespace AS namespace, oid FROM pg_class
  WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    -- A column's sequence follows its table.
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND relkind = 'S' AND deptype IN ('a', 'i'))
  UNION ALL SELECT 'ROUTINE', oid::regprocedure::text, pronamespace, oid FROM pg_proc
  UNION ALL SELECT CASE typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, oid::regtype::text, typnamespace, oid FROM pg_type
    WHERE typtype IN ('e', 'd', 'r') OR typtype = 'c' AND (SELECT relkind FROM pg_class WHERE oid = typrelid) = 'c'
  UNION ALL SELECT 'SCHEMA', quote_ident(nspname), oid, oid FROM pg_namespace WHERE nspname <> 'public'
) AS object
WHERE NOT EXISTS (SELECT FROM pg_namespace WHERE oid = namespace AND (nspname LIKE 'pg\_%' OR nspname = 'information_schema'))
  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = object.oid AND deptype = 'e')
\gexec
ALTER ROLE :"role" PASSWORD :'password';
COMMIT;
SQL
    then
      break
    fi
    # A table is locked by another session. The transaction has changed nothing.
    [ "$attempt" -lt 5 ] || exit 1
    sleep 1
  done
fi
as postgres --set=password_file="$password_file" <<'SQL'
\set password `cat :'password_file'`
DROP ROLE IF EXISTS store_setup;
ALTER ROLE :"role" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
SQL
