# shellcheck shell=sh disable=SC2034 # inside-user.sh and inside-init.sh follow
# The rows of the image's passwd and group, and the numbers in them, for a container with an account of its own. Runs inside the container.

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

# plain VALUE: sets number to it without zeros before it, with which find and chown would mean somebody else; refuses what is nobody's number.
plain() {
  number=$1
  while :; do case $number in 0?*) number=${number#0} ;; *) break ;; esac; done
  case $number in '' | *[!0-9]* | ???????????*) ;; *) [ "$number" -gt 4294967294 ] || return 0 ;; esac
  refuse "the image's user has the number '$1', which nobody can have"
}
