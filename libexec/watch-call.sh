# shellcheck shell=sh
# The call of an engine that runs a container, for the start helpers of both: it is waited for as long as something may come of it.
# shellcheck disable=SC2034,SC2154 # common.sh and the start helpers set and read the variables

# watched COMMAND…: a call of the engine in the foreground, which comes to its end when the start is called off, since the engine would go on with it. One
# that takes long is ended when the engine (engine_answers) does not answer others either. Prints what it says; fails with $dir/no-answer then.
watched() {
  : > "$dir/call"
  watch_call > /dev/null 2>&1 &
  watcher=$!
  called=0
  (read -r call _ < /proc/self/stat; echo "$call" > "$dir/call"; exec "$@" 3>&1 > /dev/null 2>&3 3>&-) || called=$?
  kill "$watcher" 2> /dev/null || :
  wait "$watcher" || :
  return "$called"
}

watch_call() {
  trap 'kill "$waiting" 2> /dev/null; exit 0' TERM
  interruptibly /usr/bin/sleep 30
  until is_stuck; do interruptibly /usr/bin/sleep 15; done
  : > "$dir/no-answer"
  until read -r call < "$dir/call" && kill -KILL "$call"; do /usr/bin/sleep 1; done
}

# suspect: whether the image has something for a file on which its engine waits for ever (image-files.sh), or may; then odd-image says what.
suspect() {
  odd='' patience=5
  name_asked
  if make_asked "$image_name" > /dev/null 2>&1; then
    find_odd || :
    forget_asked || :
  fi
  patience=''
  [ -n "$odd" ] && echo "the image $image_name has $odd" > "$dir/odd-image"
}

# refuse_stuck MESSAGE: ends the start when the call was ended.
refuse_stuck() {
  if [ -e "$dir/odd-image" ]; then fail image-refused "$(cat "$dir/odd-image")"; fi
  if [ -e "$dir/no-answer" ]; then fail engine-away "$1"; fi
}
