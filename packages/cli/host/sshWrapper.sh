#!/bin/sh
# Runs the next ssh on PATH. Arguments: FOLDER of PATH with this script, then those for ssh. FOLDER may have any characters.
bin=:$1:
shift
path=:$PATH:
while case $path in *"$bin"*) true ;; *) false ;; esac; do
  path=${path%%"$bin"*}:${path#*"$bin"}
done
path=${path#:} PATH=${path%:}
exec ssh "$@"
