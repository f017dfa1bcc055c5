# shellcheck shell=bash
# The lab's network: a bridge in the machine's own network namespace, a subnet derived from the lab's name, an address for each host.

bridge=$(bridge_name)

# lab has 10.90.0.0/24; others a subnet between 10.100 and 10.199 by their name's checksum, the next one when it is taken.
make_network() {
  [[ -s $state/.subnet ]] || choose_subnet >"$state/.subnet"
  read -r subnet <"$state/.subnet"
  [[ ! -e /sys/class/net/$bridge ]] || return 0
  ip link add "$bridge" type bridge
  ip address add "$subnet.1/24" dev "$bridge"
  ip link set "$bridge" up
}

choose_subnet() {
  [[ $lab != lab ]] || { echo 10.90.0; return; }
  local sum
  sum=$(checksum "$lab")
  while [[ -n $(ip -4 route show "$(numbered_subnet "$sum").0/24") ]]; do ((++sum)); done
  numbered_subnet "$sum"
}

numbered_subnet() { echo "10.$((100 + $1 % 100)).$(($1 / 100 % 256))"; }

# A bridge that still has cables has them from someone else, since ours are gone with their hosts.
remove_network() {
  [[ -e /sys/class/net/$bridge ]] || return 0
  [[ -z $(ls "/sys/class/net/$bridge/brif") ]] || { echo "lab: $bridge stays: others use it" >&2; return 0; }
  ip link delete "$bridge"
}

next_address() {
  local number taken
  taken=" $(cat "$state"/*/address 2>/dev/null | tr '\n' ' ') "
  for ((number = 2; number < 255; number++)); do
    [[ $taken == *" $subnet.$number "* ]] || { echo "$subnet.$number"; return; }
  done
  fail "$subnet.0/24 is full"
}
