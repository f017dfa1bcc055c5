# shellcheck shell=sh
# Ending a container whose engine is away or does not answer (live-restore, a hung dockerd): its first process is signalled as the
# engine would. The shim that holds it tells the engine later.
# shellcheck disable=SC2154 # common.sh sets the variables

kill_directly() {
  is_alive || return 0
  say 'docker does not answer: ending the container without it'
  kill -TERM "$pid"
  seconds=10
  while is_alive; do
    if [ "$seconds" = 0 ]; then kill -KILL "$pid"; fi
    [ "$seconds" -gt -5 ] || { say "process $pid of the container does not end"; return 1; }
    /usr/bin/sleep 1
    seconds=$((seconds - 1))
  done
}
