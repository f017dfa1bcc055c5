/**
 * What every git process of ours gets to see: nothing of our own environment, none of the host's configuration, and settings that stand above those
 * of the repository it works in. They go through the environment, so that they hold for the processes that git starts too.
 */

/** ssh as git starts it, by a shell. It asks nobody anything. */
export function sshCommand(options: readonly string[]): string {
  return ['ssh', '-oBatchMode=yes', '-oConnectTimeout=30', ...options].map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
}

/** Configuration by its names (git-config(1)). What is not here is git's default. */
const settings: Readonly<Record<string, string>> = {
  // nothing that comes with a repository is executed
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.attributesFile': '/dev/null',
  'init.templateDir': '',
  // or the file of the repository could name a program to compress with
  'tar.tar.gz.command': 'git archive gzip',
  // nobody is asked for anything
  'core.sshCommand': sshCommand([]),
  'credential.helper': '',
  // a clone that has stalled ends
  'http.lowSpeedLimit': '1',
  'http.lowSpeedTime': '120',
  'submodule.recurse': 'false',
  'advice.detachedHead': 'false',
}

/** How git reaches other repositories. `always` reaches submodules as well, `user` only the address that was given (git-config(1), protocol.allow). */
export type Protocols = Readonly<Partial<Record<'https' | 'http' | 'ssh' | 'git' | 'file', 'always' | 'user'>>>

export interface GitSettings {
  /** No other is used: not those that are commands (`ext::`), nor those of helpers that happen to be installed. */
  readonly protocols: Protocols
  /** Counts before what is set for all. */
  readonly more?: Readonly<Record<string, string>>
}

export function gitVariables({ protocols, more = {} }: GitSettings): Readonly<Record<string, string>> {
  const allowed = Object.entries(protocols).map(([name, value]) => [`protocol.${name}.allow`, value] as const)
  const entries = [...Object.entries(settings), ['protocol.allow', 'never'] as const, ...allowed, ...Object.entries(more)]
  return {
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    // or an object of a few kilobytes could take any memory: what is as large in honest repositories git streams (core.bigFileThreshold)
    GIT_ALLOC_LIMIT: '1g',
    // or serving a repository could run what its configuration says where an object is missing
    GIT_NO_LAZY_FETCH: '1',
    // a commit that is built or packed is the one of its name, whatever was pushed to refs/replace
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_CONFIG_COUNT: String(entries.length),
    ...Object.fromEntries(
      entries.flatMap(([name, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, name],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  }
}

/**
 * The other side of a clone of files: it would refuse a repository of another owner, as all of ours are, unless its own command line says otherwise.
 * git hands this to a shell, so it is the same for every repository. Serving one executes nothing that is in it.
 */
export const trustingUploadPack = "--upload-pack=git -c 'safe.directory=*' upload-pack"
