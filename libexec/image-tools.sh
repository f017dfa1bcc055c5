# shellcheck shell=sh
# What an image has of the tools that --isolate needs. Its own shell is asked, and an image may have anything for that: how much it prints, how long it runs
# and what it takes is bounded, and nothing of it stays, whatever becomes of its client.
# shellcheck disable=SC2034,SC2154 # common.sh and the start helpers set variables, and have cli (the engine's CLI)

# find_tools IMAGE: sets tools to the names of those that it has, a line each. Fails, with tools set to why, when its shell does not run.
find_tools() {
  asked=tools-$(cat /proc/sys/kernel/random/uuid) failed=$dir/tools-failed
  rm -f "$failed"
  # In a shell of its own, which a start that is called off does not end before the container is gone.
  tools=$({ ask_image "$1" 2>&1 || give_up; } | head -c 1000)
  if [ -e "$failed" ]; then rm "$failed"; return 1; fi
}

# give_up: podman would ask it to stop first, for ten seconds.
give_up() {
  : > "$failed"
  { cli kill "$asked" || :; cli rm --force "$asked" || :; } > /dev/null 2>&1
}

# ask_image IMAGE: prints the tools. Signals are not passed on, or a shell that minds none would keep the client.
# shellcheck disable=SC2016 # for the shell of the image
ask_image() {
  cli run --rm --name "$asked" --sig-proxy=false --pull=never --network=none --log-driver=none --cap-drop=all --security-opt no-new-privileges --read-only \
    --user=0:0 --memory=256m --pids-limit=64 --entrypoint=/bin/sh "$1" -c \
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin; for tool in useradd adduser find chown; do ! command -v $tool > /dev/null || echo $tool; done'
}
