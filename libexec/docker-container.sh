# shellcheck shell=sh
# The container named ID as the engine has it, and how it goes without its data: looked at, stopped, its volumes kept, removed.
# Nothing without our label is ever stopped or removed. What fails sets problem to the reason.
# shellcheck disable=SC2034,SC2154 # common.sh sets the variables, the helpers read them
problem='docker does not answer on its socket'

# find_container: sets found to none, foreign or ours, and inspected to what the engine says of it. Fails without an answer.
find_container() {
  engine 10 GET "containers/$id/json" || return 1
  inspected=$body
  case $status in
    404) found=none ;;
    200) if is_ours "$inspected"; then found=ours; else found=foreign; fi ;;
    *) problem=$body; return 1 ;;
  esac
}

# find_image: sets image to the id of the one it was made from.
find_image() { image=${inspected#*'"Image":"'} image=${image%%\"*}; }

is_running() {
  case $inspected in *'"Running":true,'*) ;; *) return 1 ;; esac
}

# stop_running: one that runs on where it should not gets its stop signal and 10 s, whatever grace it was run with.
stop_running() {
  is_running || return 0
  engine 30 POST "containers/$id/stop?t=10" && find_container
}

# remove_container: the container goes when its volumes are held by ID-data. Anonymous volumes are not removed with it.
remove_container() {
  keep_volumes || return 1
  engine 60 DELETE "containers/$id" || return 1
  case $status in
    204 | 404) ;;
    *) problem=$body; return 1 ;;
  esac
}
