#!/bin/sh
# Leaves exactly these files in a folder. Each file is replaced in one step, so that nobody reads half of one, and any user may
# read it: the volume is mounted only where it is meant to be read.
# Arguments: FOLDER [NAME CONTENT]...
set -eu
cd "$1"
shift
names=/
while [ $# -gt 0 ]; do
  printf %s "$2" >.new
  chmod 0444 .new
  mv -f .new "$1"
  names=$names$1/
  shift 2
done
for file in *; do
  case $names in
    */"$file"/*) ;;
    *) rm -f "$file" ;;
  esac
done
