/**
 * Clones by way of git, which is told to execute nothing that comes with a repository. Settings go through the environment, so that they
 * hold for the git processes of submodules too.
 */
import { GearError } from '../../api/index.ts'
import { urlWithoutSecrets } from '../../lib/index.ts'
import { type StreamingEnd, stream } from '../commands/streaming.ts'
import type { CloneRequest, Sources } from './port.ts'

export function gitSources(): Sources {
  return { clone }
}

/** Other sides that keep no history apart, and refs that are no name but a commit. */
const needsAll = /Remote branch .* not found|does not support shallow|dumb http|shallow/i

async function clone(request: CloneRequest): Promise<string> {
  const { address, ref, into } = request
  const isCommit = ref !== undefined && /^[0-9a-f]{7,64}$/.test(ref)
  if (!isCommit) {
    const named = ref === undefined ? [] : [`--branch=${ref}`]
    const end = await git(request, [...cloneArguments, '--depth=1', '--shallow-submodules', ...named, '--', address, into])
    if (end.exitCode === 0) return commitOf(request)
    if (!needsAll.test(end.complaint)) throw failed(request, end)
  }
  await expectGit(request, [...cloneArguments, '--', address, into])
  if (ref === undefined) return commitOf(request)
  // a branch is known by its name at the other side
  const remote = await git(request, ['-C', into, 'checkout', '--quiet', '--detach', `refs/remotes/origin/${ref}`, '--'])
  if (remote.exitCode !== 0) await expectGit(request, ['-C', into, 'checkout', '--quiet', '--detach', ref, '--'])
  await expectGit(request, ['-C', into, 'submodule', '--quiet', 'update', '--init', '--recursive', '--force'])
  return commitOf(request)
}

const cloneArguments = ['clone', '--quiet', '--template=', '--recurse-submodules', '--no-hardlinks']

async function commitOf(request: CloneRequest): Promise<string> {
  let printed = ''
  const collect = (text: string): void => {
    printed += text
  }
  const end = await git(request, ['-C', request.into, 'rev-parse', 'HEAD'], collect)
  if (end.exitCode !== 0) throw failed(request, end)
  return printed.trim()
}

async function expectGit(request: CloneRequest, args: readonly string[]): Promise<void> {
  const end = await git(request, args)
  if (end.exitCode !== 0) throw failed(request, end)
}

function git({ signal, say, mayReadFiles }: CloneRequest, args: readonly string[], onStdout = say): Promise<StreamingEnd> {
  return stream({ tool: 'git', args, variables: gitVariables(mayReadFiles), signal, onStdout, onStderr: say })
}

function failed({ address, ref }: CloneRequest, { exitCode, complaint }: StreamingEnd): GearError {
  const said = complaint
    .split('\n')
    .filter(line => !/^Cloning into|^warning: --depth|^hint:/.test(line))
    .join(' ')
    .replaceAll(address, urlWithoutSecrets(address))
  const what = ref === undefined ? urlWithoutSecrets(address) : `${ref} of ${urlWithoutSecrets(address)}`
  return new GearError('SOURCE_FAILED', `Could not clone ${what}`, { cause: new Error(said === '' ? `git ended with ${exitCode}` : said) })
}

/** Configuration by its names (git-config(1)). What is not here is git's default: no file of the host's is read. */
export function gitVariables(mayReadFiles: boolean): Readonly<Record<string, string>> {
  const settings: Readonly<Record<string, string>> = {
    'protocol.allow': 'never',
    'protocol.https.allow': 'always',
    'protocol.http.allow': 'always',
    'protocol.ssh.allow': 'always',
    'protocol.git.allow': 'always',
    // `user`: of the address that was given, but not of submodules
    'protocol.file.allow': mayReadFiles ? 'user' : 'never',
    'core.hooksPath': '/dev/null',
    'core.fsmonitor': 'false',
    'core.sshCommand': 'ssh -oBatchMode=yes',
    'credential.helper': '',
    'init.templateDir': '',
    'submodule.recurse': 'false',
    'advice.detachedHead': 'false',
    // repositories of this host belong to accounts of their own, and reading one executes nothing of it
    'safe.directory': '*',
    'http.lowSpeedLimit': '1',
    'http.lowSpeedTime': '120',
  }
  const entries = Object.entries(settings)
  return {
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_COUNT: String(entries.length),
    ...Object.fromEntries(
      entries.flatMap(([name, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, name],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    GIT_LFS_SKIP_SMUDGE: '1',
  }
}
