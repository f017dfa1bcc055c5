# shellcheck shell=sh
# What a container of docker has at a path, as its API tells it when it is asked for the head of an archive: docker looks and does not open, so nothing makes it wait.
# shellcheck disable=SC2034,SC2154 # image-tools.sh and common.sh set variables, image-files.sh reads them

show_files() { :; }
hide_files() { :; }

# look_at PATH: sets kind to file, or to what it is instead, and size in bytes; kind is empty when nothing is there. A link is what it leads to within the image.
look_at() {
  tell "$1" || return 1
  [ "$kind" = link ] || return 0
  target=${told#*'"linkTarget":"'} target=${target%%\"*}
  case $target in *\\*) kind='an odd link'; return ;; esac
  tell "$target" || return 1
  case $kind in '' | link) kind='a link to nothing' ;; esac
}

# tell PATH: the bits of mode are those of Go's os.FileMode.
tell() {
  kind='' size=0
  head=$(OPENSSL_CONF=/dev/null /usr/bin/curl -q -s -m 10 -I -G --unix-socket "$socket" --data-urlencode "path=$1" "http://engine/containers/$asked/archive") ||
    { problem='docker does not answer on its socket'; return 1; }
  case $head in
    *' 200 '*) ;;
    *' 404 '*) return ;;
    *) problem="docker could not say what $1 is"; return 1 ;;
  esac
  told=$(printf '%s\n' "$head" | sed -n 's/^x-docker-container-path-stat: *\([A-Za-z0-9+/=]*\).*/\1/Ip' | base64 -d) || told=''
  size=${told#*'"size":'} size=${size%%[!0-9]*}
  mode=${told#*'"mode":'} mode=${mode%%[!0-9]*}
  if [ -z "$size" ] || [ -z "$mode" ]; then problem="docker did not say what $1 is"; return 1; fi
  if [ $((mode & 1 << 31)) != 0 ]; then kind='a directory'
  elif [ $((mode & 1 << 27)) != 0 ]; then kind='link'
  elif [ $((mode & 1 << 26)) != 0 ]; then kind='a device'
  elif [ $((mode & 1 << 25)) != 0 ]; then kind='a fifo'
  elif [ $((mode & (1 << 24 | 1 << 19))) != 0 ]; then kind='something that is no file'
  else kind='file'
  fi
}
