# shellcheck shell=sh
# The bound of a pull: it may take as long as it likes, as long as it advances. One of which next to nothing comes for GEARD_PULL_STALL_SECONDS (300; 0 for no
# bound) of /etc/default/gear is ended. How far it is, measure tells, which is the engine's (docker-pull.sh, podman-pull.sh).
# shellcheck disable=SC2154 # pull-image sets the variables

# A byte now and then is no progress: in kB for each interval of the bound.
least=64
limited='too many requests (429)'

find_bound() {
  bound=$(sed -n 's/^GEARD_PULL_STALL_SECONDS="\{0,1\}\([0-9]\{1,6\}\)"\{0,1\} *$/\1/p' /etc/default/gear 2> /dev/null | tail -n 1) || :
  bound=${bound:-300}
  while [ "$bound" != 0 ] && [ "${bound#0}" != "$bound" ]; do bound=${bound#0}; done # not octal
}

# watch_pull: runs beside the pull until it is ended, or ends it.
watch_pull() {
  trap '[ -z "$waiting" ] || kill "$waiting" 2> /dev/null; exit 0' TERM
  is_measurable || bound=0
  if [ "$bound" = 0 ]; then pause=5; else pause=$(((bound + 59) / 60)); fi
  quiet=0 mark=0 unsaid=yes since=60
  while interruptibly /usr/bin/sleep "$pause"; do
    measure
    since=$((since + pause))
    if [ "$amount" -ge $((mark + least)) ]; then
      mark=$amount quiet=0 unsaid=yes
      if [ "$since" -ge 60 ]; then extend_start; since=0; fi
      continue
    fi
    quiet=$((quiet + pause))
    [ "$bound" != 0 ] || continue
    longest=$bound
    if is_behind; then longest=$((bound * 6)); fi
    if [ "$quiet" -ge "$longest" ]; then tell_stall; return; fi
    if [ -n "$unsaid" ] && [ "$quiet" -ge $((bound / 5)) ]; then
      say "nothing has come for $quiet s; the pull is ended after $longest s"
      unsaid=''
    fi
  done
}

# extend_start: the time that systemd gives a start begins anew while its pull advances.
extend_start() {
  [ -z "$notify_socket" ] || NOTIFY_SOCKET=$notify_socket /usr/bin/systemd-notify EXTEND_TIMEOUT_USEC=1800000000 || :
}

tell_stall() {
  last=''
  if [ -s "$work/last" ]; then read -r last < "$work/last" || :; fi
  if [ -e "$work/limited" ]; then verdict rate-limited "$limited"
  elif is_behind; then verdict "$reason_behind" "$behind_whom, for $quiet s by now"
  elif ! engine_answers; then verdict engine-away "$engine does not answer"
  else verdict pull-stalled "next to nothing has come for $quiet s${last:+; the last was: $last}"
  fi
}

# end_pull: the client is told to end, and killed if it does not.
end_pull() {
  read -r puller 2> /dev/null < "$work/puller" || return 0
  kill "$ending" "$puller" 2> /dev/null || return 0
  tries=50
  while kill -0 "$puller" 2> /dev/null; do
    if [ "$tries" = 0 ]; then kill -KILL "$puller" 2> /dev/null || :; return; fi
    tries=$((tries - 1))
    /usr/bin/sleep 0.1
  done
}
