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

# pull_once IMAGE: its progress, a line per layer and stage, goes to the journal, where whoever waits for the start sees it.
pull_once() {
  message=$(podman pull "$1" 2>&1 | while IFS= read -r line; do
    say "$line"
    case $line in 'Error: '*) printf '%s\n' "$line" ;; esac
  done)
  [ -n "$message" ] || return 0
  tidy_message
  return 1
}
