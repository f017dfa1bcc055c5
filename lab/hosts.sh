# shellcheck shell=bash
# shellcheck disable=SC2154 # here, lab and state come from names.sh and from who sources this
# One host: making it, booting it, finding it, ending it, taking it away.
#
# $state/HOST holds all of it on the machine's disk: upper and work (the overlay over the machine's root), docker, containerd and containers
# (bind-mounted, since engines cannot put an overlay on an overlay), address, nspawn.pid, supervise.pid, console.log. Mounts are made in a mount
# namespace that only the host's own processes are in (see supervise): when they end, however they end, the mounts are gone.

boot_limit_s=60

host_names() {
  local folder
  for folder in "$state"/*/; do [[ ! -d $folder ]] || basename "$folder"; done
}

# Sets `leader` to the process id of the host's systemd. On the path of every `exec`: starts no process, not even for $(<file), which in
# bash 5.2 ends the shell when the process behind a /proc file goes away during the read.
find_leader() { # HOST
  local nspawn name path
  leader='' nspawn='' name=''
  read -r nspawn 2>/dev/null <"$state/$1/nspawn.pid" || return 1
  read -r name 2>/dev/null <"/proc/$nspawn/comm" || return 1
  [[ $name == systemd-nspawn ]] || return 1
  read -r leader _ 2>/dev/null <"/proc/$nspawn/task/$nspawn/children" || [[ -n $leader ]] || return 1 # the file has no end of line
  # Until systemd has made its own scope, the child is nspawn on the way into its namespaces.
  while read -r path; do
    [[ $path != */init.scope ]] || return 0
  done 2>/dev/null <"/proc/$leader/cgroup"
  return 1
}

# Sets `boot` to what is another after each boot.
find_boot() { # HOST
  local leader
  # shellcheck disable=SC2034 # for who asks
  find_leader "$1" && boot=$leader
}

# Becomes COMMAND inside the host, in its control groups and namespaces: it is accounted to the host and dies with it.
become_in_host() { # LEADER COMMAND...
  exec nsenter --target "$1" --pid --no-fork -- "$here/await" "$@"
}

# Whether anything of the host runs, be it only the loop around nspawn.
is_started() { group_is_populated "$(group_name "$1")"; }

is_supervised() { # HOST
  local pid name
  { read -r pid <"$state/$1/supervise.pid" && read -r name <"/proc/$pid/comm"; } 2>/dev/null || return 1
  [[ $name == supervise && -e /proc/$pid/exe ]] # a zombie has no exe
}

# Every systemd, engine and bus takes some of the inotify instances that root has, on the whole machine with all its labs: 128 unless told
# otherwise, which six hosts use up. The one thing that stays when a lab goes; it takes nothing from anybody.
prepare_hosts() {
  local limit=/proc/sys/fs/inotify/max_user_instances value
  read -r value <"$limit"
  ((value >= 4096)) || echo 4096 >"$limit"
}

make_host() { # HOST
  # What is left of a host whose loop was killed would not survive its next reboot.
  if is_started "$1" && ! is_supervised "$1"; then kill_host "$1"; fi
  # Made half and then left: supervise writes `furnished` when the disk is complete.
  is_started "$1" || [[ -e $state/$1/furnished ]] || remove_host "$1"
  mkdir -p "$state/$1"/{upper,work,root,docker,containerd,containers}
  [[ -s $state/$1/address ]] || next_address >"$state/$1/address"
}

start_host() { # HOST
  local group
  group=$(group_name "$1")
  remove_group "$group" # what is left of one that was switched off
  rm -f "$state/$1/nspawn.pid"
  (
    become_in_group "$group" unshare --mount --propagation slave setsid "$here/supervise" "$1"
  ) >"$state/$1/console.log" 2>&1 </dev/null 9>&- &
  wait_until 10 is_started_or_gone "$1" $!
}

is_started_or_gone() { is_started "$1" || ! kill -0 "$2" 2>/dev/null; }

# Waits until systemd has nothing more to start and Docker answers, and gives Docker its images at the first boot. The clock starts when
# the disk is complete: how long a build takes is up to the build.
await_host() { # HOST
  local leader waits_for='its first process' deadline=$((SECONDS + boot_limit_s))
  until find_leader "$1" && has_booted "$leader" && has_docker "$leader"; do
    is_started "$1" || fail_boot "$1" 'ended while it booted'
    [[ -e $state/$1/furnished ]] || deadline=$((SECONDS + boot_limit_s))
    ((SECONDS < deadline)) || fail_boot "$1" "did not boot within $boot_limit_s s, still waiting for $waits_for"
    sleep 0.1
  done
  if [[ ! -e $state/$1/images-loaded ]]; then
    load_images "$leader" || fail "$1 did not take the images"
    touch "$state/$1/images-loaded"
  fi
}

fail_boot() { # HOST WHAT
  tail -n 30 "$state/$1/console.log" | sed "s/^/$1: /" >&2
  fail "$1 $2; above is the end of $state/$1/console.log"
}

has_booted() { # LEADER
  local answer
  answer=$( (become_in_host "$1" timeout "$boot_limit_s" systemctl is-system-running --wait) 2>/dev/null) || true
  waits_for="systemd, which says '$answer'"
  [[ $answer == running || $answer == degraded ]]
}

has_docker() { # LEADER
  waits_for=Docker
  [[ $(curl -qs --max-time 10 --unix-socket "/proc/$1/root/run/docker.sock" http://docker/_ping) == OK ]]
}

# Those that run now; the others get theirs when they boot.
share_names() {
  local host leader
  for host in $(host_names); do
    if find_leader "$host"; then cp "$state/.hosts" "/proc/$leader/root/etc/hosts"; fi
  done
}

# Everything at once, as if the power were cut.
kill_host() { # HOST
  local group
  group=$(group_name "$1")
  kill_group "$group"
  remove_group "$group"
  # The kernel takes it away too, but on a busy machine only after a while, and until then the host cannot be started again.
  ip link delete dev "$(cable_name "$1")" 2>/dev/null || true
}

remove_host() { # HOST
  kill_host "$1"
  rm -rf --one-file-system "${state:?}/$1"
}
