# shellcheck shell=sh
# The run itself, for podman-start: one call of podman when all is well; a pull, a left-over container of the same name or a runtime that
# does not like this host's cgroups costs a second one. Every failure leaves a reason that a program can read.
# shellcheck disable=SC2154 # common.sh, podman.sh and podman-start set the variables

cli() { podman "$@"; }

# is_stuck: a call that takes long may fill a volume. It is the call alone that waits for a file of its image; others get their answers.
is_stuck() { suspect || ! engine_answers; }

find_storage() { podman info --format '{{.Store.GraphRoot}}' 2>&1; }

run_container() {
  for image_name; do :; done
  attempts=0
  until run_beside_data "$@"; do
    attempts=$((attempts + 1))
    [ "$attempts" -lt 5 ] || fail run-failed "$message"
    case $message in
      # Nothing is damaged, and an image that goes now could not be fetched anew.
      *': no space left on device' | *': disk quota exceeded' | *': read-only file system') fail run-failed "$message" ;;
      *"$damaged_image"* | 'creating container storage: creating read-write layer'*) replace_damaged "$image_name" ;;
      *'invalid database'* | *'database disk image is malformed'*) fail storage-damaged "$message" ;;
      *': image not known') pull "${message%: image not known}" ;;
      *'that name is already in use'* | *'is in use: container already exists'*) make_way ;;
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
  message=$(watched /usr/bin/podman --events-backend=none ${runtime:+"--runtime=$runtime"} run -d --pull=never --name "$id" --cidfile "$dir/container-id" \
    --pidfile "$dir/pid" --conmon-pidfile "$dir/conmon-pid" --cgroups=split --sdnotify=ignore --label "gear.id=$id" \
    --log-driver=journald --log-opt 'tag={{.Name}}' "$@") && return
  refuse_stuck 'podman has not answered for 95 s: another podman has its locks (see: ps -fC podman)'
  tidy_message
  return 1
}

# tidy_message: what podman said, as one line without its preamble and its warnings, but for the one of an image that is damaged.
damaged_image='exists in local storage but may be corrupted'
tidy_message() {
  message=$(printf '%s\n' "$message" | sed -e "/^time=\".*level=/{/$damaged_image/!d}" -e 's/^time=.* msg="\(.*\)"$/\1;/' -e 's/^Error: //')
  join_lines
}

# other_runtime NAME: crun 1.8 refuses the hybrid cgroups of some hosts where runc works; which one does is found out by trying.
other_runtime() {
  if [ -n "$runtime" ] || ! command -v "$1" > /dev/null; then fail run-failed "$message"; fi
  runtime=$1
  forget_container
}
