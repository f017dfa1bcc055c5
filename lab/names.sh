# shellcheck shell=bash
# What a lab and its hosts are called, all derived from GEAR_LAB, so that two labs never meet. Sourced; calls nothing.
# shellcheck disable=SC2034 # the names are for the files that source this one

lab=${GEAR_LAB:-lab}
labs_folder=/var/lib/gear-lab
state=$labs_folder/$lab

name_pattern='^[a-z][a-z0-9-]{0,30}$'

fail() {
  echo "lab: $*" >&2
  exit 1
}

check_name() { # KIND NAME
  [[ $2 =~ $name_pattern ]] || fail "'$2' is no $1 name: small letters, digits and dashes, beginning with a letter, at most 31 characters"
}

# An interface name has at most 15 characters (IFNAMSIZ, linux/if.h). A name that is too long keeps its beginning and gets a checksum.
short_name() { # NAME LENGTH
  if ((${#1} <= $2)); then
    echo "$1"
  else
    local sum
    sum=$(checksum "$1")
    printf '%s-%06x\n' "${1:0:$2-7}" $((sum & 0xffffff))
  fi
}

checksum() {
  local sum
  read -r sum _ < <(printf %s "$1" | cksum)
  echo "$sum"
}

# nspawn calls the machine's end of a host's cable vb-MACHINE. The dot is in no lab and no host name, which keeps a-b.c and a.b-c apart.
machine_name() { short_name "$lab.$1" 12; }
cable_name() { echo "vb-$(machine_name "$1")"; }
group_name() { echo "gear-$(machine_name "$1")"; }

bridge_name() {
  if [[ $lab == lab ]]; then echo gearlab0; else short_name "gear-$lab" 15; fi
}
