# shellcheck shell=sh
# Who ended the container, for docker-wait: the application, whose exit code counts, or the engine, which owes it a new start. An exit code
# does not tell: an application that is shut down well exits with 0. Each function ends the waiter through lost when it was the engine.
# shellcheck disable=SC2154 # common.sh and docker-wait set the variables
outlived=''

# ask_engine: returns when there is an engine to ask. One that is on its way down or up ended the container itself; one that had been away
# for a while when the container ended did not (live-restore), and how it ended is worth waiting for.
ask_engine() {
  state=$(/usr/bin/systemctl is-active docker.service) && return
  case $state in inactive | failed)
    away=$(/usr/bin/systemctl show -P InactiveEnterTimestampMonotonic docker.service)
    read -r now _ < /proc/uptime
    if [ $((${now%.*} - away / 1000000)) -gt 3 ]; then outlived=yes; await_engine; return; fi
  esac
  lost "docker is $state and ended the container"
}

# look_again: until the engine has noticed the end too. After a docker restart by hand the container runs with another pid.
look_again() {
  looks=0
  until find_container && ! is_running; do
    learn_pid
    if is_alive; then relink; return; fi
    looks=$((looks + 1))
    [ "$looks" -lt 20 ] || lost 'docker does not say how the container ended'
    /usr/bin/sleep 0.5
  done
}

# relink: the container has another network namespace, without its links.
relink() {
  [ ! -s "$base/ports/links/$partition/$id" ] || /usr/bin/systemctl --no-block restart "gear-links@$id.service" || say 'its links could not be applied again'
}

# ended_by_engine: whether the engine of now became active after the end. Then the one before ended the container when it was stopped, or
# this one did when it started and found it running (without live-restore).
ended_by_engine() {
  [ -z "$outlived" ] || return 1
  active=$(/usr/bin/systemctl show --timestamp=us+utc -P ActiveEnterTimestamp docker.service)
  [ "$(date -d "$(field FinishedAt)" +%s%N)" -lt "$(date -d "$active" +%s%N)" ]
}
