# shellcheck shell=sh
# What the cleanup helpers of both engines share: the record of how a container ended, and the count of its failures.
# shellcheck disable=SC2154 # common.sh and the helper set the variables

# record: last-exit, from what the engine (describe, in the helper) and systemd know, or from what the start helper said when it
# failed. A start that was called off before there was a container leaves the record of the run before.
record() {
  if [ ! -e "$dir/last-exit.new" ]; then
    [ -n "$container" ] || [ "$reason" = start-timeout ] || return 0
    { describe; echo "Reason=$reason"; } > "$dir/last-exit.new"
  fi
  { [ -z "$container" ] || echo "Container=$container"
    echo "Result=${SERVICE_RESULT-}"; } >> "$dir/last-exit.new"
  mv "$dir/last-exit.new" "$dir/last-exit"
}

# describe_unseen: what the main process passed on, for an end of which the engine knows nothing.
describe_unseen() {
  [ "$reason" != exited ] || echo "ExitCode=${EXIT_STATUS-}"
  date -u +FinishedAt=%Y-%m-%dT%H:%M:%SZ
}

describe_code() { # CODE
  echo "ExitCode=$1"
  [ "$1" -le 128 ] || echo "Signal=$(($1 - 128))"
}

# count: how often in a row the container ended without being asked to. A minute's run counts as a good one; an engine that went
# away counts for nothing. The file's existence tells the next start to ask whether it is an automatic one.
count() {
  read_failures
  if grep -qs '^Reason=engine-away$' "$dir/last-exit"; then :
  elif [ -n "$(find "$dir/container-id" -mmin +1 2> /dev/null)" ]; then failures=1
  else failures=$((failures + 1))
  fi
  echo "$failures" > "$dir/failures"
}

# tidy_later HELPER: what is left of the container goes as soon as the engine answers again, unless a start is faster.
tidy_later() {
  /usr/bin/systemctl -q is-active "gear-tidy-$id.service" || /usr/bin/systemd-run --quiet --no-block --collect --unit="gear-tidy-$id" "${0%/*}/$1" "$id" ||
    say 'the container stays until its next start'
}

# linger: what is between two looks of a helper that tidies up. An engine that was restarted is back within seconds; after an hour nobody looks any more.
linger() {
  waited=${waited:-0}
  if [ "$waited" -ge 3600 ]; then
    say "what is left of its container stays until it is started or deleted: in an hour the engine did not let it go${problem:+: $problem}"
    exit 1
  fi
  if [ "$waited" -lt 60 ]; then pause=5; else pause=60; fi
  waited=$((waited + pause))
  /usr/bin/sleep "$pause"
}

# is_at_rest: whether nobody has started the unit since.
is_at_rest() {
  case $(/usr/bin/systemctl show -P ActiveState "ctr-$id.service") in inactive | failed | deactivating) ;; *) return 1 ;; esac
}

# finish RESULT…: RESULT are those of systemd's results with which a requested stop has ended well. The start limit is for crashes, so
# starts between requested stops do not count; and reset-failed at this point makes a unit that is being stopped end inactive.
finish() {
  if [ "$reason" = stopped ]; then
    rm -f "$dir/failures"
    case " $* " in *" ${SERVICE_RESULT-} "*) /usr/bin/systemctl reset-failed "ctr-$id.service" || : ;; esac
  else
    count
  fi
  rm -f "$dir/container-id" "$dir/pid" "$dir/conmon-pid" "$dir/ready" "$dir/stopping" \
    "$dir/links-applied" "$dir/volumes.lock" "$dir/call" "$dir/no-answer" "$dir/odd-image"
}
