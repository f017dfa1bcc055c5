# shellcheck shell=sh
# How much the files of a container's account may take, for the start helpers: a quota of the user on the file systems of the engine's storage (its
# own files and its volumes) and of its home. Where a file system has no quotas the container runs all the same, and $dir/quota says so.
# shellcheck disable=SC2154 # common.sh and the start helpers set variables, and have find_storage

# limit_files UID =BYTES: without bytes no quota, and one of an earlier install is lifted.
limit_files() {
  bytes=${2#=}
  rm -f "$dir/quota"
  if [ -z "$bytes" ] && [ ! -x /usr/sbin/setquota ]; then return; fi
  storage=$(find_storage) || { not_enforced "the engine does not say where its storage is: $storage"; return; }
  done=''
  for folder in "$storage" "$base"; do
    mount=$(stat -c %m "$folder" 2>&1) || { not_enforced "$mount"; continue; }
    if [ "$mount" = "$done" ]; then continue; fi
    done=$mount
    if problem=$(set_quota "$1" "${bytes:-0}" "$mount" 2>&1); then
      [ -z "$bytes" ] || echo enforced > "$dir/quota"
    elif [ -n "$bytes" ]; then
      not_enforced "$problem"
      return
    fi
  done
}

set_quota() {
  [ -x /usr/sbin/setquota ] || { say 'setquota of the package quota is not installed'; return 1; }
  /usr/sbin/setquota -u "$1" 0 "$((($2 + 1023) / 1024))" 0 0 "$3"
}

not_enforced() {
  say "its quota is not enforced: $(printf '%s' "$1" | tr -s '\n' ' ')"
  printf 'not enforced: %s\n' "$(printf '%s' "$1" | tr -s '\n' ' ')" > "$dir/quota"
}
