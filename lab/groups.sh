# shellcheck shell=bash
# Control groups. Each host has one group in every hierarchy; all its processes, nspawn and the loop around it included, live below it.
#
# Two layouts are known. `hybrid`: v1 controllers, each mounted by itself, beside an empty v2 at /sys/fs/cgroup/unified. `pure`: one v2
# hierarchy at /sys/fs/cgroup. In both the v2 group holds every process of the host, so that its cgroup.kill ends the host in one stroke.

groups_root=/sys/fs/cgroup

group_layout() {
  if [[ -e $groups_root/cgroup.controllers ]]; then echo pure
  elif [[ -e $groups_root/unified/cgroup.controllers ]]; then echo hybrid
  else fail "$groups_root has neither cgroup v2 nor v1 with v2 at unified/"
  fi
}

# The folder of each hierarchy below groups_root: cpu, memory, systemd, unified and so on.
group_hierarchies() {
  local kind folder
  while read -r _ folder kind _; do
    [[ $kind == cgroup || $kind == cgroup2 ]] && [[ $folder == "$groups_root"/* ]] && echo "${folder##*/}"
  done </proc/mounts
}

make_groups() { # GROUP
  local hierarchy file
  for hierarchy in $(group_hierarchies); do mkdir -p "$groups_root/$hierarchy/$1"; done
  # A new cpuset group is empty and takes no process until it is told its processors and memory nodes.
  for file in cpuset.cpus cpuset.mems; do
    cat "$groups_root/cpuset/$file" >"$groups_root/cpuset/$1/$file"
  done
}

enter_groups() { # GROUP
  local hierarchy
  for hierarchy in $(group_hierarchies); do echo "$BASHPID" >"$groups_root/$hierarchy/$1/cgroup.procs"; done
}

# Moves this shell into the groups that another process is in. On the path of every `exec`: starts no process.
join_groups() { # PID
  local controllers path folder
  while IFS=: read -r _ controllers path; do
    folder=$groups_root/${controllers#name=}
    [[ -n $controllers || ! -d $groups_root/unified ]] || folder=$groups_root/unified
    echo "$BASHPID" >"$folder$path/cgroup.procs"
  done <"/proc/$1/cgroup"
}

kill_groups() { # GROUP
  local folder=$groups_root/unified/$1
  [[ -d $folder ]] || return 0
  echo 1 >"$folder/cgroup.kill"
  until grep -q '^populated 0' "$folder/cgroup.events"; do sleep 0.01; done
}

remove_groups() { # GROUP
  local hierarchy
  for hierarchy in $(group_hierarchies); do
    [[ ! -d $groups_root/$hierarchy/$1 ]] || find "$groups_root/$hierarchy/$1" -depth -type d -exec rmdir {} +
  done
}
