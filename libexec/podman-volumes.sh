# shellcheck shell=sh
# The data of a container, which outlives it: anonymous volumes, held by a container ID-data that never runs, so that the next run finds
# them and `podman volume prune` does not.
# shellcheck disable=SC2034,SC2154 # common.sh and podman.sh set variables, the helpers read them

# find_data: sets volumes_from, and held_numbers, when ID-data holds data of earlier runs. The index of podman's storage tells in 1 ms that it does not exist, which
# is the common case; podman would take 40. What else it says is asked of podman. A doubtful answer is a failure: without its data
# a container must not run.
find_data() {
  volumes_from='' held='' held_numbers=''
  if [ -s "$dir/no-data" ]; then : > "$dir/no-data"; return; fi
  find_index
  if [ -e "$index" ] && ! grep -qF "\"names\":[\"$id-data\"" "$index"; then return; fi
  inspect "$id-data" || refuse "podman could not say whether $id-data exists: $problem"
  if [ "$found" = ours ] && [ "$role" = '"data"' ]; then volumes_from="--volumes-from=$id-data" held=$volumes held_numbers=$numbers; fi
}

# is_held PATH: whether ID-data has a volume for it.
is_held() {
  case "$held$newline" in *":\"$1\"$newline"*) ;; *) return 1 ;; esac
}

# lock_volumes: the start helper may still be at it when the container has ended already.
lock_volumes() {
  umask 077 # whoever may read a file may hold its lock, and no user of the host is to keep a container from starting
  exec 8> "$dir/volumes.lock"
  umask 022
  /usr/bin/flock 8
}

# find_index: where podman keeps the names of its containers; asked once per boot and configuration of podman's.
find_index() {
  index='' key=''
  configuration=$(stat -c %Y /etc/containers/storage.conf /etc/containers/containers.conf 2> /dev/null | tr '\n' ' ') || :
  if [ -e "$run/podman-store" ]; then IFS=: read -r key index < "$run/podman-store"; fi
  if [ -n "$index" ] && [ "$key" = "$configuration" ]; then return; fi
  index=$(podman info --format '{{.Store.GraphRoot}}/{{.Store.GraphDriverName}}-containers/containers.json' 2>&1) ||
    refuse "podman cannot use its storage: $index"
  echo "$configuration:$index" > "$run/podman-store.$id" && mv "$run/podman-store.$id" "$run/podman-store"
}

# keep_volumes: ID-data comes to hold every anonymous volume of the inspected container, by name: --volumes-from would make it hold bind
# mounts too, for ever. The inspected container still holds what it used until ID-data exists.
keep_volumes() {
  [ -n "$volumes" ] || return 0
  used=$volumes used_image=$image used_numbers=$numbers
  inspect "$id-data" || return 1
  held=$volumes
  if [ "$found" != none ] && { [ "$found" = foreign ] || [ "$role" != '"data"' ]; }; then
    problem="a container named $id-data exists that gear did not make, and holds the name that its volumes need"
    return 1
  fi
  set --
  while IFS= read -r mount; do
    case $newline$held$newline in *"$newline$mount$newline"*) ;; *) hold_volumes "$used$newline$held"; return ;; esac
  done <<LIST
$used
LIST
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
  # shellcheck disable=SC2086 # options, a word each
  problem=$(podman create --pull=never --log-driver=none --name "$id-data" --label "gear.id=$id" --label gear.role=data --entrypoint /bin/true \
    $used_numbers "$@" "$used_image" 2>&1 > /dev/null)
}
