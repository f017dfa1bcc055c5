# shellcheck shell=sh
# The docker engine of this host: its CLI, its socket, and whether it is there.
# shellcheck disable=SC2034,SC2154 # common.sh sets variables, the helpers read them
socket=/run/docker.sock inspected=''
engine_name=docker engine_address=unix://$socket

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

# discard NAME: the container goes with its volumes, if it is there. One that is going already is no failure.
discard() {
  engine 30 DELETE "containers/$1?force=true&v=true" || return 1
  case $status in 204 | 404 | 409) ;; *) return 1 ;; esac
}

engine_is_active() { /usr/bin/systemctl -q is-active docker.service; }

# engine_answers: to a question for which it asks containerd as well.
engine_answers() { engine 10 GET info; }

# await_engine: returns when docker.service is active, without ever touching its socket. Of all that wait on a host one
# asks systemd, the others wait for its lock. The caller has waiting.sh.
await_engine() {
  engine_is_active && return
  umask 077 # whoever may read a file may hold its lock, and no user of the host is to keep a container from starting
  exec 9> "$run/engine-away.lock"
  umask 022
  interruptibly /usr/bin/flock 9
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
