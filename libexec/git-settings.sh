# shellcheck shell=sh
# git_settings HOOKS: the settings of git, a line each, that stand above a repository's own and everybody else's (git-config(1), GIT_CONFIG_COUNT).
git_settings() {
  cat <<END
core.hooksPath $1
core.logAllRefUpdates true
core.fsmonitor false
pack.windowMemory 64m
receive.maxInputSize 4294967296
tar.tar.gz.command git archive gzip
uploadpack.allowFilter true
END
}
