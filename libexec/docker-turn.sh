# shellcheck shell=sh
# When a start may go ahead, for docker-start. A requested start goes at once. An automatic restart waits while docker is away, so
# that no start is spent and an engine that an administrator stopped stays stopped; and it backs off while the container keeps failing.
# shellcheck disable=SC2154 # common.sh sets the variables

await_turn() {
  if is_first; then return; fi
  if ! engine_is_active; then
    say 'waiting for docker.service to come back'
    await_engine
  fi
  if grep -qs '^Reason=engine-away$' "$dir/last-exit"; then
    # Not the container's fault: it must not count against the start limit.
    /usr/bin/systemctl reset-failed "ctr-$id.service"
    return
  fi
  read_failures
  back_off "$failures"
}
