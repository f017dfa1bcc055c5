/** Working copies for builds: clones with submodules, at one state. They run as root, or as whoever builds. */
import { GearError } from '../../api/index.ts'
import { urlWithoutSecrets } from '../../lib/index.ts'
import { type StreamingEnd, stream } from '../commands/streaming.ts'
import { adviceOn } from './advice.ts'
import { gitVariables, trustingUploadPack } from './environment.ts'
import type { CloneRequest } from './port.ts'

/** Other sides that keep no history apart, and refs that are no name but a commit. */
const needsAll = /Remote branch .* not found|does not support shallow|dumb http|shallow/i

export async function clone(request: CloneRequest): Promise<string> {
  const { address, ref, into } = request
  const isCommit = ref !== undefined && /^[0-9a-f]{7,64}$/.test(ref)
  const args = cloneArguments(request)
  if (!isCommit) {
    const named = ref === undefined ? [] : [`--branch=${ref}`]
    const end = await git(request, [...args, '--depth=1', '--shallow-submodules', ...named, '--', address, into])
    if (end.exitCode === 0) return commitOf(request)
    if (!needsAll.test(end.complaint)) throw failed(request, end)
  }
  await expectGit(request, [...args, '--', address, into])
  if (ref === undefined) return commitOf(request)
  // a branch is known by its name at the other side
  const remote = await git(request, ['-C', into, 'checkout', '--quiet', '--detach', `refs/remotes/origin/${ref}`, '--'])
  if (remote.exitCode !== 0) await expectGit(request, ['-C', into, 'checkout', '--quiet', '--detach', ref, '--'])
  await expectGit(request, ['-C', into, 'submodule', '--quiet', 'update', '--init', '--recursive', '--force'])
  return commitOf(request)
}

function cloneArguments({ address }: CloneRequest): readonly string[] {
  const trusting = address.startsWith('file:') ? [trustingUploadPack] : []
  return ['clone', '--quiet', '--template=', '--recurse-submodules', '--no-hardlinks', ...trusting]
}

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
  const remote = { https: 'always', http: 'always', ssh: 'always', git: 'always' } as const
  const protocols = mayReadFiles ? ({ ...remote, file: 'user' } as const) : remote
  return stream({ tool: 'git', args, variables: gitVariables({ protocols }), signal, onStdout, onStderr: say })
}

function failed({ address, ref }: CloneRequest, { exitCode, complaint }: StreamingEnd): GearError {
  const said = complaint
    .split('\n')
    .filter(line => !/^Cloning into|^warning: --depth|^hint:/.test(line))
    .join(' ')
    .replaceAll(address, urlWithoutSecrets(address))
  const advice = adviceOn(complaint, 'the user who builds')
  const why = [said === '' ? `git ended with ${exitCode}` : said, ...(advice === undefined ? [] : [advice])].join(': ')
  const what = ref === undefined ? urlWithoutSecrets(address) : `${ref} of ${urlWithoutSecrets(address)}`
  return new GearError('SOURCE_FAILED', `Could not clone ${what}`, { cause: new Error(why) })
}
