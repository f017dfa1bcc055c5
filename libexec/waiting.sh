# shellcheck shell=sh
# Waiting that a signal ends at once, for the helpers that run as long as a start or a container does.
waiting=''

# interruptibly COMMAND…: runs it so that a trap of the caller need not wait for its end, as the shell otherwise does; waiting holds its pid.
interruptibly() {
  "$@" &
  waiting=$!
  wait "$waiting" || { waiting=''; return 1; }
  waiting=''
}
