# shellcheck shell=sh
# The podman engine: its CLI, and the container named ID as podman has it. Podman has no daemon, so nothing can be away; a call waits for
# the locks of others. Nothing without our label is ever stopped or removed.
# shellcheck disable=SC2034,SC2154 # common.sh and the helpers set variables, the helpers read them
problem='' engine_name=podman engine_address=''

# podman ARGS…: without its events, which would be among the ten lines that systemctl status shows.
# Behind the locks of others it does not wait for ever.
podman() {
  /usr/bin/timeout --kill-after=5 "${patience:-60}" /usr/bin/podman --events-backend=none "$@" && return
  case $? in 124 | 137) say "podman has not answered for ${patience:-60} s: another podman has its locks (see: ps -fC podman)"; return 124 ;; *) return 125 ;; esac
}

# discard NAME: the container goes with its volumes, if it is there.
discard() { podman rm --force --ignore --time 0 --volumes "$1" > /dev/null 2>&1; }

engine_answers() { podman info; }

# refuse MESSAGE: ends a start for what podman said.
refuse() {
  case $1 in *'podman has not answered'*) fail engine-away "$1" ;; *) fail run-failed "$1" ;; esac
}

# A line of words about the container, then one for each of its anonymous volumes, whose names have 64 hex digits. The path of a volume is
# the image's, so it is printed as JSON, which cannot make a second line.
time_form='"2006-01-02T15:04:05.999999999Z07:00"'
template="{{.Name}} {{json (index .Config.Labels \"gear.id\")}} {{json (index .Config.Labels \"gear.role\")}} {{.State.Status}} \
{{.State.ExitCode}} {{.State.OOMKilled}} {{.State.StartedAt.Format $time_form}} {{.State.FinishedAt.Format $time_form}} {{.Image}}\
{{with .HostConfig.IDMappings}}{{range .UIDMap}} --uidmap={{.}}{{end}}{{range .GIDMap}} --gidmap={{.}}{{end}}{{end}}\
{{range .Mounts}}{{if and (eq .Type \"volume\") (eq (len .Name) 64)}}{{\"\\n\"}}{{.Name}}:{{json .Destination}}{{end}}{{end}}"

# inspect NAME: sets found to none, foreign or ours, and state, exit_code, oom_killed, started, finished, image, numbers (options for those of its user
# namespace), role and volumes. Fails, with problem set to the reason, without an answer.
inspect() {
  found=none volumes='' state='' numbers=''
  if ! inspected=$(podman container inspect --format "$template" "$1" 2>&1); then
    case $inspected in *'no such container'*) return ;; esac
    problem=$inspected
    return 1
  fi
  line=${inspected%%"$newline"*}
  read -r name owner role state exit_code oom_killed started finished image numbers <<LINE
$line
LINE
  # Podman takes the beginning of another container's id for a name, too.
  if [ "$name" != "$1" ]; then return; fi
  if [ "$inspected" != "$line" ]; then volumes=${inspected#*"$newline"}; fi
  if [ "$owner" = "\"$id\"" ]; then found=ours; else found=foreign; fi
}

# is_left_over NAME: whether podman's storage has a container of this name that podman itself does not know: what is left of a call that was cut off.
is_left_over() {
  podman ps --all --external --format '{{.Command}} {{.Names}}' | grep -qxF "storage $1" # the filter for names lets all of these through
}

# find_damaged: sets damaged to the whole id of our container, of which podman cannot say more when its storage is damaged.
find_damaged() {
  damaged=$(podman ps --all --no-trunc --quiet --filter "name=^$id\$" --filter "label=gear.id=$id" 2> /dev/null) && [ -n "$damaged" ]
}

is_running() {
  case $state in running | paused | stopping) ;; *) return 1 ;; esac
}

# remove_container: the container, last inspected and not running, goes when its volumes are held by ID-data. Anonymous volumes stay.
remove_container() {
  lock_volumes
  keep_volumes || return 1
  problem=$(podman rm --force --time 0 "$id" 2>&1 > /dev/null)
}
