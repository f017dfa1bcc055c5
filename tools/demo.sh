#!/bin/bash
# The main job, shown on a disposable host: install a sample image as a service over the API, start it, fetch its page through its external
# port, look at it, stop it. Each command is printed as it would be typed, then what it answers. `make demo` sets up and builds first.
# Nothing is left behind, however it ends.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

export GEAR_LAB=demo
bold='' plain=''
if [[ -t 1 ]]; then bold=$'\e[1m' plain=$'\e[0m'; fi

main() {
  trap 'lab/lab down' EXIT
  trap 'exit 130' INT TERM HUP
  title 'Boot a host: systemd, Docker and this build of gear'
  here lab/lab up host1
  address=$(lab/lab ip host1)
  host gear --version
  host systemctl is-active gear docker

  title 'Install an image as a service, over the API'
  host "curl -sS -i -X PUT --unix-socket /run/gear/gear.sock http://gear/container/shop-web -d '{\"Image\": \"gear/httpd\", \"Ports\": [{\"Internal\": 8080}]}'"
  host curl -sS http://127.0.0.1:43273/container/shop-web/ports

  title 'Start it, from the command line'
  host gear start --wait shop-web
  port=$(external_port)

  title 'Fetch its page through its external port, from another machine'
  here curl -sS "http://$address:$port/"

  title 'Look at it'
  host gear status shop-web
  host gear list-units
  host gear log --lines 5 shop-web

  title 'It is a systemd service: it needs no agent'
  host systemctl stop gear
  host systemctl restart ctr-shop-web
  here curl -sS --retry 20 --retry-connrefused --retry-delay 1 "http://$address:$port/"
  host systemctl start gear

  title 'Stop it and remove it'
  host gear stop shop-web
  host gear list-units
  host gear delete shop-web
  title 'Done; the host is taken down'
}

title() { printf '%s== %s%s\n\n' "$bold" "$*" "$plain"; }

# here COMMAND...: runs it on this machine.
here() {
  printf '%s$ %s%s\n' "$bold" "$*" "$plain"
  "$@"
  echo
}

# host COMMAND...: runs it as root on the host; one word is a line of shell.
host() {
  printf '%sroot@host1:~# %s%s\n' "$bold" "$*" "$plain"
  lab/lab exec host1 -- sh -c "$*"
  echo
}

external_port() {
  local ports
  ports=$(lab/lab exec host1 -- curl -sS http://127.0.0.1:43273/container/shop-web/ports)
  [[ $ports =~ \"External\":\ ?([0-9]+) ]] || { echo "no external port in: $ports" >&2; return 1; }
  echo "${BASH_REMATCH[1]}"
}

main
