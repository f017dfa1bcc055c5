# shellcheck shell=sh
# The container that git runs in for a repository that root has given an image (create-repo --githost): made for one command and gone with it. All it
# has of the host is that repository, and all it may do is what the account of the repository may. Sourced by root's helpers after common.sh.
# shellcheck disable=SC2034,SC2154 # common.sh, docker.sh and the helpers set the variables

# read_githost: sets kind and image from the record, which only root writes. Fails when there is none.
read_githost() {
  kind='' image='' record=$base/git-home/$partition/$id/githost
  [ -e "$record" ] || { say "git does not run in a container for $id"; return 1; }
  while IFS='=' read -r key value; do
    case $key in engine) kind=$value ;; image) image=$value ;; esac
  done < "$record"
  case $kind/$image in
    *[!A-Za-z0-9_./:@-]*) ;;
    docker/[A-Za-z0-9]* | podman/[A-Za-z0-9]*) return ;;
  esac
  say "$record names no engine and image"
  return 1
}

# sweep: of a power cut podman keeps the containers that were to go with their end. Once a boot. An image may have our label, and then what holds the data
# of its containers has it too, but no name as long. One that runs stays, since it is not forced.
sweep() {
  : > "$run/githost-swept"
  /usr/bin/podman --events-backend=none ps --all --quiet --filter label=gear.repository --filter 'name=^git-.*-[0-9a-f-]{36}$' 2> /dev/null |
    xargs -r /usr/bin/podman --events-backend=none rm --volumes > /dev/null 2>&1 || :
}

# run_git ro|rw ARGUMENT…: git with the arguments in the container, as the account uid:gid, with the repository for its folder; sets code to what it ended
# with. When whoever asked is gone, or this is called off, the container goes too.
run_git() {
  access=$1 name=git-$id-$(cat /proc/sys/kernel/random/uuid) slice=githost.slice cgroup_parent=githost.slice count=0 runtime='' driver=''
  shift
  set -- "$image" "$@"
  while read -r key value; do
    set -- --env "GIT_CONFIG_KEY_$count=$key" --env "GIT_CONFIG_VALUE_$count=$value" "$@"
    count=$((count + 1))
  done <<END
$(git_settings /dev/null)
gc.autoDetach false
END
  if [ "$access" = ro ]; then access=,readonly; else access=''; fi
  if [ -e /sys/fs/selinux/enforce ]; then set -- --security-opt label=disable "$@"; fi
  [ -d "$run" ] || mkdir -p "$run"
  if [ "$kind" = docker ]; then
    # several at once may be in each other's way when they note what they have found
    find_driver || [ -n "$driver" ] || { say 'docker does not answer on its socket'; code=1; return; }
    find_parent
  else
    [ -e "$run/githost-swept" ] || sweep
    if [ -e "$run/podman-runtime" ]; then read -r runtime < "$run/podman-runtime"; fi
  fi
  set -- run --interactive --rm --pull=never --name "$name" --label "gear.repository=$id" --no-healthcheck --log-driver=none \
    --user "$uid:$gid" --userns=host --network=none --read-only --tmpfs /tmp --cap-drop=ALL --security-opt no-new-privileges \
    --memory 1g --pids-limit 256 --cgroup-parent "$cgroup_parent" --workdir /repository \
    --mount "type=bind,source=$repository,target=/repository$access" --entrypoint git \
    --env HOME=/repository --env GIT_CONFIG_NOSYSTEM=1 --env GIT_CONFIG_GLOBAL=/dev/null --env GIT_ATTR_NOSYSTEM=1 \
    --env "GIT_PROTOCOL=$protocol" --env "GIT_COMMITTER_NAME=git-$id" --env "GIT_COMMITTER_EMAIL=git-$id@localhost" \
    --env "GIT_CONFIG_COUNT=$count" "$@"
  if [ "$kind" = docker ]; then set -- /usr/bin/docker -H "unix://$socket" "$@"; else
    set -- /usr/bin/podman --events-backend=none ${runtime:+"--runtime=$runtime"} "$@"
  fi
  client='' code=0
  trap 'trap "" HUP TERM; [ -z "$client" ] || kill "$client" 2> /dev/null; end_container; exit 143' HUP TERM
  exec 3<&0 # what runs in the background gets no input unless it is led there
  "$@" <&3 3<&- &
  client=$!
  wait "$client" || code=$?
  if [ "$code" != 0 ]; then end_container; fi
  if [ "$code" = 125 ]; then say "git runs for this repository in a container of the image $image, which $kind could not run"; fi
}

# end_container: its client may have ended without it.
end_container() {
  case $kind in
    docker) /usr/bin/timeout 60 /usr/bin/docker -H "unix://$socket" rm --force --volumes "$name" ;;
    podman) /usr/bin/timeout 60 /usr/bin/podman --events-backend=none rm --force --volumes --time 0 "$name" ;;
  esac > /dev/null 2>&1 || :
}
