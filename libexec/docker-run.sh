# shellcheck shell=sh
# The run itself, for docker-start: one call of the engine's CLI when all is well; a pull or a left-over container of the
# same name costs a second one. Every failure leaves a reason that a program can read.
# shellcheck disable=SC2154 # common.sh and docker-start set the variables

cli() { /usr/bin/timeout --kill-after=5 "${patience:-60}" /usr/bin/docker -H "unix://$socket" "$@"; }

# is_stuck: what may take long is to fill volumes, before the container has an id. After that it may wait for a file of its image, and others get their answers.
is_stuck() { { [ -s "$dir/container-id" ] && suspect; } || ! engine_answers; }

find_storage() { docker info --format '{{.DockerRootDir}}' 2>&1; }

run_container() {
  attempts=0
  until run_once "$@"; do
    attempts=$((attempts + 1))
    [ "$attempts" -lt 4 ] || fail run-failed "$message"
    case $message in
      'No such image: '*) missing=${message#No such image: } && pull "${missing%.}" ;;
      'Conflict. The container name '*) make_way ;;
      # On version 1 systemd, reloading or starting a unit, clears away groups in a slice that nobody is in yet: the container's, at the wrong moment.
      *'/cgroup.procs: no such '* | *'mkdir /sys/fs/cgroup/'*': no such '*) make_way ;;
      *'port is already allocated'* | *'address already in use'*) fail port-taken "$message" ;;
      'Cannot connect to the Docker daemon'* | 'error during connect'*) fail engine-away "$message" ;;
      *) fail run-failed "$message" ;;
    esac
  done
}

# run_once ARGS…: sets message when it fails.
run_once() {
  if [ -e "$dir/container-id" ]; then rm "$dir/container-id"; fi
  message=$(watched /usr/bin/docker -H "unix://$socket" run -d --pull=never --name "$id" --cidfile "$dir/container-id" --cgroup-parent "$cgroup_parent" \
    --label "gear.id=$id" --label "OBJECT_SYSTEMD_UNIT=ctr-$id.service" \
    --log-driver=journald --log-opt labels=OBJECT_SYSTEMD_UNIT --log-opt 'tag={{.Name}}' \
    ${volumes_from:+"$volumes_from"} "$@") && return
  refuse_stuck 'docker has not answered for 40 s'
  tidy_message
  return 1
}

# tidy_message: what the CLI said, as one line without its warnings, its hints and its preamble.
tidy_message() {
  message=$(printf '%s\n' "$message" | sed -e '/^WARNING: /d' -e "/^See 'docker run --help'/d" -e 's/^docker: //' \
    -e 's/^Error response from daemon: //')
  join_lines
}

# make_way: a container of this name is there. If it is ours (the host crashed, or the engine was away when the last run
# ended) its volumes are kept and it goes; a foreign one is never touched.
make_way() {
  find_container || {
    ! suspect || refuse_stuck ''
    fail engine-away 'docker does not answer on its socket'
  }
  case $found in
    foreign) fail name-taken "a container named $id exists that gear did not make" ;;
    ours) { stop_running && remove_container; } || fail run-failed "the container of an earlier run stays: $problem" ;;
  esac
  find_data || fail engine-away 'docker does not answer on its socket'
}

# refuse_odd: what the engine's own runtime knows of the container it need not be asked for.
refuse_odd() {
  read_id
  pid='' known=/run/containerd/io.containerd.runtime.v2.task/moby/$container/init.pid
  if [ -e "$known" ]; then read -r pid < "$known" || :; fi # no newline at its end
  refuse_odd_volumes "$pid" docker rm --force --volumes "$container"
}
