# shellcheck shell=sh
# A run beside the data of earlier ones, for podman-run.sh: the options of the unit that must give way to what ID-data says.
# shellcheck disable=SC2154 # podman.sh, podman-volumes.sh and podman-start set the variables

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
  case ${wanted:+in}/${held_numbers:+in} in
    in/) fail other-numbers "they were written without --userns auto, and would be nobody's in a user namespace" ;;
    /in) fail other-numbers "they were written with --userns auto" ;;
  esac
}
