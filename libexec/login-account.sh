# shellcheck shell=sh
# The accounts by which people log in over SSH, read from /etc/passwd alone: those of containers (ctr-ID, named "Container user") and of
# repositories (git-ID, named "Repository user"). Sourced by what sshd and sudo run, so nothing here trusts a variable from outside.
# shellcheck disable=SC2034 # the variables are for those who source this

say() { printf '%s\n' "$*" >&2; }

# find_account LOGIN: sets uid, gid, home, kind (container or repository), id, its partition, and base, the folder of the state, which an
# administrator may have moved (GEARD_BASE_PATH): homes are in it, and only root writes them into /etc/passwd, where on many systems everybody may change
# the own full name. Fails with 2 when there is no such account, with 1 when it is not one of these.
find_account() {
  uid='' gid='' gecos='' home='' kind='' id=''
  case $1 in '' | *[!A-Za-z0-9_.-]*) return 2 ;; esac
  # A dot in the login matches any character here, so more than one line may come; a loop over the whole file would be slow.
  while IFS=: read -r name _ number group comment folder _; do
    [ "$name" != "$1" ] || { uid=$number gid=$group gecos=${comment%%,*} home=$folder; break; }
  done <<END
$(grep "^$1:" /etc/passwd)
END
  [ -n "$uid" ] || return 2
  case $1/$gecos in
    ctr-*/'Container user') kind=container id=${1#ctr-} ;;
    git-*/'Repository user') kind=repository id=${1#git-} ;;
    *) return 1 ;;
  esac
  case $uid/$id in
    0/* | *[!0-9]*/* | */[!A-Za-z0-9]* | */*[!A-Za-z0-9_.-]* | */ | */? | */?? | */???) return 1 ;;
  esac
  partition=${id%"${id#??}"}
  case $kind in container) base=${home%"/home/$partition/$id/home"} ;; *) base=${home%"/git-home/$partition/$id/home"} ;; esac
  case $base in "$home" | [!/]* | '') return 1 ;; esac
}
