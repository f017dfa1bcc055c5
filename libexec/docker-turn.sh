# shellcheck shell=sh
# When a start may go ahead, for docker-start. A requested start goes at once. An automatic restart waits while docker is away, so
# that no start is spent and an engine that an administrator stopped stays stopped; and it backs off (0, 1, 2, 4, … 30 s,
# since systemd 252 has one fixed RestartSec) while the container keeps failing.
# shellcheck disable=SC2154 # common.sh sets the variables

await_turn() {
  [ -e "$dir/failures" ] || return 0
  if is_requested; then rm "$dir/failures"; return; fi
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

# is_requested: systemd counts the automatic restarts since a start was last requested, or reset-failed was.
is_requested() {
  [ "$(/usr/bin/systemctl show -P NRestarts "ctr-$id.service")" = 0 ]
}

# back_off FAILURES: reset-failed ends the wait (a requested start merges into the running one, which nobody can see from here).
back_off() {
  case $1 in
    0 | 1) return ;;
    2 | 3 | 4 | 5 | 6) seconds=$((1 << ($1 - 2))) ;;
    *) seconds=30 ;;
  esac
  say "ended $1 times in a row: next start in $seconds s"
  while [ "$seconds" -gt 0 ] && ! is_requested; do
    /usr/bin/sleep 1
    seconds=$((seconds - 1))
  done
}
