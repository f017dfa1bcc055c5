# shellcheck shell=sh disable=SC2034 # inside-init.sh follows
# What is mounted in a container that is isolated. Folders of the host are among it, at the paths of volumes and below them too, and must stay whose they are.
newline='
'

# What is mounted where, a line each: the number of its file system, its folder there, the place. The later ones lie over the earlier ones.
mounts=$(while read -r _ _ device folder place _; do printf '%s %s %b\n' "$device" "$folder" "$place"; done < /proc/self/mountinfo)

# each_mount FUNCTION WORD…: calls it with the words, the number, the folder and the place of each.
each_mount() {
  IFS=$newline
  set -f
  for mount in $mounts; do
    unset IFS
    rest=${mount#* }
    "$@" "${mount%% *}" "${rest%% *}" "${rest#* }"
  done
  set +f
  unset IFS
}

# look_inside PATH: sets places to the places of all mounts, which find tells of too, and inner to those below it that are on its file system, where find does
# not see that something else begins. A line each.
look_inside() {
  device='' longest='' inner='' places=$newline
  each_mount note_device "$1"
  each_mount note_inner "$1"
}
note_device() { # PATH NUMBER FOLDER PLACE
  places=$places$4$newline
  case ${1%/}/ in "${4%/}/"*) [ "${#4}" -lt "${#longest}" ] || device=$2 longest=$4 ;; esac
}
note_inner() { # PATH NUMBER FOLDER PLACE
  case $2${4%/} in "$device${1%/}"/?*) inner=$inner$4$newline ;; esac
}

# is_of_host PATH: whether something is mounted there that is no volume; the folders of those have names of 64 digits.
is_of_host() {
  seen=''
  each_mount note_folder "$1"
  volume=${seen%/_data} volume=${volume##*/}
  case $seen in
    '') return 1 ;;
    */_data) case $volume in *[!0-9a-f]*) ;; *) [ "${#volume}" != 64 ] ;; esac ;;
  esac
}
note_folder() { [ "$4" != "$1" ] || seen=$3; } # PATH NUMBER FOLDER PLACE
