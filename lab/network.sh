# shellcheck shell=bash
# shellcheck disable=SC2154 # here, lab and state come from names.sh and from who sources this
# The lab's network: a bridge in the machine's own network namespace, a subnet derived from the lab's name, an address for each host.

bridge=$(bridge_name)

make_network() {
  [[ -s $state/.subnet ]] || choose_subnet >"$state/.subnet"
  read -r subnet <"$state/.subnet"
  ! has_bridge || return 0
  ip link add "$bridge" type bridge
  ip address add "$subnet.1/24" dev "$bridge"
  ip link set "$bridge" up
  let_hosts_meet
}

has_bridge() { ip link show dev "$bridge" &>/dev/null; }

# lab has 10.90.0.0/24; others a subnet between 10.100 and 10.199 by their name's checksum, the next one when it is taken.
choose_subnet() {
  local number
  if [[ $lab == lab ]]; then
    echo 10.90.0
    return
  fi
  number=$(checksum "$lab")
  while [[ -n $(ip -4 route show "$(numbered_subnet "$number").0/24") ]]; do number=$((number + 1)); done
  numbered_subnet "$number"
}

numbered_subnet() { echo "10.$((100 + $1 % 100)).$(($1 / 100 % 256))"; }

# Where bridged packets pass the machine's FORWARD chain, a Docker of the machine's own has set that chain's policy to DROP.
let_hosts_meet() {
  forward_chain_drops && iptables -I FORWARD -i "$bridge" -o "$bridge" -j ACCEPT
  return 0
}

forward_chain_drops() {
  [[ $(cat /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null) == 1 ]] && iptables -S FORWARD 2>/dev/null | grep -qx -- '-P FORWARD DROP'
}

# A bridge that still has cables has them from someone else, since ours are gone with their hosts.
remove_network() {
  while forward_chain_drops && iptables -D FORWARD -i "$bridge" -o "$bridge" -j ACCEPT 2>/dev/null; do :; done
  has_bridge || return 0
  if [[ -n $(ip -o link show master "$bridge") ]]; then
    echo "lab: $bridge stays, because others use it" >&2
    return 0
  fi
  ip link delete "$bridge"
}

next_address() {
  local number taken
  taken=" $(cat "$state"/*/address 2>/dev/null | tr '\n' ' ') "
  for ((number = 2; number < 255; number++)); do
    if [[ $taken != *" $subnet.$number "* ]]; then
      echo "$subnet.$number"
      return
    fi
  done
  fail "$subnet.0/24 is full"
}
