/** Working copies for builds: clones with submodules, at one state. They run as root, or as whoever builds. */
import { GearError } from '../../api/index.ts'
import { urlWithoutSecrets } from '../../lib/index.ts'
import { type StreamingEnd, stream } from '../commands/streaming.ts'
import type { Guard } from '../network/guard.ts'
import { adviceOn, refusalIn } from './advice.ts'
import { type Credentials, withoutCredentials } from './credentials.ts'
import { gitVariables, trustingUploadPack } from './environment.ts'
import type { CloneRequest } from './port.ts'
import { openReach, type Reach } from './reach.ts'

interface Cloning extends CloneRequest {
  readonly reach: Reach
  readonly credentials: Omit<Credentials, 'address'>
}

/** Other sides that keep no history apart, and refs that are no name but a commit. */
const needsAll = /Remote branch .* not found|does not support shallow|dumb http|shallow/i

export async function clone(request: CloneRequest, isGuarded: Guard | undefined): Promise<string> {
  const { address, ...credentials } = withoutCredentials(request.address)
  await using reach = await openReach(address, { mayReachHost: request.mayReachHost, isGuarded })
  return await cloneBy({ ...request, address, credentials, reach })
}

async function cloneBy(request: Cloning): Promise<string> {
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

async function commitOf(request: Cloning): Promise<string> {
  let printed = ''
  const collect = (text: string): void => {
    printed += text
  }
  const end = await git(request, ['-C', request.into, 'rev-parse', '--verify', '--quiet', 'HEAD'], collect)
  if (end.exitCode !== 0) throw failed(request, { ...end, complaint: end.complaint || 'its default branch has no commits' })
  return printed.trim()
}

async function expectGit(request: Cloning, args: readonly string[]): Promise<void> {
  const end = await git(request, args)
  if (end.exitCode !== 0) throw failed(request, end)
}

function git({ signal, say, mayReadFiles, credentials, reach }: Cloning, args: readonly string[], onStdout = say): Promise<StreamingEnd> {
  const protocols = mayReadFiles ? ({ ...reach.protocols, file: 'user' } as const) : reach.protocols
  const settings = gitVariables({ protocols, more: { ...reach.settings, ...credentials.settings } })
  const variables = { ...settings, ...credentials.variables, ...reach.variables }
  return stream({ tool: 'git', args, variables, signal, onStdout, onStderr: say })
}

function failed({ address, ref, reach }: Cloning, { exitCode, complaint }: StreamingEnd): GearError {
  const said = complaint
    .split('\n')
    .filter(line => !/^Cloning into|^warning: --depth|^hint:/.test(line))
    .join(' ')
    .replaceAll(address, urlWithoutSecrets(address))
  const refusal = refusalIn(complaint)
  const advice = refusal === undefined ? undefined : adviceOn(refusal, 'the user who builds')
  const why = [said === '' ? `git ended with ${exitCode}` : said, reach.failure(), advice].filter(text => text !== undefined).join(': ')
  const what = ref === undefined ? urlWithoutSecrets(address) : `${ref} of ${urlWithoutSecrets(address)}`
  return new GearError('SOURCE_FAILED', `Could not clone ${what}`, { cause: new Error(why) })
}
