#!/bin/sh
# Refuses a PostgreSQL image of another major version than the one that wrote the data: it would start with an empty database
# beside the data. Also refuses one whose user can't read the data, such as an Alpine image for the data of a Debian one.
# Runs in that image, whose variables PG_MAJOR and PGDATA name its version and data folder.
# Arguments: SERVICE, the folder where the data volume is mounted here, and the folder where the database's container mounts it.
service=$1 volume=$2 mount=$3
connect="--username $service $service"

refuse() {
  echo "store:postgresImage: $1" >&2
  exit 1
}

case $PGDATA in
  "$mount/$PG_MAJOR"/*) ;;
  *) refuse "the image of PostgreSQL $PG_MAJOR keeps its data in $PGDATA, outside the data volume, where it would be lost. Use version 18 or later." ;;
esac

migrate="Or migrate the data: with the old image, dump each database (./store exec $service-database -- pg_dump --clean --if-exists \
$connect >$service.sql), then run ./store down --volumes; with the new image, run ./store up and restore each dump (./store exec \
$service-database -- psql $connect <$service.sql)."

data=$volume${PGDATA#"$mount"}
if [ -s "$data/PG_VERSION" ]; then
  owner=$(stat -c %u "$data")
  user=$(id -u postgres)
  [ "$owner" = "$user" ] || refuse "the data of $service belong to user $owner of the old image, and the new image runs PostgreSQL as user \
$user. Images of different distributions also sort texts differently, which breaks indexes. Set the old image back. $migrate"
else
  for file in "$volume"/*/*/PG_VERSION; do
    # Half-made data folders: startDatabase.sh.
    case $file in *.new/PG_VERSION | *.incomplete/PG_VERSION) continue ;; esac
    [ -s "$file" ] || continue
    read -r version <"$file"
    refuse "the data of $service was written by PostgreSQL $version, and PostgreSQL $PG_MAJOR would start with an empty database. \
Set the old version back. $migrate"
  done
fi
