# shellcheck shell=bash
# Control groups. Every process of a host, nspawn and the loop around it included, lives below one group of the host's own.
#
# Two layouts are known. `hybrid`: v1 controllers, each mounted by itself, beside an empty v2 at /sys/fs/cgroup/unified; the host has a group
# in every hierarchy. `pure`: one v2 hierarchy at /sys/fs/cgroup; the host has one group there, delegated by the machine's systemd where
# that runs, since a host without delegation silently loses its controllers. In both, the v2 group holds every process of the host, and its
# cgroup.kill ends the host in one stroke, forks included.
#
# The pure layout was written from the documentation (cgroups(7), systemd.resource-control(5), systemd-nspawn(1)) and tried only without
# controllers and without the machine's systemd, because the machines it was written on are hybrid.

groups_root=/sys/fs/cgroup

group_layout() {
  if [[ -e $groups_root/cgroup.controllers ]]; then
    echo pure
  elif [[ -e $groups_root/unified/cgroup.controllers ]]; then
    echo hybrid
  else
    fail "$groups_root has neither cgroup v2 nor v1 with v2 at unified/"
  fi
}

# Hybrid: the folder of each hierarchy below groups_root: cpu, memory, systemd, unified and so on.
group_hierarchies() {
  local kind folder
  while read -r _ folder kind _; do
    if [[ $kind == cgroup || $kind == cgroup2 ]] && [[ $folder == "$groups_root"/* ]]; then echo "${folder##*/}"; fi
  done </proc/mounts
}

# The v2 folder of a group.
group_folder() { # GROUP
  case $(group_layout) in
    hybrid) echo "$groups_root/unified/$1" ;;
    pure) if has_systemd; then echo "$groups_root/machine.slice/$1.scope"; else echo "$groups_root/$1"; fi ;;
  esac
}

has_systemd() { [[ -d /run/systemd/system ]]; } # sd_booted(3)

# Becomes COMMAND as the first process of the group.
become_in_group() { # GROUP COMMAND...
  local group=$1
  shift
  case $(group_layout) in
    hybrid)
      make_v1_groups "$group"
      enter_v1_groups "$group"
      # In a control group namespace, the host sees its own group as the root of each hierarchy.
      exec unshare --cgroup "$@"
      ;;
    pure)
      if has_systemd; then
        exec systemd-run --quiet --scope --collect --slice=machine.slice --unit="$group.scope" --property=Delegate=yes "$@"
      fi
      enable_controllers "$groups_root"
      mkdir -p "$groups_root/$group"
      echo "$BASHPID" >"$groups_root/$group/cgroup.procs"
      exec "$@"
      ;;
  esac
}

make_v1_groups() { # GROUP
  local hierarchy file
  for hierarchy in $(group_hierarchies); do mkdir -p "$groups_root/$hierarchy/$1"; done
  [[ -d $groups_root/cpuset ]] || return 0
  # A new cpuset group is empty and takes no process until it is told its processors and memory nodes.
  for file in cpuset.cpus cpuset.mems; do
    cat "$groups_root/cpuset/$file" >"$groups_root/cpuset/$1/$file"
  done
}

enter_v1_groups() { # GROUP
  local hierarchy
  for hierarchy in $(group_hierarchies); do echo "$BASHPID" >"$groups_root/$hierarchy/$1/cgroup.procs"; done
}

# Gives the groups below FOLDER every controller that FOLDER has.
enable_controllers() { # FOLDER
  local controller
  for controller in $(<"$1/cgroup.controllers"); do echo "+$controller" >"$1/cgroup.subtree_control"; done
}

group_is_populated() { # GROUP
  grep -qs '^populated 1' "$(group_folder "$1")/cgroup.events"
}

kill_group() { # GROUP
  local folder
  folder=$(group_folder "$1")
  [[ -d $folder ]] || return 0
  echo 1 >"$folder/cgroup.kill"
  wait_until 10 group_is_empty "$1" || fail "processes of $1 do not end: $(find "$folder" -name cgroup.procs -exec cat {} + | tr "\n" " ")"
}

group_is_empty() { ! group_is_populated "$1"; }

remove_group() { # GROUP
  wait_until 10 try_remove_group "$1" || fail "the control groups $1 are still in use"
}

# The kernel lets go of a group a moment after its last process.
try_remove_group() { # GROUP
  local -a folders=("$groups_root"/*/"$1" "$(group_folder "$1")")
  local folder
  for folder in "${folders[@]}"; do
    [[ ! -d $folder ]] || find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null || return 1
  done
}
