# shellcheck shell=sh
# The run itself, for docker-start: one call of the engine's CLI when all is well; a pull or a left-over container of the
# same name costs a second one. Every failure leaves a reason that a program can read.
# shellcheck disable=SC2154 # common.sh and docker-start set the variables

# fail REASON MESSAGE [EXITCODE]: ends the start. docker-cleanup makes it the last-exit.
fail() {
  say "$2"
  { [ -z "${3-}" ] || echo "ExitCode=$3"
    date -u +FinishedAt=%Y-%m-%dT%H:%M:%SZ
    echo "Reason=$1"
    echo "Message=$2"; } > "$dir/last-exit.new"
  exit 1
}

run_container() {
  attempts=0
  until run_once "$@"; do
    attempts=$((attempts + 1))
    [ "$attempts" -lt 4 ] || fail run-failed "$message"
    case $message in
      'No such image: '*) pull "${message#No such image: }" ;;
      'Conflict. The container name '*) make_way ;;
      *'port is already allocated'* | *'address already in use'*) fail port-taken "$message" ;;
      'Cannot connect to the Docker daemon'* | 'error during connect'*) fail engine-away "$message" ;;
      *) fail run-failed "$message" "$exit_code" ;;
    esac
  done
}

# run_once ARGS…: sets exit_code and message when it fails.
run_once() {
  rm -f "$dir/container-id"
  exit_code=0
  docker run -d --pull=never --name "$id" --cidfile "$dir/container-id" --cgroup-parent "$(cgroup_parent)" \
    --label "gear.id=$id" --label "OBJECT_SYSTEMD_UNIT=ctr-$id.service" \
    --log-driver=journald --log-opt labels=OBJECT_SYSTEMD_UNIT --log-opt 'tag={{.Name}}' \
    ${volumes_from:+"$volumes_from"} "$@" > /dev/null 2> "$dir/engine-output" || exit_code=$?
  read_message
  [ "$exit_code" = 0 ]
}

# read_message: what the CLI said, as one line without its warnings, its hints and its preamble.
read_message() {
  message=$(sed -e '/^WARNING: /d' -e "/^See 'docker run --help'/d" -e 's/^docker: //' -e 's/^Error response from daemon: //' \
    "$dir/engine-output" | tr -s '\n\t ' ' ')
  message=${message% }
  rm -f "$dir/engine-output"
}

pull() {
  image=${1%.}
  say "pulling $image"
  docker pull -q "$image" > /dev/null 2> "$dir/engine-output" && return
  read_message
  case $message in
    *'manifest unknown'* | *'not found'* | *'does not exist'*) fail image-missing "$message" ;;
    'Cannot connect to the Docker daemon'* | 'error during connect'*) fail engine-away "$message" ;;
    *) fail pull-failed "$message" ;;
  esac
}

# make_way: a container of this name is there. If it is ours (the host crashed, or the engine was away when the last run
# ended) its volumes are kept and it goes; a foreign one is never touched.
make_way() {
  find_container || fail engine-away 'docker does not answer on its socket'
  case $found in
    foreign) fail name-taken "a container named $id exists that gear did not make" ;;
    ours) { stop_running && remove_container; } || fail run-failed 'the container of an earlier run could not be removed' ;;
  esac
  find_data || fail engine-away 'docker does not answer on its socket'
}
