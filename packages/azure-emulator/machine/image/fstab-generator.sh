#!/bin/sh
# usage: fstab-generator.sh FOLDER, run by systemd at each boot
# Substitute for systemd-fstab-generator, which ignores devices in a container: creates the mount unit of each device in /etc/fstab.
set -eu
fstab=${FSTAB:-/etc/fstab}
wants=$1/local-fs.target.wants
mkdir -p "$wants"
while read -r device folder type options _; do
  case $device in /dev/*) ;; *) continue ;; esac
  unit=$(systemd-escape --path --suffix=mount "$folder")
  cat >"$1/$unit" <<UNIT
[Unit]
Requires=rehearsal-disks.service
After=rehearsal-disks.service
[Mount]
What=$device
Where=$folder
Type=$type
Options=$options
UNIT
  ln -sfn "../$unit" "$wants/$unit"
done <"$fstab"
