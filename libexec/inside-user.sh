# shellcheck shell=sh disable=SC2034,SC2154 # inside-rows.sh comes before and inside-init.sh after it; isolate.sh puts uid, gid, user and the paths of volumes before them
# The user of the image, for a container with an account of its own. It runs inside the container, as root, under
# whatever shell the image has; uid and gid are the account's, user is the image's USER.
set -eu
image_path=${PATH-}
PATH=/usr/sbin:/usr/bin:/sbin:/bin

refuse() { echo "gear: cannot run as user $uid: $*" >&2; exit 125; }
for file in /etc/passwd /etc/group; do
  # One that is mounted over the image's. Nobody waits on a fifo.
  if [ -e "$file" ] && [ ! -f "$file" ]; then refuse "its $file is no file"; fi
done
has() { command -v "$1" > /dev/null 2>&1; }

# find_user: sets name, home, old_uid and old_gid of the image's user; fails when it has none, which is what root counts as.
find_user() {
  group='' name='' home=/
  case $user in *:*) group=${user#*:} user=${user%%:*} ;; esac
  if [ -z "$user" ] && look /etc/passwd name container; then user=container; fi
  [ -n "$user" ] || return 1
  case $user in *[!0-9]*) ;; *) look /etc/passwd name "$user" || { plain "$user"; user=$number; } ;; esac
  if find_row /etc/passwd "$user"; then name=$first home=$sixth old_uid=$third old_gid=$fourth
  else
    case $user in *[!0-9]*) refuse "the image's user $user is not in its /etc/passwd" ;; esac
    old_uid=$user old_gid=0
  fi
  plain "$old_uid"
  old_uid=$number
  if [ "$old_uid" = 0 ]; then
    [ "$user" != container ] || return 1
    user=''
    find_user
    return
  fi
  if [ -z "$group" ]; then :
  elif find_row /etc/group "$group"; then old_gid=$third
  else
    case $group in *[!0-9]*) refuse "the image's group $group is not in its /etc/group" ;; esac
    old_gid=$group
  fi
  plain "$old_gid"
  old_gid=$number
}

# make_user: sets name and home. Somebody of the image may have the number already; then that is the user.
make_user() {
  if ! look /etc/passwd number "$uid"; then
    mkdir -p /home
    if look /etc/group number "$gid"; then :
    elif has groupadd; then groupadd -g "$gid" container
    else addgroup -g "$gid" container
    fi
    look /etc/group number "$gid" || refuse "the image's tools did not make the group $gid"
    if has useradd; then useradd -l -m -u "$uid" -g "$gid" -s /bin/sh container
    else adduser -D -u "$uid" -G "$first" -s /bin/sh container
    fi
    look /etc/passwd number "$uid" || refuse "the image's tools did not make the user $uid"
  fi
  name=$first home=$sixth
}
