#!/bin/sh
# Emulates Azure's data disks. Each folder /var/lib/rehearsal/disks/lunN holds the content of a disk, which becomes a block device.
# /etc/rehearsal/disks lists the disks, one per line: LUN, size in GB, and the names below /dev/disk/azure that the rules of Azure's
# image give the device. This process holds the devices open: when it ends, the kernel detaches each device once it is unmounted.
# "grow LUN SIZE" gives a disk another size, which the running machine sees, and which it has after the next boot as well.
#
# This is the first program of a boot. So it also gives the boot its ID: a container has the kernel's, which doesn't change.
set -eu
disks=${DISKS:-/var/lib/rehearsal/disks}
list=${LIST:-/etc/rehearsal/disks}
links=${LINKS:-/run/rehearsal}
if [ "${1:-}" = grow ]; then
  truncate -s "$3G" "$disks/lun$2/disk.img"
  losetup -c "$(readlink -f "$links/lun$2")"
  sed -i "s/^$2 [0-9]*/$2 $3/" "$list"
  exit 0
fi
[ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
mkdir -p "$links"
cat /proc/sys/kernel/random/uuid >"$links/boot_id"
mount --bind "$links/boot_id" /proc/sys/kernel/random/boot_id
while read -r number size names; do
  image=$disks/lun$number/disk.img
  # Create or grow the sparse file; existing content stays.
  truncate -s "${size}G" "$image"
  # Retry: another machine may take the free device first.
  for _ in 1 2 3 4 5; do
    # Newer versions print " (lost)" after a device that has no node yet.
    device=$(losetup -f | cut -d ' ' -f 1)
    [ -e "$device" ] || mknod "$device" b 7 "${device#/dev/loop}"
    losetup "$device" "$image" && break
  done
  # Only here can the file system grow, see resize2fs.sh. A new disk has none, a damaged one stays as it is.
  if dumpe2fs -h "$device" >/dev/null 2>&1 && e2fsck -fp "$device"; then /sbin/resize2fs "$device"; fi
  (
    exec 9<"$device"
    # The device is still open, so this only schedules the detach for its last close.
    losetup -d "$device"
    exec sleep infinity
  ) &
  ln -sfn "$device" "$links/lun$number"
  for name in $names; do
    mkdir -p "$(dirname "/dev/disk/azure/$name")"
    ln -sfn "$device" "/dev/disk/azure/$name"
  done
done <"$list"
systemd-notify --ready
wait
# Without data disks `wait` returns at once; keep the service running.
exec sleep infinity
