# shellcheck shell=sh
# What a container of podman has at a path: it is mounted, and looked at from the host. Podman's own way to copy from a container would open what is there.
# shellcheck disable=SC2034,SC2154 # image-tools.sh and podman.sh set variables, image-files.sh reads them

show_files() { root=$(podman mount "$asked" 2>&1) || { problem=$root; return 1; }; }
hide_files() { podman unmount "$asked" > /dev/null 2>&1 || :; }

# look_at PATH: sets kind to file, or to what it is instead, and size in bytes; kind is empty when nothing is there. A link is what it leads to within the image,
# one step far: who follows more could be led out of it.
look_at() {
  kind='' size=0 place=$1
  is_straight "${place%/*}" || { kind='something behind a link'; return; }
  if [ -L "$root$place" ]; then
    place=$(readlink -n "$root$place" && echo .) place=${place%.}
    case $place in /*) ;; ../*) place=${place#..} ;; *) place=${1%/*}/$place ;; esac
    case $place/ in */../*) kind='an odd link'; return ;; esac
    is_straight "$place" || { kind='a link behind a link'; return; }
    [ -e "$root$place" ] || { kind='a link to nothing'; return; }
  fi
  if [ -f "$root$place" ]; then kind=file size=$(stat -c %s "$root$place")
  elif [ -d "$root$place" ]; then kind='a directory'
  elif [ -p "$root$place" ]; then kind='a fifo'
  elif [ -c "$root$place" ] || [ -b "$root$place" ]; then kind='a device'
  elif [ -e "$root$place" ]; then kind='something that is no file'
  fi
}

# is_straight PATH: whether no part of it is a link.
is_straight() {
  way=$root left=$1/
  while [ -n "$left" ]; do
    way=$way/${left%%/*} left=${left#*/}
    [ ! -L "${way%/}" ] || return 1
  done
}
