#!/bin/sh
# Formats the block device $1 if it is empty. The device may appear a moment after the boot.
# Part of the VM's customData: a change other than of a comment replaces the VM.
for _ in $(seq 60); do [ -b "$1" ] && break; sleep 1; done
[ -b "$1" ] || exit 0
blkid --probe "$1"
# blkid exits with 2 if it finds nothing, but also for a damaged superblock. An empty disk has zeros only.
[ $? = 2 ] || exit 0
if cmp --silent --bytes 1048576 "$1" /dev/zero; then
  mkfs.ext4 -q -L store-data "$1"
else
  echo "The data disk $1 isn't empty, but has no known file system. It is left as it is." >&2
fi
