# shellcheck shell=sh
# What every helper of a container's unit starts with: a fixed environment and the names of one container's files. Units carry no
# user's environment, and nothing here reads one. Sourced with the container id in $1.
# shellcheck disable=SC2034 # the variables are for the helpers
set -eu

PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C
export PATH HOME LC_ALL
umask 022
newline='
'

say() { printf '%s\n' "$*" >&2; }

id=${1-}
case $id in
  '' | [!A-Za-z0-9]* | *[!A-Za-z0-9_.-]*) say "not a container id: '$id'"; exit 2 ;;
esac
partition=${id%"${id#??}"}
base=${GEARD_BASE_PATH:-/var/lib/containers}
run=${GEARD_RUN_PATH:-/var/run/containers}
dir=$run/$partition/$id

make_dir() { [ -d "$dir" ] || (umask 002 && mkdir -p "$dir"); }

# read_id: the engine's id of the container that the start helper ran; empty before that.
read_id() {
  container=''
  if [ -e "$dir/container-id" ]; then read -r container < "$dir/container-id" || :; fi # podman ends it without a newline
}

# is_alive: whether the container's first process runs, asked of the kernel, which answers also when the engine does not.
is_alive() {
  pid=''
  if [ -s "$dir/pid" ]; then read -r pid < "$dir/pid" || :; fi
  [ -n "$pid" ] && [ -n "$container" ] && grep -qs "$container" "/proc/$pid/cgroup"
}

# kill_directly: ends a container without its engine (which is away, does not answer, or has lost its shim): its first process is
# signalled as the engine would. The shim that holds it, if there is one, tells the engine later.
kill_directly() {
  is_alive || return 0
  say 'ending the container without the engine'
  kill -TERM "$pid"
  seconds=10
  while is_alive; do
    if [ "$seconds" = 0 ]; then kill -KILL "$pid"; fi
    [ "$seconds" -gt -5 ] || { say "process $pid of the container does not end"; return 1; }
    /usr/bin/sleep 1
    seconds=$((seconds - 1))
  done
}

# forget_asked: the container that was made to ask an image for its tools (image-tools.sh) goes, when a start was killed before that.
forget_asked() {
  [ -e "$dir/asked" ] || return 0
  read -r asked < "$dir/asked" && discard "$asked" && rm "$dir/asked"
}

# read_failures: sets failures to how often in a row the container ended without being asked to.
read_failures() {
  failures=''
  if [ -e "$dir/failures" ]; then read -r failures < "$dir/failures" || :; fi
  case $failures in '' | *[!0-9]*) failures=0 ;; esac
}
