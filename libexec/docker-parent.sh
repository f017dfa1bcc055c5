# shellcheck shell=sh
# Where the docker engine puts the processes of a container: the form in which --cgroup-parent names a slice depends on its cgroup driver.
# shellcheck disable=SC2154 # common.sh, docker.sh and the helpers set variables

# find_driver: the cgroup driver, asked once per start of the engine; engine-driver holds it with the pid of that engine.
find_driver() {
  cache=$run/engine-driver
  engine_pid='' cached_pid=''
  if [ -e /run/docker.pid ]; then read -r engine_pid < /run/docker.pid || :; fi # no newline at its end
  if [ -e "$cache" ]; then read -r cached_pid driver < "$cache" || :; fi
  if [ -n "$engine_pid" ] && [ "$cached_pid" = "$engine_pid" ]; then return; fi
  engine 60 GET info || return 1
  driver=${body#*'"CgroupDriver":"'}
  driver=${driver%%\"*}
  echo "$engine_pid $driver" > "$cache.$id" && mv "$cache.$id" "$cache"
}

# find_parent: sets cgroup_parent to the slice's name for the systemd driver; for cgroupfs to its path, which systemd nests at each dash.
find_parent() {
  cgroup_parent=$slice
  if [ "$driver" = systemd ]; then return; fi
  cgroup_parent='' prefix='' rest=${slice%.slice}-
  while [ -n "$rest" ]; do
    prefix=$prefix${rest%%-*} rest=${rest#*-}
    cgroup_parent=$cgroup_parent/$prefix.slice prefix=$prefix-
  done
}
