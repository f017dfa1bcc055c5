# shellcheck shell=sh
# Whether /etc/passwd and /etc/group of an image are files, asked before anything of it runs. Engines read both themselves, and so do the scripts of an isolated
# container, line by line: on a fifo dockerd waits for ever and lets nobody at the container, and a device does what it does when it is opened. So nothing
# is opened: the engine tells what a container has there that has not run (docker-files.sh, podman-files.sh).
# shellcheck disable=SC2154 # image-tools.sh and the engine's file set the variables

rows_max=1048576 # bytes; the shell of the image reads some hundred thousand a second

# find_odd: sets odd to what is wrong with the files of the container $asked, if anything is. Fails, with problem set, when the engine does not tell.
find_odd() {
  odd=''
  show_files || return 1
  for file in /etc/passwd /etc/group; do
    look_at "$file" || return 1
    case $kind in
      '') ;; # an image need not have one
      file) [ "$size" -le "$rows_max" ] || odd="an $file of $size bytes, and $rows_max are read at most" ;;
      *) odd="$kind in the place of its $file" ;;
    esac
    [ -z "$odd" ] || break
  done
  hide_files
}
