# shellcheck shell=sh
# A container with an account of its own on the host (--isolate), for the start helpers: the account, and the two scripts that the container runs
# first. What the author of the image wrote gets into these scripts alone, quoted, and they run inside the container.
# shellcheck disable=SC2154 # common.sh sets variables; the start helpers have cli (the engine's CLI), pull and fail

# shellcheck source-path=SCRIPTDIR
. "${0%/*}/quota.sh"
. "${0%/*}/image-tools.sh"

# Text of the image as a word of shell, by a template that docker and podman understand: each ' in it becomes '\''.
quote="'" word="$quote{{join (split . \"$quote\") \"$quote\\\\$quote$quote\"}}$quote"
command_template="exec{{range .Config.Entrypoint}} $word{{end}}{{range .Config.Cmd}} $word{{end}}"
init_template="# {{.ID}}${newline}user={{with .Config.User}}$word{{end}}${newline}\
set --{{range \$path, \$_ := .Config.Volumes}}{{with \$path}} $word{{end}}{{end}}"

# isolate QUOTA OPTIONS… IMAGE: the quota is empty or =BYTES, the options are those of the run. A volume that they ask for is the
# account's too; a folder of the host is not.
isolate() {
  quota=$1
  shift
  for image; do :; done
  make_account
  limit_files "${account%:*}" "$quota"
  describe_image "$command_template"
  command=$described
  [ "$command" != exec ] || fail isolation-failed "the image $image has no command"
  describe_image "$init_template"
  require_tools
  volumes=''
  while [ $# -gt 1 ]; do
    case $1$2 in -v*:*) ;; -v*) volumes="$volumes '$(printf '%s' "$2" | sed "s/'/'\\\\''/g")'" ;; esac
    shift
  done
  { printf '#!/bin/sh\nuid=%s gid=%s\n%s%s\n' "${account%:*}" "${account#*:}" "$described" "$volumes"
    cat "${0%/*}/inside-rows.sh" "${0%/*}/inside-user.sh" "${0%/*}/inside-mounts.sh" "${0%/*}/inside-init.sh"; } | write_script container-init.sh 700
  printf '#!/bin/sh\n%s\n' "$command" | write_script container-cmd.sh 705
}

# make_account: sets account to its UID:GID.
make_account() {
  account=$("${0%/*}/make-account" "ctr-$id" "$base/home/$partition/$id/home" 'Container user' /bin/sh 2>&1) ||
    fail isolation-failed "$account"
  account=${account##*"$newline"}
}

# describe_image TEMPLATE: sets described to what it makes of the image, which is pulled when it is not here.
describe_image() {
  if described=$(cli image inspect --format "$1" "$image" 2> /dev/null); then return; fi
  pull "$image"
  described=$(cli image inspect --format "$1" "$image" 2>&1) || fail isolation-failed "$described"
}

# write_script NAME MODE: from standard input.
write_script() {
  cat > "$dir/$1.new"
  chmod "$2" "$dir/$1.new"
  mv "$dir/$1.new" "$dir/$1"
}

# require_tools: what the scripts need is in the image, which is asked once for each boot of the host.
require_tools() {
  image_id=${described%%"$newline"*}
  known=$run/image-tools/${image_id##*[ :]}
  if [ ! -e "$known" ]; then
    mkdir -p "${known%/*}"
    find_tools "$image" || fail isolation-failed "the image $image has no shell that runs, and --isolate needs one: $tools"
    echo "$tools" > "$known.$id"
    mv "$known.$id" "$known"
  fi
  for tool in find chown; do
    grep -qx "$tool" "$known" || fail isolation-failed "the image $image has no $tool, and --isolate needs it"
  done
  # An image that runs as root counts as one without a user.
  case $described in *"${newline}user=${newline}"* | *"${newline}user='root"[:\']* | *"${newline}user='0"[:\']*) ;; *) return ;; esac
  grep -qxE 'useradd|adduser' "$known" ||
    fail isolation-failed "the image $image has no user, and neither useradd nor adduser to make one"
}
