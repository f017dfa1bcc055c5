# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # here, lab and state come from names.sh, from network.sh and from who sources this
# One host, as hosts.sh makes them, but a machine with a kernel of its own in QEMU: Debian 12 with the one control group hierarchy that its systemd sets up.
#
# $state/HOST holds all of it: disk.qcow2 (what it wrote, over the disk of machine-image.sh), checkout.img (this repository, for /usr/src/gear), address,
# qemu.pid, port (of the way in, on loopback), ssh (the connection that commands share), words (of its kernel), console.log.

. "$here/machine-image.sh"

boot_limit_s=600

host_names() {
  local folder
  for folder in "$state"/*/; do [[ ! -d $folder ]] || basename "$folder"; done
}

# The leader of a machine is its name: processes here are none of its.
find_leader() { # HOST
  leader=$1
  is_started "$1"
}

# What is another after each boot.
find_boot() { # HOST
  connect "$1" && boot=$(become_in_host "$1" cat /proc/sys/kernel/random/boot_id 2>/dev/null)
}

is_started() { # HOST
  local pid name
  { read -r pid <"$state/$1/qemu.pid" && read -r name <"/proc/$pid/comm"; } 2>/dev/null || return 1
  [[ $name == qemu-system-* && -e /proc/$pid/exe ]] # a zombie has no exe
}

# Becomes COMMAND on the host, for whoever speaks with its ssh.
become_in_host() { # HOST COMMAND...
  local host=$1 terminal=-T
  shift
  if [[ -t 0 && -t 1 ]]; then terminal=-t; fi
  read -r port <"$state/$host/port"
  exec ssh "$terminal" "${ssh_options[@]}" -o ControlPath="$state/$host/ssh" -p "$port" root@127.0.0.1 \
    "exec env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin ${*@Q}"
}
find_image
ssh_options=(-F none -q -e none -i "$image/key" -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
  -o ConnectTimeout=5 -o ServerAliveInterval=15 -o ServerAliveCountMax=8)

prepare_hosts() {
  [[ $(dpkg --print-architecture) == amd64 ]] || fail 'machines are made for amd64 only'
  "$here/../packaging/install-packages.sh" "$here/machine-tools.txt"
  make_image
  choose_accelerator
}

make_host() { # HOST
  is_started "$1" || [[ -e $state/$1/disk.qcow2 ]] || remove_host "$1"
  mkdir -p "$state/$1"
  [[ -s $state/$1/address ]] || next_address >"$state/$1/address"
  [[ ! -e $state/$1/disk.qcow2 ]] || return 0
  make_checkout "$state/$1/checkout.img"
  qemu-img create -q -f qcow2 -F raw -b "$image/disk.img" "$state/$1/disk.qcow2"
}

make_checkout() { # FILE
  local repository=${here%/*} size_mib
  size_mib=$(du -sm --exclude=.git "$repository" | cut -f1)
  truncate -s "$((size_mib * 5 / 4 + 200))M" "$1"
  mke2fs -q -t ext4 -O ^has_journal -L gear-checkout -d "$repository" "$1"
}

start_host() { # HOST
  local cable folder=$state/$1 address words attempts=0
  is_started "$1" && return
  cable=$(cable_name "$1")
  ip link show dev "$cable" &>/dev/null || ip tuntap add dev "$cable" mode tap
  ip link set "$cable" master "$(bridge_name)" up
  read -r address <"$folder/address"
  if [[ -n ${GEAR_LAB_KERNEL_WORDS+given} ]]; then printf '%s\n' "$GEAR_LAB_KERNEL_WORDS" >"$folder/words"; fi
  read -r words 2>/dev/null <"$folder/words" || words=''
  rm -f "$folder/ssh"
  # A port is taken by whoever is first, so they are tried.
  until run_qemu "$1" "$((20000 + RANDOM % 10000))"; do
    ((attempts++ < 5)) || { cat "$folder/qemu.log" >&2; fail "$1 does not start"; }
  done
}

run_qemu() { # HOST PORT
  echo "$2" >"$folder/port"
  (
    # shellcheck disable=SC2046 # words of options
    exec qemu-system-x86_64 -name "$(machine_name "$1")" -machine q35 $(accelerator_options) -smp 2 -m "${GEAR_LAB_MEMORY:-2048}" \
      -nodefaults -no-user-config -display none -serial "file:$folder/console.log" \
      -kernel "$image/kernel" -initrd "$image/initrd" \
      -append "root=/dev/vda rw console=ttyS0 net.ifnames=0 mitigations=off systemd.hostname=$1 gear.address=$address systemd.show_status=yes $words" \
      -drive "file=$folder/disk.qcow2,if=virtio,format=qcow2,cache=writeback" \
      -drive "file=$folder/checkout.img,if=virtio,format=raw,readonly=on" \
      -netdev "user,id=control,restrict=on,hostfwd=tcp:127.0.0.1:$2-10.0.2.15:2222" -device virtio-net-pci,netdev=control \
      -netdev "tap,id=cable,ifname=$cable,script=no,downscript=no" -device "virtio-net-pci,netdev=cable,mac=$(mac_of "$address")" \
      -object rng-random,id=random,filename=/dev/urandom -device virtio-rng-pci,rng=random \
      -pidfile "$folder/qemu.pid" -daemonize
  ) >"$folder/qemu.log" 2>&1 </dev/null 9>&-
}

mac_of() { # ADDRESS
  local -a bytes
  IFS=. read -ra bytes <<<"$1"
  printf '52:54:%02x:%02x:%02x:%02x\n' "${bytes[@]}"
}

# Emulated, each access to memory that is not cached walks the page tables in software: five levels of them would be one more.
accelerator_options() {
  if [[ $(<"$image/accelerator") == kvm ]]; then echo '-accel kvm -cpu host'; else echo '-accel tcg,thread=multi,tb-size=1024 -cpu max,la57=off'; fi
}

# Where /dev/kvm answers, a kernel may still not boot on it (a nested machine whose hypervisor wants a kernel made for it), which only a kernel can tell:
# without a root file system it complains and ends within seconds. Found out once for each boot of this machine.
choose_accelerator() {
  local boot seen
  read -r boot </proc/sys/kernel/random/boot_id
  if [[ ! -e $image/accelerator || $(cat "$image/accelerator-boot" 2>/dev/null) != "$boot" ]]; then
    seen=$(timeout 10 qemu-system-x86_64 -machine q35 -accel kvm -cpu host -m 512 -nodefaults -display none -no-reboot -serial stdio \
      -kernel "$image/kernel" -append 'console=ttyS0 panic=-1' 2>&1 </dev/null) || true
    if [[ $seen == *'Unable to mount root'* ]]; then echo kvm; else echo tcg; fi >"$image/accelerator"
    echo "$boot" >"$image/accelerator-boot"
  fi
  [[ $(<"$image/accelerator") == kvm ]] || echo 'no hardware virtualization here: machines are emulated, which is slower' >&2
}

await_host() { # HOST
  local deadline=$((SECONDS + boot_limit_s)) waits_for='its ssh'
  until is_started "$1" && connect "$1" && has_booted "$1" && has_docker "$1"; do
    is_started "$1" || fail_boot "$1" 'ended while it booted'
    ((SECONDS < deadline)) || fail_boot "$1" "did not boot within $boot_limit_s s, still waiting for $waits_for"
    sleep 0.3
  done
  if [[ ! -e $state/$1/furnished ]]; then
    install_build "$1"
    load_images "$1" || fail "$1 did not take the images"
    touch "$state/$1/furnished"
  fi
  give_names "$1"
}

fail_boot() { # HOST WHAT
  tail -n 30 "$state/$1/console.log" | sed "s/^/$1: /" >&2
  fail "$1 $2; above is the end of $state/$1/console.log"
}

# One connection for all commands: each would otherwise compute keys, which an emulated processor takes half a second for.
connect() { # HOST
  local port
  waits_for='its ssh'
  [[ ! -S $state/$1/ssh ]] || ! (become_in_host "$1" true) &>/dev/null || return 0
  rm -f "$state/$1/ssh"
  read -r port <"$state/$1/port"
  timeout 60 ssh "${ssh_options[@]}" -M -S "$state/$1/ssh" -N -f -p "$port" root@127.0.0.1 </dev/null &>"$state/$1/ssh.log" 9>&-
}

disconnect() { # HOST
  local port
  [[ -S $state/$1/ssh ]] || return 0
  read -r port <"$state/$1/port"
  ssh "${ssh_options[@]}" -S "$state/$1/ssh" -O exit -p "$port" root@127.0.0.1 &>/dev/null || true
  rm -f "$state/$1/ssh"
}

has_booted() { # HOST
  local answer
  answer=$( (become_in_host "$1" timeout "$boot_limit_s" systemctl is-system-running --wait) 2>/dev/null </dev/null) || true
  waits_for="systemd, which says '$answer'"
  [[ $answer == running || $answer == degraded ]]
}

has_docker() { # HOST
  waits_for=Docker
  [[ $( (become_in_host "$1" curl -qs --max-time 10 --unix-socket /run/docker.sock http://docker/_ping) 2>/dev/null </dev/null) == OK ]]
}

# As a user does it who has built it: what is built is on the checkout, and Docker has to be restarted once to log as gear wants it.
install_build() { # HOST
  [[ ${GEAR_LAB_INSTALL-} != no ]] || return 0
  (become_in_host "$1" sh -ec '
    make -s -C /usr/src/gear --old-file=build install
    systemctl restart docker.service
    systemctl enable --quiet --now gear.service') </dev/null >"$state/$1/install.log" 2>&1 || {
    tail -n 20 "$state/$1/install.log" >&2
    fail "make install failed on $1"
  }
}

share_names() {
  local host
  for host in $(host_names); do if [[ -S $state/$host/ssh ]]; then give_names "$host"; fi; done
}

# Those that do not run get theirs when they have booted.
give_names() { (become_in_host "$1" tee /etc/hosts) <"$state/.hosts" >/dev/null || true; }

# Everything at once, as if the power were cut.
kill_host() { # HOST
  local pid
  if is_started "$1"; then
    read -r pid <"$state/$1/qemu.pid"
    kill -KILL "$pid"
    wait_until 10 has_ended "$1" || fail "$1 does not end"
  fi
  rm -f "$state/$1/qemu.pid"
  disconnect "$1"
  ip link delete dev "$(cable_name "$1")" 2>/dev/null || true
}

has_ended() { ! is_started "$1"; }

remove_host() { # HOST
  kill_host "$1"
  rm -rf --one-file-system "${state:?}/$1"
}
