#!/bin/sh
# Formats the first block device among the arguments if it is empty. The device may appear a moment after the boot.
# Part of the VM's customData: a change other than of a comment replaces the VM.
for _ in $(seq 60); do
  for device in "$@"; do [ -b "$device" ] && break 2; done
  sleep 1
done
[ -b "$device" ] || exit 0
blkid --probe "$device"
# blkid exits with 2 if it finds nothing, but also for a damaged superblock. An empty disk has zeros only.
[ $? = 2 ] || exit 0
if cmp --silent --bytes 1048576 "$device" /dev/zero; then
  mkfs.ext4 -q -L store-data "$device"
else
  echo "The data disk $device isn't empty, but has no known file system. It is left as it is." >&2
fi
