# shellcheck shell=sh
# A run beside the data of earlier ones, for podman-run.sh: whether there are any, and the options of the unit that must give way to what ID-data says.
# shellcheck disable=SC2034,SC2154 # podman.sh, podman-volumes.sh and podman-start set the variables

# run_beside_data OPTIONS… IMAGE: without options for volumes that ID-data holds; podman would make new ones for them, where docker does not. Those of a
# user namespace become the numbers to which the data belong: at another start podman would choose others, whose root could not read a file.
run_beside_data() {
  left=$# wanted=''
  while [ "$left" -gt 0 ]; do
    if [ "$1" = -v ] && is_held "$2"; then shift 2; left=$((left - 2)); continue; fi
    # Enough for data of whatever user: without a size podman counts those of the image.
    if [ "$1" = --userns ]; then wanted=--userns=$2:size=65536; shift 2; left=$((left - 2)); continue; fi
    set -- "$@" "$1"
    shift
    left=$((left - 1))
  done
  if [ -n "$volumes_from" ]; then require_numbers; fi
  # shellcheck disable=SC2086 # options, a word each
  run_once ${volumes_from:+"$volumes_from"} ${held_numbers:-$wanted} "$@"
}

# require_numbers: the data are of a run in a user namespace exactly when this one is to be.
require_numbers() {
  if [ -n "$is_damaged" ] && [ -n "$wanted" ]; then
    fail other-numbers "to whom is not known any more, since $id-data is damaged; without --userns auto they can be read and copied out"
  fi
  case ${wanted:+in}/${held_numbers:+in} in
    in/) fail other-numbers "they were written without --userns auto, and would be nobody's in a user namespace" ;;
    /in) fail other-numbers "they were written with --userns auto" ;;
  esac
}

# find_data: sets volumes_from, and held_numbers, when ID-data holds data of earlier runs. The index of podman's storage and its database, in which names are bytes like
# any, tell in 1 ms that it does not exist, which is the common case; podman would take 40. (An index that a power cut has emptied is soon one of new containers only.)
# What else they say is asked of podman. A doubtful answer is a failure: without its data a container must not run.
find_data() {
  volumes_from='' held='' held_numbers=''
  find_index
  if [ -e "$index" ] && ! grep -qF "\"names\":[\"$id-data\"" "$index" && ! is_in_database "$id-data"; then return; fi
  inspect_data || refuse "podman could not say whether $id-data exists: $problem"
  [ -z "$is_damaged" ] || say "the container that holds its data is damaged in podman's storage; the data are not"
  if [ "$found" = ours ] && [ "$role" = '"data"' ]; then volumes_from="--volumes-from=$id-data" held=$volumes held_numbers=$numbers; fi
}

# is_held PATH: whether ID-data has a volume for it.
is_held() {
  case "$held$newline" in *":\"$1\"$newline"*) ;; *) return 1 ;; esac
}

# find_index: where podman keeps the names of its containers; asked once per boot and configuration of podman's.
find_index() {
  index='' key=''
  configuration=$(stat -c %Y /etc/containers/storage.conf /etc/containers/containers.conf 2> /dev/null | tr '\n' ' ') || :
  if [ -e "$run/podman-store" ]; then IFS=: read -r key index < "$run/podman-store"; fi
  if [ -n "$index" ] && [ "$key" = "$configuration" ]; then return; fi
  index=$(podman info --format '{{.Store.GraphRoot}}/{{.Store.GraphDriverName}}-containers/containers.json' 2>&1) ||
    refuse "podman cannot use its storage: $index"
  echo "$configuration:$index" > "$run/podman-store.$id" && mv "$run/podman-store.$id" "$run/podman-store"
}

# is_in_database WORD: true when in doubt. Podman 4.3 has the first database, from 4.8 on the second.
is_in_database() {
  store=${index%/*/*}
  for database in "$store/libpod/bolt_state.db" "$store/db.sql"; do
    if [ -e "$database" ]; then grep -qF "$1" "$database"; return; fi
  done
}
