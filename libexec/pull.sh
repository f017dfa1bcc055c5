# shellcheck shell=sh
# Pulling, for the start helpers and for jobs. What is told meanwhile, a line for each layer and stage, goes to the journal: whoever waits for the start sees it there.
# shellcheck disable=SC2154 # common.sh, the engine's own file and the helper set the variables

# fetch IMAGE: sets reason and message when it fails.
fetch() {
  say "pulling $1"
  if interruptibly /usr/bin/env NOTIFY_SOCKET="${notify_socket-}" "${0%/*}/pull-image" "$engine_name" "$1" ${engine_address:+"$engine_address"} > "$dir/pull-result"; then
    rm "$dir/pull-result"
    return
  fi
  reason='' message=''
  read -r reason message < "$dir/pull-result" || :
  rm "$dir/pull-result"
  [ -n "$reason" ] || { reason=pull-failed message='what was to pull it was killed'; }
  return 1
}

pull() { fetch "$1" || fail "$reason" "$message"; }
