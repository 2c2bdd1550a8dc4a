#!/bin/sh
# Grows the file system that is mounted at $1 to the size of its disk, which has $2 GiB. Does nothing if it has that size already.
device=$(findmnt --noheadings --output SOURCE --mountpoint "$1") || exit 1
bytes=$(($2 * 1024 * 1024 * 1024))
# Azure enlarges a disk while the VM runs. The kernel reads a SCSI disk's size again only when it is told to.
rescan=/sys/class/block/${device##*/}/device/rescan
for _ in 1 2 3 4 5 6; do
  [ ! -e "$rescan" ] || echo 1 | sudo tee "$rescan" >/dev/null
  size=$(sudo blockdev --getsize64 "$device")
  [ "$size" -lt "$bytes" ] || break
  sleep 5
done
if [ "$size" -lt "$bytes" ]; then
  echo "the VM doesn't see the new size of its data disk ($2 GiB) before a restart" >&2
  exit 1
fi
# Goes on after success: other commands follow in the same script.
if ! output=$(sudo resize2fs "$device" 2>&1); then
  echo "the file system on the data disk doesn't grow to $2 GiB: $(echo "$output" | tail -n 1)" >&2
  exit 1
fi
