# shellcheck shell=sh
# What an image has of the tools that --isolate needs. Its own shell is asked, and an image may have anything for that: how much it prints, how long it runs
# and what it takes is bounded, and nothing of it stays, whatever becomes of its client or of the start (docker-cleanup, podman-cleanup).
# shellcheck disable=SC2034,SC2154 # common.sh and the start helpers set variables, and have cli (the engine's CLI)

# shellcheck source=/dev/null # docker-files.sh or podman-files.sh
. "${0%/*}/$engine_name-files.sh"
. "${0%/*}/image-files.sh"

# find_tools IMAGE: sets tools to the names of those that it has, a line each. Fails, with tools set to why, when its shell does not run.
find_tools() {
  failed=$dir/tools-failed
  rm -f "$failed"
  name_asked
  problem=$(make_asked "$1" 2>&1 > /dev/null) || lose_asked
  find_odd || lose_asked
  if [ -n "$odd" ]; then
    forget_asked
    fail image-refused "the image $1 has $odd"
  fi
  # Signals that end the client would only be passed on; the one that follows is not. In a shell of its own, which a start that is called off does not end
  # before the container is gone.
  tools=$({ cli start --attach "$asked" 2>&1 || give_up; } | head -c 1000)
  if [ -e "$failed" ]; then rm "$failed"; return 1; fi
  rm -f "$dir/asked"
}

# name_asked: one that an earlier start has left goes first.
name_asked() {
  forget_asked || :
  asked=tools-$(cat /proc/sys/kernel/random/uuid)
  echo "$asked" > "$dir/asked"
}

# give_up: in the time that a stop has, also where the engine does not answer.
give_up() {
  : > "$failed"
  patience=10
  discard "$asked" && rm -f "$dir/asked"
}

# lose_asked: the engine did not do what it was told; it is not waited for again.
lose_asked() {
  patience=10
  engine_answers > /dev/null 2>&1 || fail engine-away "$engine_name does not answer"
  forget_asked
  fail isolation-failed "$problem"
}

# make_asked IMAGE: the container that is asked, which does not run yet.
# shellcheck disable=SC2016 # for the shell of the image
make_asked() {
  cli create --rm --name "$asked" --pull=never --network=none --log-driver=none --cap-drop=all --security-opt no-new-privileges --read-only \
    --user=0:0 --memory=256m --pids-limit=64 --entrypoint=/bin/sh "$1" -c \
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin; for tool in useradd adduser find chown; do ! command -v $tool > /dev/null || echo $tool; done'
}
