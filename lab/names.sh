# shellcheck shell=bash
# What a lab and its hosts are called, all derived from GEAR_LAB so that two labs never meet, and the few things every other file needs.
# On the path of every `exec`: starts no process until asked.
# shellcheck disable=SC2034 # the names are for the files that source this one

lab=${GEAR_LAB:-lab}
labs_folder=/var/lib/gear-lab
state=$labs_folder/$lab

fail() {
  echo "lab: $*" >&2
  exit 1
}

check_name() { # KIND NAME
  [[ $2 =~ ^[a-z][a-z0-9-]{0,30}$ ]] ||
    fail "'$2' is no name for a $1: small letters, digits and dashes, the first a letter, at most 31"
}

wait_until() { # LIMIT_S COMMAND...
  local deadline=$((SECONDS + $1 + 1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.02
  done
}

# An interface name has at most 15 characters (IFNAMSIZ, linux/if.h). A name that is too long keeps its beginning and gets a checksum.
short_name() { # NAME LENGTH
  if ((${#1} <= $2)); then
    echo "$1"
  else
    printf '%s-%06x\n' "${1:0:$2-7}" $(($(checksum "$1") & 0xffffff))
  fi
}

checksum() {
  local sum
  read -r sum _ < <(printf %s "$1" | cksum)
  echo "$sum"
}

# nspawn calls the machine's end of a host's cable vb-MACHINE. No lab and no host has a dot in its name: a-b.c and a.b-c stay apart.
machine_name() { short_name "$lab.$1" 12; }
cable_name() { echo "vb-$(machine_name "$1")"; }
group_name() { echo "gear-$(machine_name "$1")"; }

bridge_name() {
  if [[ $lab == lab ]]; then echo gearlab0; else short_name "gear-$lab" 15; fi
}
