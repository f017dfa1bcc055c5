# shellcheck shell=sh
# The container named ID as the engine has it, and how it goes without its data: looked at, stopped, its volumes kept, removed.
# Nothing without our label is ever stopped or removed. What fails sets problem to the reason.
# shellcheck disable=SC2034,SC2154 # common.sh sets the variables, the helpers read them
problem='docker does not answer on its socket'

# find_container: sets found to none, foreign or ours, and inspected to what the engine says of it. Fails without an answer.
find_container() {
  engine 10 GET "containers/$id/json" || return 1
  inspected=$body
  case $status in
    404) found=none ;;
    200) if is_ours "$inspected"; then found=ours; else found=foreign; fi ;;
    *) problem=$body; return 1 ;;
  esac
}

is_running() {
  case $inspected in *'"Running":true,'*) ;; *) return 1 ;; esac
}

# stop_running: one that runs on where it should not gets its stop signal and 10 s, whatever grace it was run with.
stop_running() {
  is_running || return 0
  engine 30 POST "containers/$id/stop?t=10" && find_container
}

# remove_container: the container goes when its volumes are held by ID-data. Anonymous volumes are not removed with it.
remove_container() {
  keep_volumes || return 1
  engine 60 DELETE "containers/$id" || return 1
  case $status in
    204 | 404) ;;
    *) problem=$body; return 1 ;;
  esac
}

# is_data JSON: whether an inspected container is this id's data container.
is_data() {
  is_ours "$1" && case $1 in *'"gear.role":"data"'*) ;; *) return 1 ;; esac
}

# anonymous_volumes JSON: the names of the volumes that the engine made for paths of the container; they have 64 hex digits.
anonymous_volumes() {
  printf '%s' "$1" | grep -oE '"Type":"volume","Name":"[0-9a-f]{64}"' | cut -d '"' -f 8
}

# keep_volumes: ID-data, a container that never runs, comes to hold every anonymous volume of the inspected container, so that
# the next run finds its data. It holds them by name: --volumes-from would make it hold bind mounts too, for ever.
keep_volumes() {
  used=$(anonymous_volumes "$inspected")
  [ -n "$used" ] || return 0
  engine 10 GET "containers/$id-data/json" || return 1
  if [ "$status" = 200 ] && ! is_data "$body"; then
    problem="a container named $id-data exists that gear did not make, and holds the name that its volumes need"
    return 1
  fi
  holder='' held=''
  if [ "$status" = 200 ]; then holder=$id-data held=$(anonymous_volumes "$body"); fi
  for volume in $used; do
    case $newline$held$newline in *"$newline$volume$newline"*) ;; *) hold_volumes; return ;; esac
  done
}

# hold_volumes: makes ID-data anew. Until it exists the inspected container still holds what it used.
hold_volumes() {
  image=${inspected#*'"Image":"'} image=${image%%\"*}
  mounts=$(docker inspect --type container --format \
    '{{range .Mounts}}{{if and (eq .Type "volume") (eq (len .Name) 64)}}{{.Name}}:{{.Destination}}{{"\n"}}{{end}}{{end}}' \
    "$id" ${holder:+"$holder"}) || return 1
  set --
  while IFS= read -r mount; do
    case " $* " in *":${mount#*:} "*) ;; *) set -- "$@" -v "$mount" ;; esac
  done <<LIST
$(printf '%s\n' "$mounts" | grep .)
LIST
  [ -z "$holder" ] || docker rm "$holder" > /dev/null || return 1
  docker create --name "$id-data" --label "gear.id=$id" --label gear.role=data --entrypoint /bin/true "$@" "$image" > /dev/null
}
