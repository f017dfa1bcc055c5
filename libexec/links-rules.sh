# shellcheck shell=sh
# Links as NAT rules, in the form of iptables-restore. Chains of our own, emptied and filled in one transaction and hooked into the
# built-in ones once, leave the engine's rules in the namespace alone.
# shellcheck disable=SC2154 # common.sh sets the variables

tab=$(printf '\t')
known='' patience=5

# rules PRESENT: PRESENT is the nat table as it is; the links file comes on standard input, one
# "FromHost TAB FromPort TAB ToPort TAB ToHost" a line. Names are resolved here, because one that fails would fail the whole table.
rules() {
  echo '*nat'
  echo ':GEAR-LINKS - [0:0]'
  echo ':GEAR-LINKS-SOURCE - [0:0]'
  for hook in 'OUTPUT -j GEAR-LINKS' 'PREROUTING -j GEAR-LINKS' 'POSTROUTING -j GEAR-LINKS-SOURCE'; do
    case $newline$1$newline in *"$newline-A $hook$newline"*) ;; *) echo "-A $hook" ;; esac
  done
  while IFS= read -r line || [ -n "$line" ]; do
    from_host=${line%%"$tab"*} line=${line#*"$tab"}
    from_port=${line%%"$tab"*} line=${line#*"$tab"}
    to_port=${line%%"$tab"*} to_host=${line#*"$tab"}
    case $to_port/$to_host in 0/* | /* | */) continue ;; esac # incomplete: the other end is not known yet
    rule || say "link ${from_host:-127.0.0.1}:$from_port -> $to_host:$to_port skipped: $problem"
  done
  echo 'COMMIT'
}

# rule: one link's rules. Its packets get the container's own address as their source, so that answers find back.
rule() {
  { is_port "$from_port" && is_port "$to_port"; } || { problem='a port is not a number from 1 to 65535'; return 1; }
  resolve "${from_host:-127.0.0.1}" || { problem="$from_host is not an address that can be found"; return 1; }
  from=$address
  case $to_host in
    localhost | 127.0.0.1) host_address || { problem='the host has no address but loopback'; return 1; } ;;
    *) resolve "$to_host" || { problem="$to_host is not an address that can be found"; return 1; } ;;
  esac
  echo "-A GEAR-LINKS -d $from/32 -p tcp -m tcp --dport $from_port -j DNAT --to-destination $address:$to_port"
  echo "-A GEAR-LINKS-SOURCE -d $address/32 -p tcp -m tcp --dport $to_port -j MASQUERADE"
}

is_port() {
  case $1 in '' | 0* | *[!0-9]* | ??????*) return 1 ;; esac
  [ "$1" -le 65535 ]
}

# resolve HOST: sets address. Each name is asked for once, 5 s at most, and 1 s after a resolver has failed to answer; an address
# is not asked for at all.
resolve() {
  case $1 in
    *[!0-9.]*) ;;
    *) address=$1; is_address "$1"; return ;;
  esac
  case $known in
    *"$newline$1 "*) address=${known##*"$newline$1 "} address=${address%%"$newline"*} ;;
    *)
      address=$(/usr/bin/timeout "$patience" /usr/bin/getent ahostsv4 -- "$1") || { [ $? != 124 ] || patience=1; address=''; }
      address=${address%% *}
      known=$known$newline$1' '$address$newline
      ;;
  esac
  [ -n "$address" ]
}

is_address() {
  octets=$1. count=0
  while [ -n "$octets" ]; do
    case ${octets%%.*} in '' | 0?* | ????*) return 1 ;; esac
    [ "${octets%%.*}" -le 255 ] || return 1
    octets=${octets#*.} count=$((count + 1))
  done
  [ "$count" = 4 ]
}

# host_address: the first IPv4 address of the host on an interface that is up and not loopback.
host_address() {
  address=$(/usr/sbin/ip -4 -o address show up | sed -n '/^[0-9]*: lo /d; s/.* inet \([0-9.]*\).*/\1/p' | head -n 1)
  [ -n "$address" ]
}
