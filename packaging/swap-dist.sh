#!/bin/sh
# swap-dist.sh LIB FRESH: makes the build in the folder FRESH the one that is used, LIB/dist, which is a link, in one step. What began with another build, an agent or a
# command, loads the rest of its scripts from that one: the last one stays until the next install, older ones go.
set -eu
lib=$1 fresh=$2
last=''
if [ -L "$lib/dist" ]; then last=$(readlink "$lib/dist"); else rm -rf "$lib/dist"; fi
name=$(cat "$fresh"/* | cksum)
name=dist-${name%% *}
if [ "$name" = "$last" ]; then exit; fi
rm -rf "${lib:?}/$name"
mv "$fresh" "$lib/$name"
ln -sfn "$name" "$lib/dist.new"
mv -T "$lib/dist.new" "$lib/dist"
for old in "$lib"/dist-*; do
  case ${old##*/} in "$name" | "$last") ;; *) rm -rf "$old" ;; esac
done
