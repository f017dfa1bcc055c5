# shellcheck shell=sh
# What every helper of a container's unit starts with: a fixed environment, the names of one container's files, and calls on
# the engine's socket. Units carry no user's environment, and nothing here reads one. Sourced with the container id in $1.
# shellcheck disable=SC2034 # the variables are for the helpers
set -eu

PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C
export PATH HOME LC_ALL
umask 022
newline='
' inspected=''

say() { printf '%s\n' "$*" >&2; }

id=${1-}
case $id in
  '' | [!A-Za-z0-9]* | *[!A-Za-z0-9_.-]*) say "not a container id: '$id'"; exit 2 ;;
esac
partition=${id%"${id#??}"}
base=${GEARD_BASE_PATH:-/var/lib/containers}
run=${GEARD_RUN_PATH:-/var/run/containers}
dir=$run/$partition/$id
socket=/run/docker.sock

make_dir() { [ -d "$dir" ] || (umask 002 && mkdir -p "$dir"); }

# docker ARGS…: the engine's CLI, on this host whatever context root's configuration names.
docker() { /usr/bin/docker -H "unix://$socket" "$@"; }

# engine SECONDS METHOD PATH: one call of the engine's API without its CLI's 40 MB; 0 seconds: no limit.
# Sets status and body; fails when there was no complete answer. Connecting starts a stopped engine through docker.socket:
# only what was requested may do that, everything else asks engine_is_active first.
engine() {
  status='' body=''
  reply=$(OPENSSL_CONF=/dev/null /usr/bin/curl -q -s -m "$1" -w '\n%{http_code}' --unix-socket "$socket" -X "$2" "http://engine/$3") || return 1
  status=${reply##*"$newline"} body=${reply%"$newline"*}
}

engine_is_active() { /usr/bin/systemctl -q is-active docker.service; }

# await_engine: returns when docker.service is active, without ever touching its socket. Of all that wait on a host one
# asks systemd, the others wait for its lock.
await_engine() {
  engine_is_active && return
  exec 9> "${dir%/*/*}/engine-away.lock"
  /usr/bin/flock 9
  until engine_is_active; do /usr/bin/sleep 1; done
  exec 9>&-
}

# is_ours JSON: whether an inspected container is this id's. Quotes inside JSON strings are escaped, so no value can forge a key.
is_ours() { case $1 in *"\"gear.id\":\"$id\""*) ;; *) return 1 ;; esac; }

# field KEY: a value of the State object of the inspected container.
field() {
  value=${inspected#*'"State":{'}
  value=${value#*"\"$1\":"}
  value=${value%%[,\}]*}
  value=${value#\"}
  echo "${value%\"}"
}

# read_id: the engine's id of the container that docker-start ran; empty before that.
read_id() {
  container=''
  if [ -e "$dir/container-id" ]; then read -r container < "$dir/container-id" || :; fi
}

# is_alive: whether the container's first process runs, asked of the kernel (for when the engine cannot be asked).
is_alive() {
  [ -s "$dir/pid" ] && read -r pid < "$dir/pid" && [ -n "$container" ] && grep -qs "$container" "/proc/$pid/cgroup"
}

# read_failures: sets failures to how often in a row the container ended without being asked to.
read_failures() {
  failures=''
  if [ -e "$dir/failures" ]; then read -r failures < "$dir/failures" || :; fi
  case $failures in '' | *[!0-9]*) failures=0 ;; esac
}
