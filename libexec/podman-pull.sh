# shellcheck shell=sh
# How podman pulls, for pull-image. It has no terminal, on which it would draw how far it is; the kernel tells how much its process has read and written.
# shellcheck disable=SC2034,SC2154 # pull-image sets variables, and pull-watch.sh reads them
ending=-TERM
reason_behind=engine-away behind_whom='another podman has the locks of its storage (see: ps -fC podman)'

# start_pull IMAGE: what it has fetched and not yet put into its storage stays when it is killed, so it goes into the folder of the pull.
start_pull() {
  if ! grep -qs '^ *image_copy_tmp_dir' /etc/containers/containers.conf /etc/containers/containers.conf.d/*; then export TMPDIR="$work"; fi
  # Only in its notes for developers does it say that a registry wants it to wait.
  exec /usr/bin/podman --events-backend=none --log-level=debug ${address:+--url "$address"} pull "$1" 2>&1
}

# read_pull: says each stage of each layer, and keeps what went wrong.
read_pull() {
  while IFS= read -r line; do
    case $line in
      'time="'*' level=debug msg="Too many requests to '*': sleeping for '*) wait_for_registry "${line##*: sleeping for }"; continue ;;
      'time="'*' level=debug '* | 'time="'*' level=info '*) continue ;;
      'time="'*'Failed, retrying in '*) if is_limited "$line"; then verdict rate-limited "$limited"; fi ;;
      'Error: '*) printf '%s\n' "$line" >> "$work/error" ;;
    esac
    say "$line"
    rm -f "$work/limited"
    printf '%s\n' "$line" > "$work/last"
  done
}

# wait_for_registry SECONDS…: podman would try six times, each time waiting for twice as long, and all of that four times.
wait_for_registry() {
  seconds=${1%%[!0-9]*}
  : > "$work/limited"
  if [ "${seconds:-60}" -ge 8 ]; then verdict rate-limited "$limited"; return; fi
  say "$limited: podman tries again in $seconds s"
}

is_limited() {
  case $1 in *toomanyrequests* | *'Too Many Requests'* | *'too many requests'*) ;; *) return 1 ;; esac
}

# is_measurable: a podman elsewhere tells its client nothing of the bytes.
is_measurable() { [ -z "$address" ]; }

# measure: sets amount to the kilobytes that it, and those it has started, have read and written.
measure() {
  amount=0 puller=''
  if [ -s "$work/puller" ]; then read -r puller < "$work/puller" || :; fi
  for process in $puller $(cat "/proc/$puller"/task/*/children 2> /dev/null); do
    while read -r key value; do
      case $key in rchar: | wchar:) amount=$((amount + value / 1000)) ;; esac
    done 2> /dev/null < "/proc/$process/io" || :
  done
}

# is_behind: it waits for a lock of another process.
is_behind() { grep -qsE -e "-> +POSIX +ADVISORY +[A-Z]+ +$puller " /proc/locks; }
engine_answers() { :; }
tidy() { sed -e 's/^Error: //' -e 's/storing blob to file "[^"]*": //'; }

# other_name IMAGE MESSAGE: a name without a registry means Docker Hub, as it does on docker, unless podman is set up to search elsewhere.
other_name() {
  case $1/$2 in docker.io/*) return 1 ;; */'short-name '*'no unqualified-search registries'*) echo "docker.io/$1" ;; *) return 1 ;; esac
}

reason_of() {
  if is_limited "$1"; then echo rate-limited; return; fi
  case $1 in
    *'manifest unknown'* | *'name unknown'* | *'requested access to the resource is denied'*) echo image-missing ;;
    *) echo pull-failed ;;
  esac
}
