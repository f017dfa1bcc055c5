# shellcheck shell=sh
# Pulling, for podman-start.
# shellcheck disable=SC2154 # common.sh and podman-run.sh set the variables

# pull IMAGE: a name without a registry means Docker Hub, as it does on docker, unless podman is set up to search elsewhere.
pull() {
  image=$1
  say "pulling $image"
  until pull_once "$image"; do
    case $message in
      'short-name '*'no unqualified-search registries'*) image=docker.io/$1 ;;
      *'manifest unknown'* | *'name unknown'* | *'requested access to the resource is denied'*) fail image-missing "$message" ;;
      *) fail pull-failed "$message" ;;
    esac
  done
}

# pull_once IMAGE: it can be called off; without a reader podman ends.
pull_once() {
  /usr/bin/podman --events-backend=none pull "$1" 2>&1 | pass_on > "$dir/pull-error" &
  waiting=$!
  wait "$waiting"
  waiting=''
  message=$(head -c 10000 "$dir/pull-error")
  rm "$dir/pull-error"
  [ -n "$message" ] || return 0
  tidy_message
  return 1
}

# pass_on: the progress, a line per layer and stage, to the journal, where whoever waits for the start sees it; prints what went wrong.
pass_on() {
  while IFS= read -r line; do
    say "$line"
    case $line in 'Error: '*) printf '%s\n' "$line" ;; esac
  done
}
