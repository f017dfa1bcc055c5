# shellcheck shell=bash
# shellcheck disable=SC2154 # here, lab and state come from names.sh and from who sources this
# Turns lab/images/ (see its README) into one archive that `docker load` and `podman load` read: layers as tars, a configuration for each
# image, manifest.json. One load takes a third of a second; an import for each image takes that long for each.

images_archive=$state/.images.tar

make_images_archive() {
  [[ ! -e $images_archive ]] || return 0
  local work=$state/.images folder base comma=''
  rm -rf "$work"
  mkdir -p "$work/archive"
  base=$(base_layer "$work")
  {
    echo '['
    for folder in "$here"/images/*/; do
      [[ -e $folder/config.json ]] || continue
      echo "$comma$(image_entry "$work/archive" "${folder%/}" "$base")"
      comma=,
    done
    echo ']'
  } >"$work/archive/manifest.json"
  tar -C "$work/archive" -cf "$work/images.tar" .
  mv "$work/images.tar" "$images_archive"
  rm -rf "$work"
}

# Into both engines at once. Podman calls them localhost/gear/NAME, and finds gear/NAME.
load_images() { # LEADER
  (become_in_host "$1" podman load --quiet) <"$images_archive" >/dev/null &
  local podman=$!
  (become_in_host "$1" docker load --quiet) <"$images_archive" >/dev/null
  wait "$podman"
}

base_layer() { # WORK
  local root=$1/base applet
  cp -r "$here/images/base/root" "$root"
  mkdir -p "$root"/{bin,root,tmp,var,proc,sys,dev}
  chmod 1777 "$root/tmp"
  cp /bin/busybox "$root/bin/busybox"
  for applet in $(busybox --list); do [[ $applet == busybox ]] || ln -s busybox "$root/bin/$applet"; done
  add_layer "$1/archive" "$root"
}

# Adds a folder's files to the archive as a layer and prints its digest. Same files, same digest.
add_layer() { # ARCHIVE ROOT
  local digest
  tar -C "$2" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$1/layer" .
  digest=$(digest_of "$1/layer")
  mv "$1/layer" "$1/$digest.tar"
  echo "$digest"
}

# Adds an image's configuration and own layer to the archive and prints its entry in the manifest. Without a history, Podman makes images of its
# containers from which it makes no more.
image_entry() { # ARCHIVE FOLDER BASE
  local digest own root=$2/root layers="\"$3.tar\"" diff_ids="\"sha256:$3\"" history='{"created_by":"lab base"}'
  if [[ -e $2/programs ]]; then
    root=$1.root
    with_programs "$2" "$root"
  fi
  if [[ -d $root ]]; then
    own=$(add_layer "$1" "$root")
    layers+=",\"$own.tar\"" diff_ids+=",\"sha256:$own\"" history+=",{\"created_by\":\"lab ${2##*/}\"}"
  fi
  printf '{"architecture":"%s","os":"linux","created":"2026-01-01T00:00:00Z","config":%s,"rootfs":{"type":"layers","diff_ids":[%s]},"history":[%s]}' \
    "$(dpkg --print-architecture)" "$(<"$2/config.json")" "$diff_ids" "$history" >"$1/config"
  digest=$(digest_of "$1/config")
  mv "$1/config" "$1/$digest.json"
  printf '{"Config":"%s.json","RepoTags":["gear/%s:latest"],"Layers":[%s]}' "$digest" "${2##*/}" "$layers"
}

# The files of an image together with programs of this machine and the libraries they need.
with_programs() { # FOLDER ROOT
  local program library
  rm -rf "$2"
  mkdir -p "$2"
  [[ ! -d $1/root ]] || cp -r "$1/root/." "$2"
  while read -r program; do
    install -D "$program" "$2$program"
    for library in $(ldd "$program" | grep -o '/[^ ]*'); do [[ -e $2$library ]] || install -D "$library" "$2$library"; done
  done <"$1/programs"
}

digest_of() {
  local digest
  read -r digest _ < <(sha256sum "$1")
  echo "$digest"
}
