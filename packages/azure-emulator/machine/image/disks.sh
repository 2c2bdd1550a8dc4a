#!/bin/sh
# Stand-in for Azure's data disks: each folder lunN below has the content of one, and becomes the block device that Azure's
# udev rules name /dev/disk/azure/scsi1/lunN. /etc/rehearsal/disks has their numbers and sizes (in GB). Holds the devices open: when this process ends, however that is, the kernel
# lets go of them as soon as nothing is mounted from them.
set -eu
folder=/var/lib/rehearsal/disks
[ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
mkdir -p /dev/disk/azure/scsi1
while read -r number size; do
  image=$folder/lun$number/disk.img
  # Larger than before, if it has grown; its content stays, and takes no more room than what was written.
  truncate -s "${size}G" "$image"
  # Another machine may take the number that we are told before we do.
  for _ in 1 2 3 4 5; do
    device=$(losetup -f)
    [ -e "$device" ] || mknod "$device" b 7 "${device#/dev/loop}"
    losetup "$device" "$image" && break
  done
  (
    exec 9<"$device"
    # Still open, so this only marks it to go with its last user.
    losetup -d "$device"
    exec sleep infinity
  ) &
  ln -sfn "$device" "/dev/disk/azure/scsi1/lun$number"
done </etc/rehearsal/disks
systemd-notify --ready
wait
# Without a data disk there is nothing to hold, but the machine has its (empty) bus.
exec sleep infinity
