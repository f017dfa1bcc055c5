# shellcheck shell=sh disable=SC2034,SC2154 # inside-init.sh follows, and isolate.sh puts uid, gid, user and the paths of volumes before
# The user of the image and the rows of passwd and group, for a container with an account of its own. It runs inside the container, as root, under
# whatever shell the image has; uid and gid are the account's, user is the image's USER.
set -eu
image_path=${PATH-}
PATH=/usr/sbin:/usr/bin:/sbin:/bin

refuse() { echo "gear: cannot run as user $uid: $*" >&2; exit 125; }
has() { command -v "$1" > /dev/null 2>&1; }

# look FILE KEY VALUE: sets first to seventh, the fields of the first row whose name or number it is.
look() {
  [ -e "$1" ] || return 1
  while IFS=: read -r first second third fourth fifth sixth seventh || [ -n "$first" ]; do
    case $2 in name) [ "$first" != "$3" ] || return 0 ;; *) [ "$third" != "$3" ] || return 0 ;; esac
  done < "$1"
  return 1
}

# find_row FILE VALUE: by name, or by number when it is one.
find_row() {
  look "$1" name "$2" && return
  case $2 in '' | *[!0-9]*) return 1 ;; *) look "$1" number "$2" ;; esac
}

# rewrite FILE NAME ROW: the row of NAME becomes ROW. The file stays the same one, with its owner and mode.
rewrite() {
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in "$2:"*) line=$3 ;; esac
    printf '%s\n' "$line"
  done < "$1" > "$1.gear"
  cat "$1.gear" > "$1"
  rm "$1.gear"
}

# find_user: sets name, home, old_uid and old_gid of the image's user; fails when it has none, which is what root counts as.
find_user() {
  group='' name='' home=/
  case $user in *:*) group=${user#*:} user=${user%%:*} ;; esac
  if [ -z "$user" ] && look /etc/passwd name container; then user=container; fi
  [ -n "$user" ] || return 1
  if find_row /etc/passwd "$user"; then name=$first home=$sixth old_uid=$third old_gid=$fourth
  else
    case $user in *[!0-9]*) refuse "the image's user $user is not in its /etc/passwd" ;; esac
    old_uid=$user old_gid=0
  fi
  if [ "$old_uid" = 0 ]; then
    user=''
    find_user
    return
  fi
  [ -n "$group" ] || return 0
  if find_row /etc/group "$group"; then old_gid=$third
  else
    case $group in *[!0-9]*) refuse "the image's group $group is not in its /etc/group" ;; esac
    old_gid=$group
  fi
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
