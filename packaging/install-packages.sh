#!/bin/bash
# install-packages LIST…: installs the Debian packages named in the given files (one a line, # starts a comment) that are missing.
#
# No daemon starts because of it, now or at the next boot: service starts are refused during the installation, and units that the packages
# enabled are disabled again. What was installed, enabled or running before stays as it was.
set -euo pipefail

policy=/usr/sbin/policy-rc.d

main() {
  local -a missing
  exec 8<"$0"
  flock 8 # who comes second finds everything installed
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  ((EUID == 0)) || { echo "install-packages: only root can install ${missing[*]}" >&2; exit 1; }

  local before
  before=$(enabled_units)
  echo "installing ${missing[*]}" >&2
  apt-get update -q >&2
  without_service_starts env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >&2
  disable_units "$(comm -13 <(echo "$before") <(enabled_units))"
}

missing_packages() {
  local -a wanted
  mapfile -t wanted < <(sed 's/#.*//' "$@" | xargs -n1 | sort -u)
  comm -23 <(printf '%s\n' "${wanted[@]}") \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null | sed -n 's/^installed //p' | sort -u)
}

# Debian asks policy-rc.d before a package starts its service; 101 means no. A file of the administrator's is not touched: ours is laid
# over it in a mount namespace that only the installation sees.
without_service_starts() {
  local refuse
  refuse=$(mktemp)
  printf '#!/bin/sh\nexit 101\n' >"$refuse"
  chmod 755 "$refuse"
  if [[ -e $policy ]]; then
    # shellcheck disable=SC2064 # the name as it is now
    trap "rm -f '$refuse'" EXIT
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount --propagation private sh -ec 'mount --bind "$1" "$2"; shift 2; exec "$@"' sh "$refuse" "$policy" "$@"
  else
    # shellcheck disable=SC2064
    trap "rm -f '$policy'" EXIT
    mv "$refuse" "$policy"
    "$@"
  fi
}

enabled_units() { find /etc/systemd/system -path '*.wants/*' -type l -printf '%f\n' 2>/dev/null | sort -u; }

disable_units() {
  local unit
  for unit in $1; do systemctl disable --quiet "$unit"; done
}

main "$@"
