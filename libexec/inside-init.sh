# shellcheck shell=sh disable=SC2154 # inside-rows.sh, inside-user.sh and inside-mounts.sh come before
# Makes a container's user that of its account on the host, and then runs the image's command as it. The arguments are the paths of volumes.

# shellcheck disable=SC2016 # for the shells that find starts
give='IFS=$newline
set -f
for file; do
  shift
  case $places in *"$IFS$file$IFS"*) continue ;; esac
  for place in $inner; do
    case $file in "$place"/*) continue 2 ;; esac
  done
  set -- "$@" "$file"
done
[ $# = 0 ] || exec chown -h "$0" "$@"'

# own PATH OWNER TEST…: what the test is true of below the path, on the same file system, gets the owner.
own() {
  root=$1 owner=$2
  shift 2
  look_inside "$root"
  newline=$newline places=$places inner=$inner find "$root" -xdev "$@" -exec sh -c "$give" "$owner" {} + || echo "gear: not everything in $root could be given to $owner" >&2
}

# become: the image's user gets the numbers of the account, and keeps its files. A user of group 0 keeps that beside its own.
become() {
  if [ -z "$name" ]; then :
  elif ! has usermod; then rewrite /etc/passwd "$name" "$name:$second:$uid:$gid:$fifth:$sixth:$seventh"
  elif [ "$old_uid" != "$uid" ]; then usermod -o -u "$uid" "$name"
  fi
  [ "$old_uid" = "$uid" ] || own / "$uid" -user "$old_uid"
  case $old_gid in 0) groups=0; return ;; "$gid") return ;; esac
  if ! look /etc/group number "$old_gid"; then :
  elif has groupmod; then groupmod -o -g "$gid" "$first"
  else rewrite /etc/group "$first" "$first:$second:$gid:$fourth"
  fi
  own / ":$gid" -group "$old_gid"
}

groups=''
if find_user; then
  if [ -z "$name" ] || look /etc/passwd name "$name"; then become; fi
else make_user
fi
# The other groups that the user is in.
if [ -n "$name" ] && [ -e /etc/group ]; then
  while IFS=: read -r _ _ number members; do
    case ,$members, in *",$name,"*) groups=$groups${groups:+,}$number ;; esac
  done < /etc/group
fi
for path; do
  if [ ! -d "$path" ] || [ -L "$path" ]; then continue; fi
  path=$(cd "$path" && pwd -P)
  if is_of_host "$path"; then continue; fi
  chown "$uid:$gid" "$path"
  own "$path" "$uid:$gid" \( ! -user "$uid" -o ! -group "$gid" \)
done
# /dev/stdout and /dev/stderr can be opened by whom they belong to.
for fd in 1 2; do if [ -p "/proc/$$/fd/$fd" ]; then chown "$uid" "/proc/$$/fd/$fd"; fi; done
if look /etc/passwd number 0 && [ "${HOME-/}" = "$sixth" ]; then export HOME="$home"; fi

# run TOOL ARGUMENT…: in the place of this shell, with the image's own PATH.
run() {
  tool=$(command -v "$1") && shift
  PATH=$image_path
  exec "$tool" "$@"
}

# What changes the user is tried out, since busybox's ways differ, and stays out of the way of signals. The su of util-linux does not.
set -- setpriv "--reuid=$uid" "--regid=$gid" "${groups:+--groups=}${groups:---clear-groups}"
if "$@" /bin/sh -c : 2> /dev/null; then run "$@" /.container.init/container-cmd.sh; fi
set -- chroot --skip-chdir "--userspec=$uid:$gid" "--groups=$groups" /
if "$@" /bin/sh -c : 2> /dev/null; then run "$@" /.container.init/container-cmd.sh; fi
has su || refuse 'the image has neither setpriv, nor chroot of coreutils, nor su'
if [ -z "$name" ]; then # it knows names only
  name=user-$uid
  echo "$name:x:$uid:$gid::/:/bin/sh" >> /etc/passwd
fi
run su -s /.container.init/container-cmd.sh "$name"
