#!/bin/sh
# Formats the block device $1 if blkid finds nothing on it (exit code 2). The device may appear a moment after the boot.
# Part of the VM's customData: a change other than of a comment replaces the VM.
for _ in $(seq 60); do [ -b "$1" ] && break; sleep 1; done
[ -b "$1" ] || exit 0
blkid --probe "$1"
[ $? != 2 ] || mkfs.ext4 -q -L store-data "$1"
