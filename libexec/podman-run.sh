# shellcheck shell=sh
# The run itself, for podman-start: one call of podman when all is well; a pull, a left-over container of the same name or a runtime that
# does not like this host's cgroups costs a second one. Every failure leaves a reason that a program can read.
# shellcheck disable=SC2154 # common.sh, podman.sh and podman-start set the variables

cli() { podman "$@"; }

find_storage() { podman info --format '{{.Store.GraphRoot}}' 2>&1; }

# run_container OPTIONS… IMAGE: without those for volumes that ID-data holds; podman would make new ones for them, where docker does not.
run_container() {
  left=$#
  while [ "$left" -gt 0 ]; do
    if [ "$1" = -v ] && is_held "$2"; then shift 2; left=$((left - 2)); continue; fi
    set -- "$@" "$1"
    shift
    left=$((left - 1))
  done
  attempts=0
  until run_once "$@"; do
    attempts=$((attempts + 1))
    [ "$attempts" -lt 5 ] || fail run-failed "$message"
    case $message in
      *': image not known') pull "${message%: image not known}" ;;
      *'that name is already in use'*) make_way ;;
      *'address already in use'*) fail port-taken "$message" ;;
      *'enough available IDs'*) fail no-user-numbers "$message" ;;
      *crun*cgroup*) other_runtime runc ;;
      *runc*cgroup*) other_runtime crun ;;
      *) fail run-failed "$message" ;;
    esac
  done
  # Which runtime works is known until the next boot, which may bring other cgroups.
  if [ "$attempts" != 0 ] && [ -n "$runtime" ]; then echo "$runtime" > "$run/podman-runtime"; fi
}

# run_once ARGS…: sets message when it fails. Not --replace, which would remove anybody's container of that name.
run_once() {
  for file in container-id pid conmon-pid; do if [ -e "$dir/$file" ]; then rm "$dir/$file"; fi; done
  message=$(podman ${runtime:+"--runtime=$runtime"} run -d --pull=never --name "$id" --cidfile "$dir/container-id" \
    --pidfile "$dir/pid" --conmon-pidfile "$dir/conmon-pid" --cgroups=split --sdnotify=ignore --label "gear.id=$id" \
    --log-driver=journald --log-opt 'tag={{.Name}}' ${volumes_from:+"$volumes_from"} "$@" 2>&1 > /dev/null) && return
  tidy_message
  return 1
}

# tidy_message: what podman said, as one line without its warnings and its preamble.
tidy_message() {
  message=$(printf '%s\n' "$message" | sed -e '/^time=".*level=/d' -e 's/^Error: //')
  join_lines
}

# other_runtime NAME: crun 1.8 refuses the hybrid cgroups of some hosts where runc works; which one does is found out by trying.
other_runtime() {
  if [ -n "$runtime" ] || ! command -v "$1" > /dev/null; then fail run-failed "$message"; fi
  runtime=$1
  forget_container
}

# forget_container: the container of an attempt that failed to start.
forget_container() {
  message=$(podman rm --force --time 0 "$id" 2>&1 > /dev/null) || { tidy_message; fail run-failed "$message"; }
}

# make_way: a container of this name is there. If it is ours (the host crashed) its volumes are kept and it goes; a foreign one is never
# touched. One that podman itself does not know is what is left of a start that was cut off.
make_way() {
  inspect "$id" || fail run-failed "podman could not say what it has named $id: $problem"
  case $found in
    ours) remove_container || fail run-failed "the container of an earlier run stays: $problem" ;;
    foreign) fail name-taken "a container named $id exists that gear did not make" ;;
    none) [ "$(podman ps --all --external --filter "name=^$id\$" --format '{{.Command}}')" = storage ] ||
      fail name-taken "a container named $id exists that gear did not make"
      forget_container ;;
  esac
  find_data
}
