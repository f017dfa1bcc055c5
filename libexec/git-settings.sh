# shellcheck shell=sh
# git_settings HOOKS: the settings of git, a line each, that stand above a repository's own and everybody else's (git-config(1), GIT_CONFIG_COUNT).
# What is pushed is looked through, so that nobody gets names such as ../x or .git by a clone or an archive; what old histories have of oddities is no danger.
git_settings() {
  cat <<END
core.hooksPath $1
core.logAllRefUpdates true
core.fsmonitor false
pack.windowMemory 64m
receive.fsckObjects true
receive.fsck.badTimezone ignore
receive.fsck.missingEmail ignore
receive.fsck.missingNameBeforeEmail ignore
receive.fsck.missingSpaceBeforeDate ignore
receive.fsck.missingSpaceBeforeEmail ignore
receive.fsck.zeroPaddedDate ignore
receive.fsck.zeroPaddedFilemode ignore
receive.maxInputSize 4294967296
tar.tar.gz.command git archive gzip
uploadpack.allowFilter true
END
}
