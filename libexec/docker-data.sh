# shellcheck shell=sh
# Whether there are data of earlier runs, for docker-start.
# shellcheck disable=SC2034,SC2154 # common.sh, docker-volumes.sh and docker-start set and read the variables

# find_data: sets volumes_from when ID-data holds data of earlier runs. A doubtful answer is a failure: without its data
# a container must not run. An install that is followed by this start has asked already, which saves 10 ms; its word is good for once.
find_data() {
  if [ -s "$dir/no-data" ]; then : > "$dir/no-data"; return; fi
  engine 30 GET "containers/$id-data/json" || return 1
  case $status in
    200) if is_data "$body"; then volumes_from="--volumes-from=$id-data"; fi ;;
    404) renew_data ;;
    *) fail run-failed "docker could not say whether $id-data exists: $body" ;;
  esac
}

# renew_data: docker has lost ID-data, as it does when a power cut leaves its record of a container empty, but not the volumes: those that gear has noted and that are
# there yet are held anew. image_name is the image of the run.
renew_data() {
  [ -s "$noted" ] || return 0
  set --
  while IFS= read -r mount; do
    engine 30 GET "volumes/${mount%%:*}" || return 1
    if [ "$status" = 200 ]; then set -- "$@" -v "$mount"; fi
  done < "$noted"
  if [ $# = 0 ]; then rm "$noted"; return; fi
  say 'docker has lost the container that holds its data; the data are there, and are held anew'
  is_fetched=''
  until problem=$(docker create --pull=never --name "$id-data" --label "gear.id=$id" --label gear.role=data --entrypoint /bin/true "$@" "$image_name" 2>&1 > /dev/null); do
    case $is_fetched$problem in
      'Error: No such image: '* | *'No such image: '*) pull "$image_name"; is_fetched=yes: ;;
      *) fail run-failed "its data could not be held: $problem" ;;
    esac
  done
  volumes_from="--volumes-from=$id-data"
}
