# shellcheck shell=sh
# What the start helpers of both engines share: how a start fails, and how an automatic restart backs off.
# shellcheck disable=SC2154 # common.sh sets the variables

# The engines' command lines live for a moment: collecting garbage below 32 MB would only cost them time (a twentieth of a start). What runs in
# the container does not see it.
export GOGC=800

# fail REASON MESSAGE: ends the start. The cleanup helper makes it the last-exit. A message may be an image's or a registry's, of any length and with lines of their choice.
fail() {
  message=$(printf %.2000s "$2") && join_lines
  say "$message"
  if [ "$1" = engine-away ]; then : > "$dir/no-answer"; fi # the cleanup does not wait for it again
  { date -u +FinishedAt=%Y-%m-%dT%H:%M:%SZ; printf 'Reason=%s\nMessage=%s\n' "$1" "$message"; } > "$dir/last-exit.new"
  exit 1
}

# is_requested: systemd counts the automatic restarts since a start was last requested, or reset-failed was.
is_requested() {
  [ "$(/usr/bin/systemctl show -P NRestarts "ctr-$id.service")" = 0 ]
}

# is_first: whether the container has not failed, or the start was requested: nothing speaks against starting at once.
is_first() {
  [ -e "$dir/failures" ] || return 0
  is_requested || return 1
  rm "$dir/failures"
}

# back_off FAILURES: 0, 1, 2, 4, … 30 s, since systemd 252 has one fixed RestartSec. reset-failed ends the wait (a requested start merges
# into the running one, which nobody can see from here).
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

# join_lines: message as one line.
join_lines() {
  message=$(printf '%s\n' "$message" | tr -s '\n\t ' ' ')
  message=${message% }
}

# refuse_odd_volumes PID COMMAND…: ends the start, with COMMAND to remove the container, when the image names a path for a volume that ID-data could not
# hold: with a line break, a colon or a backslash. The kernel tells where the volumes are, in the time that asking the engine for its image would take many times.
refuse_odd_volumes() {
  grep -qsE '/[0-9a-f]{64}/_data [^ ]*(:|\\012|\\134)' "/proc/$1/mountinfo" || return 0
  shift
  "$@" > /dev/null 2>&1 || :
  fail volume-path 'its image has a VOLUME whose path has a line break, a colon or a backslash'
}
