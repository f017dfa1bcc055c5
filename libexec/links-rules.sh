# shellcheck shell=sh
# Links as NAT rules, in the form of iptables-restore. Chains of our own, emptied and filled in one transaction and hooked into the built-in ones
# once, leave the engine's rules in the namespace alone. With links, packets for 127.0.0.1 may leave the namespace, so the kernel would also take some
# that come in, from neighbours on the engine's bridge to what listens on the container's loopback only: the guard drops them.
# shellcheck disable=SC2154 # common.sh and container-links set the variables

tab=$(printf '\t')

# rules SECONDS: the table from the links file, one "FromHost TAB FromPort TAB ToPort TAB ToHost" a line, and $applied.new, the same lines with
# "TAB ADDRESS TAB" for what is in the table and "TAB TAB PROBLEM" for what is not. Names are resolved here, because one that
# fails would fail the whole table. Packets of a link get the container's own address as their source, so that answers find back.
rules() {
  echo '*nat'
  echo ':GEAR-LINKS - [0:0]'
  echo ':GEAR-LINKS-SOURCE - [0:0]'
  hook 'OUTPUT -j GEAR-LINKS' 'PREROUTING -j GEAR-LINKS' 'POSTROUTING -j GEAR-LINKS-SOURCE'
  : > "$applied.new"
  host=''
  if grep -qE "$tab(127\.0\.0\.1|[^$tab]*[A-Za-z_][^$tab]*)\$" "$file"; then host=$(host_address); fi
  addresses "$1" | awk -F '\t' -v host="$host" -v applied="$applied.new" "$program" pass=names - pass=links "$file"
  printf '%s\n' COMMIT '*raw' ':GEAR-LINKS-GUARD - [0:0]' '-A GEAR-LINKS-GUARD ! -i lo -d 127.0.0.0/8 -j DROP'
  hook 'PREROUTING -j GEAR-LINKS-GUARD'
  echo COMMIT
}

hook() {
  for rule in "$@"; do
    case $newline$present$newline in *"$newline-A $rule$newline"*) ;; *) echo "-A $rule" ;; esac
  done
}

# shellcheck disable=SC2016 # the variables are awk's
program='
function is_port(text) { return text ~ /^[1-9][0-9]*$/ && length(text) <= 5 && text + 0 <= 65535 }
function is_address(text,   part, i) {
  if (split(text, part, ".") != 4) return 0
  for (i = 1; i <= 4; i++) if (part[i] !~ /^(0|[1-9][0-9]*)$/ || length(part[i]) > 3 || part[i] + 0 > 255) return 0
  return 1
}
function address_of(name) {
  if (name !~ /[^0-9.]/) return is_address(name) ? name : ""
  return name in known ? known[name] : ""
}
function problem() {
  if (!is_port($2) || !is_port($3)) return "a port is not a number from 1 to 65535"
  from = address_of($1 == "" ? "127.0.0.1" : $1)
  if (from == "") return $1 " is not an address that can be found"
  to = address_of($4)
  if (to_self($4, to)) to = host
  if (to == "") return to_self($4, to) ? "the host has no address but loopback" : $4 " is not an address that can be found"
  return ""
}
# Debian gives the name of the host itself the address 127.0.1.1, which would be the container when seen from inside.
function to_self(name, address) { return name == "localhost" || name == "127.0.0.1" || (name ~ /[A-Za-z_]/ && address ~ /^127\./) }
pass == "names" { known[$1] = $2; next }
$4 == "" || $3 == "" || $3 == "0" { next } # incomplete: the other end is not known yet
{
  why = problem()
  printf "%s\t%s\t%s\t%s\t%s\t%s\n", $1, $2, $3, $4, why == "" ? to : "", why > applied
  if (why != "") next
  print "-A GEAR-LINKS -d " from "/32 -p tcp -m tcp --dport " $2 " -j DNAT --to-destination " to ":" $3
  if (!((to, $3) in sourced)) print "-A GEAR-LINKS-SOURCE -d " to "/32 -p tcp -m tcp --dport " $3 " -j MASQUERADE"
  sourced[to, $3] = 1
}
'

# addresses SECONDS: "NAME TAB ADDRESS" for each name in the links file that can be resolved in that time: each is asked for once, 64 at a time, in
# an order that no name is always last in. The time over, all of them are ended: timeout signals its whole process group.
addresses() {
  grep -q '[A-Za-z_]' "$file" || return 0
  cut -f 1,4 "$file" | tr '\t' '\n' | grep -x -e '[A-Za-z0-9_][A-Za-z0-9_.-]*' | grep '[^0-9.]' | sort -u | shuf |
    /usr/bin/timeout "$1" xargs -r -n 1 -P 64 /bin/sh -c '
      address=$(/usr/bin/getent ahostsv4 -- "$1") && printf "%s\t%s\n" "$1" "${address%% *}"' sh || :
}

# host_address: the first IPv4 address of the host on an interface that is up and not loopback.
host_address() {
  /usr/sbin/ip -4 -o address show up | sed -n '/^[0-9]*: lo /d; s/.* inet \([0-9.]*\).*/\1/p' | head -n 1
}
