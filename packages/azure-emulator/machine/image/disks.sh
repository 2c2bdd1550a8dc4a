#!/bin/sh
# Emulates Azure's data disks. Each folder /var/lib/rehearsal/disks/lunN holds the content of a disk, which becomes the block
# device /dev/disk/azure/scsi1/lunN (the name given by Azure's udev rules). /etc/rehearsal/disks lists the disks, one per line: LUN
# and size in GB. This process holds the devices open: when it ends, the kernel detaches each device once it is unmounted.
# "grow LUN SIZE" gives a disk another size, which the running machine sees, and which it has after the next boot as well.
set -eu
folder=/var/lib/rehearsal/disks
if [ "${1:-}" = grow ]; then
  truncate -s "$3G" "$folder/lun$2/disk.img"
  losetup -c "$(readlink -f "/dev/disk/azure/scsi1/lun$2")"
  sed -i "s/^$2 .*/$2 $3/" /etc/rehearsal/disks
  exit 0
fi
[ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
mkdir -p /dev/disk/azure/scsi1
while read -r number size; do
  image=$folder/lun$number/disk.img
  # Create or grow the sparse file; existing content stays.
  truncate -s "${size}G" "$image"
  # Retry: another machine may take the free device first.
  for _ in 1 2 3 4 5; do
    device=$(losetup -f)
    [ -e "$device" ] || mknod "$device" b 7 "${device#/dev/loop}"
    losetup "$device" "$image" && break
  done
  (
    exec 9<"$device"
    # The device is still open, so this only schedules the detach for its last close.
    losetup -d "$device"
    exec sleep infinity
  ) &
  ln -sfn "$device" "/dev/disk/azure/scsi1/lun$number"
done </etc/rehearsal/disks
systemd-notify --ready
wait
# Without data disks `wait` returns at once; keep the service running.
exec sleep infinity
