# shellcheck shell=bash
# shellcheck disable=SC2154 # here comes from who sources this
# The disk that every machine begins with: Debian 12 as mmdebstrap makes it, its kernel, both engines, and a way in for the lab. Made once and kept in
# /var/cache/gear-lab, under a name that follows from what is in it.

image_cache=/var/cache/gear-lab
release=bookworm

# Sets `image` to the folder with disk.img, kernel, initrd and key.
find_image() {
  local sum
  sum=$(cat "$here/machine-packages.txt" "$here/machine-image.sh" | checksum_of)
  image=$image_cache/$release-$sum
}

checksum_of() {
  local sum
  read -r sum _ < <(sha256sum)
  echo "${sum:0:12}"
}

make_image() {
  find_image
  [[ ! -e $image/disk.img ]] || return 0
  mkdir -p "$image_cache"
  chmod 700 "$image_cache" # the keys
  exec 8<"$image_cache"
  flock 8
  if [[ ! -e $image/disk.img ]]; then
    echo "making the disk of machines, which takes two minutes once" >&2
    rm -rf --one-file-system "$image_cache/new" # made half
    mkdir "$image_cache/new"
    (set -e; fill_image "$image_cache/new") >"$image_cache/log" 2>&1 || { tail -n 20 "$image_cache/log" >&2; fail "no disk for machines; above is the end of $image_cache/log"; }
    mv "$image_cache/new" "$image"
  fi
  exec 8<&-
}

fill_image() { # FOLDER
  local root=$1/root packages
  local -a sources
  packages=$(sed 's/#.*//' "$here/machine-packages.txt" | xargs | tr ' ' ,)
  mapfile -t sources < <(apt_sources)
  # What this machine's apt is told of its mirror holds for that of the image, too.
  apt-config dump | grep -E '^Acquire::(https?::|Check-)' >"$1/apt.conf" || true
  mmdebstrap --variant=minbase --format=directory --aptopt="$1/apt.conf" --include="$packages" "$release" "$root" "${sources[@]}" </dev/null
  ssh-keygen -q -t ed25519 -N '' -C gear-lab -f "$1/key"
  furnish_root "$root" "$1/key.pub"
  prepare_selinux "$root"
  cp "$root"/boot/vmlinuz-* "$1/kernel"
  cp "$root"/boot/initrd.img-* "$1/initrd"
  truncate -s 12G "$1/disk.new"
  mke2fs -q -t ext4 -L gear-root -E lazy_itable_init=1,lazy_journal_init=1 -d "$root" "$1/disk.new"
  rm -rf --one-file-system "$root"
  mv "$1/disk.new" "$1/disk.img"
}

# Where this machine has its packages from, if they are of the same release.
apt_sources() {
  (. /etc/os-release && [[ $VERSION_CODENAME == "$release" ]]) || return 0
  if [[ -s /etc/apt/sources.list.d/debian.sources ]]; then
    echo /etc/apt/sources.list.d/debian.sources
  elif [[ -s /etc/apt/sources.list ]]; then
    echo /etc/apt/sources.list
  fi
}

# Like a host of the lab: what runs is what gear needs. The first card is the lab's own way in, which stays when the network is cut; the second one
# is the machine's.
furnish_root() { # ROOT PUBLIC-KEY
  local root=$1
  : >"$root/etc/machine-id"
  cat >"$root/etc/fstab" <<'END'
LABEL=gear-root / ext4 errors=remount-ro 0 1
LABEL=gear-checkout /usr/src/gear ext4 ro,nofail 0 0
END
  mkdir -p "$root/usr/src/gear" "$root/usr/lib/gear-lab" "$root/var/log/journal"
  install -m 600 "$2" "$root/usr/lib/gear-lab/authorized_keys"
  cat >"$root/usr/lib/gear-lab/sshd_config" <<'END'
ListenAddress 10.0.2.15:2222
AuthorizedKeysFile /usr/lib/gear-lab/authorized_keys
PidFile none
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
UseDNS no
MaxSessions 1000
MaxStartups 100
END
  cat >"$root/usr/lib/gear-lab/network" <<'END'
#!/bin/sh
# The machine's address is among the words of its kernel.
set -e
address=$(sed -n 's/.*gear\.address=\([0-9.]*\).*/\1/p' /proc/cmdline)
ip link set lo up
ip link set eth0 up
ip address replace 10.0.2.15/24 dev eth0
ip link set eth1 up
ip address replace "$address/24" dev eth1
ip route replace default via "${address%.*}.1"
echo "nameserver $address" > /etc/resolv.conf # nobody listens there: a look-up fails at once, in containers too
END
  chmod 755 "$root/usr/lib/gear-lab/network"
  rm -f "$root/etc/resolv.conf"
  cat >"$root/etc/systemd/system/gear-lab-network.service" <<'END'
[Unit]
DefaultDependencies=no
After=sys-subsystem-net-devices-eth0.device sys-subsystem-net-devices-eth1.device
Wants=sys-subsystem-net-devices-eth0.device sys-subsystem-net-devices-eth1.device network.target
Before=network.target sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/lib/gear-lab/network
[Install]
WantedBy=sysinit.target
END
  cat >"$root/etc/systemd/system/gear-lab-ssh.service" <<'END'
[Unit]
After=gear-lab-network.service
[Service]
RuntimeDirectory=sshd
RuntimeDirectoryPreserve=yes
ExecStart=/usr/sbin/sshd -D -f /usr/lib/gear-lab/sshd_config
OOMScoreAdjust=-1000
Restart=always
# What an administrator of the machine began goes on when this is restarted, and ends with the machine.
KillMode=process
[Install]
WantedBy=multi-user.target
END
  find "$root/etc/systemd/system" -mindepth 1 -maxdepth 1 \( -name '*.wants' -o -name '*.requires' \) -exec rm -r {} +
  systemctl --quiet --root="$root" enable containerd.service docker.socket docker.service podman.socket ssh.service gear-lab-network.service gear-lab-ssh.service
  systemctl --quiet --root="$root" mask serial-getty@ttyS0.service getty@tty1.service
}

# For the day it is booted with SELinux: the policy complains instead of refusing, and has the types that engines give containers and their files, which
# Debian's has not. Files of the machine have no labels; those of containers get theirs when they are mounted.
prepare_selinux() { # ROOT
  sed -i 's/^SELINUX=.*/SELINUX=permissive/' "$1/etc/selinux/config"
  cat >"$1/root/containers.cil" <<'END'
(type container_t)
(type container_file_t)
(type container_ro_file_t)
(roletype system_r container_t)
(roletype object_r container_file_t)
(roletype object_r container_ro_file_t)
(typeattributeset domain (container_t))
(typeattributeset file_type (container_file_t container_ro_file_t))
END
  chroot "$1" semodule --noreload --store default --install /root/containers.cil
}
