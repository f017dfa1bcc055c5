# shellcheck shell=sh
# The data of a container, which outlives it: anonymous volumes, held by a container ID-data that never runs, so that the next run finds them.
# Images name the paths of their volumes, so what is read of them is not trusted.
# shellcheck disable=SC2034,SC2154 # common.sh and docker-container.sh set the variables, the helpers read them

# What ID-data holds, a VOLUME:PATH a line, for the day on which docker has lost ID-data.
noted=$base/units/$partition/ctr-$id.volumes

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
  find_image
  mounts=$(docker inspect --type container --format \
    '{{range .Mounts}}{{if and (eq .Type "volume") (eq (len .Name) 64)}}{{.Name}}:{{.Destination}}{{"\n"}}{{end}}{{end}}' \
    "$id" ${holder:+"$holder"}) || return 1
  set --
  while IFS= read -r mount; do
    is_holdable || { problem='the path of one of its volumes has a line break or a colon'; return 1; }
    case " $* " in *":${mount#*:} "*) ;; *) set -- "$@" -v "$mount" ;; esac
  done <<LIST
$(printf '%s\n' "$mounts" | grep .)
LIST
  [ -z "$holder" ] || docker rm "$holder" > /dev/null || return 1
  docker create --name "$id-data" --label "gear.id=$id" --label gear.role=data --entrypoint /bin/true "$@" "$image" > /dev/null || return 1
  note_volumes "$@" || rm -f "$noted.new"
}

note_volumes() { # -v MOUNT…
  for mount; do [ "$mount" = -v ] || printf '%s\n' "$mount"; done 2> /dev/null > "$noted.new" && /usr/bin/sync "$noted.new" && mv "$noted.new" "$noted"
}

# is_holdable: whether mount is one line of VOLUME:PATH, as it must be. The path is the image's: a line break in it would make a second
# line of its choice, such as a mount of the host's root.
is_holdable() {
  case $newline$used$newline$held$newline in *"$newline${mount%%:*}$newline"*) ;; *) return 1 ;; esac
  case $mount in *:*:*) return 1 ;; esac
}
