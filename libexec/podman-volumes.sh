# shellcheck shell=sh
# The data of a container, which outlives it: anonymous volumes, held by a container ID-data that never runs, so that the next run finds
# them and `podman volume prune` does not.
# shellcheck disable=SC2034,SC2154 # common.sh and podman.sh set variables, the helpers read them

# lock_volumes: the start helper may still be at it when the container has ended already.
lock_volumes() {
  umask 077 # whoever may read a file may hold its lock, and no user of the host is to keep a container from starting
  exec 8> "$dir/volumes.lock"
  umask 022
  /usr/bin/flock 8
}

# inspect_data: ID-data. When its storage is damaged podman still lists it, with the paths of its volumes: their names are missing then in the lines of volumes, and
# it is_damaged. They are used as ever, and found again in a container that uses them.
inspect_data() {
  is_damaged=''
  inspect "$id-data" && return
  case $problem in *'podman has not answered'*) return 1 ;; esac
  volumes=$(podman ps --all --filter "name=^$id-data\$" --filter "label=gear.id=$id" --filter label=gear.role=data \
    --format '{{range .Mounts}}:{{json .}}{{"\n"}}{{end}}' 2> /dev/null) && [ -n "$volumes" ] || return 1
  is_damaged=yes found=ours role='"data"' numbers=''
}

# keep_volumes: ID-data comes to hold every anonymous volume of the inspected container, by name: --volumes-from would make it hold bind
# mounts too, for ever. The inspected container still holds what it used until ID-data exists.
keep_volumes() {
  [ -n "$volumes" ] || return 0
  used=$volumes used_image=$image used_numbers=$numbers
  inspect_data || return 1
  held=$volumes
  if [ "$found" != none ] && { [ "$found" = foreign ] || [ "$role" != '"data"' ]; }; then
    problem="a container named $id-data exists that gear did not make, and holds the name that its volumes need"
    return 1
  fi
  if [ -n "$is_damaged" ]; then renew_data; return; fi
  while IFS= read -r mount; do
    case $newline$held$newline in *"$newline$mount$newline"*) ;; *) hold_volumes "$used$newline$held"; return ;; esac
  done <<LIST
$used
LIST
}

# renew_data: ID-data is damaged. The container that was inspected has all its volumes, unless some of the paths became others meanwhile.
renew_data() {
  while IFS= read -r mount; do
    case $used$newline in *"$mount$newline"*) ;; *) problem="$id-data is damaged, and only it holds the volume at ${mount#:}"; return 1 ;; esac
  done <<LIST
$held
LIST
  hold_volumes "$used"
}

# hold_volumes MOUNTS: makes ID-data anew with MOUNTS, lines of VOLUME:"PATH"; of two for one path the first counts. As long as it has the user numbers to which
# the data belong, podman gives them to nobody else.
hold_volumes() {
  mounts=$1
  set --
  while IFS= read -r mount; do
    [ -n "$mount" ] || continue
    path=${mount#*:}
    case $path in *\\* | *:*) problem="the path $path of one of its volumes has a line break, a colon or a quote"; return 1 ;; esac
    path=${path#\"} path=${path%\"}
    case " $* " in *":$path "*) ;; *) set -- "$@" -v "${mount%%:*}:$path" ;; esac
  done <<LIST
$mounts
LIST
  if [ "$found" = ours ]; then problem=$(podman rm "$id-data" 2>&1 > /dev/null) || return 1; fi
  problem=$(create_data "$@" 2>&1 > /dev/null) && return
  case $problem in *'already in use'*) is_left_over "$id-data" && podman rm --force "$id-data" > /dev/null 2>&1 ;; *) return 1 ;; esac || return 1
  problem=$(create_data "$@" 2>&1 > /dev/null)
}

# shellcheck disable=SC2086 # options, a word each
create_data() {
  podman create --pull=never --log-driver=none --name "$id-data" --label "gear.id=$id" --label gear.role=data --entrypoint /bin/true \
    $used_numbers "$@" "$used_image"
}
