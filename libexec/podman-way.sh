# shellcheck shell=sh
# What is in the way of a start, for podman-start: a container of the same name, or storage that a power cut has damaged.
# shellcheck disable=SC2154 # common.sh, podman.sh, podman-start and podman-run.sh set the variables

# forget_container: the container of an attempt that failed to start.
forget_container() {
  message=$(podman rm --force --time 0 "$id" 2>&1 > /dev/null) || { tidy_message; refuse "$message"; }
}

# make_way: a container of this name is there. If it is ours (the host crashed) its volumes are kept and it goes; a foreign one is never
# touched. One that podman itself does not know is what is left of a start that was cut off.
make_way() {
  inspect "$id" || found=damaged
  case $found/$problem in damaged/*'podman has not answered'*) refuse "$problem" ;; esac
  case $found in
    damaged) find_damaged || fail storage-damaged "podman could not say what it has named $id: $problem"
      say "the container of an earlier run is damaged in podman's storage and goes: $problem"
      forget_container ;;
    ours) remove_container || refuse "the container of an earlier run stays: $problem" ;;
    foreign) fail name-taken "a container named $id exists that gear did not make" ;;
    none) is_left_over "$id" ||
      fail name-taken "a container named $id exists that gear did not make"
      forget_container ;;
  esac
  find_data
}

# replace_damaged IMAGE: what a power cut left of the image or of a layer cannot be used, and podman keeps it for the real one. First it is
# pulled over; if that does not help it goes before it is pulled. When nothing helps (other images share the layer, there is no registry)
# the start limit of the unit ends the trying.
replace_damaged() {
  say "the image $1 is damaged in podman's storage and is fetched anew: $message"
  case $damage in
    '') ;;
    once) podman image rm "$1" > /dev/null 2>&1 || : ;; # not by force, which would take containers of others along
    *) fail storage-damaged "$message" ;;
  esac
  damage=${damage:+more-than-}once
  described=$message
  fetch "$1" || fail storage-damaged "$described; it could not be fetched anew: $message"
}
