/** git as child processes, started by way of setpriv where they work in a repository of another account. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { realpath, rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { GearError, limits } from '../../api/index.ts'
import { type CloneSource, FormatError, openSshFingerprint, parseAuthorizedKey, type SshKey } from '../../formats/index.ts'
import { commandFailed } from '../commands/errors.ts'
import { toolEnvironment, tools } from '../commands/port.ts'
import { stream } from '../commands/streaming.ts'
import type { Paths } from '../host.ts'
import { linesOf } from '../journal/lines.ts'
import type { Guard } from '../network/guard.ts'
import { openGuardedWay } from '../network/guarded-way.ts'
import { adviceOn, type Refusal, refusalIn } from './advice.ts'
import { gitVariables, type Protocols, trustingUploadPack } from './environment.ts'
import type { CreateOptions, Git, RepositoryPlace, SshSource } from './port.ts'
import { isProgress, quarters, withoutReturns } from './progress.ts'
import { openReach } from './reach.ts'
import { clone } from './working-copy.ts'

/** What git says when it fails is for a message, not for keeping. */
const complaintBytes = 4096
/** Of three keys, with room. */
const hostKeysBytes = 65_536

/** `isGuarded` tells which addresses are not reached for callers who may not reach this host; tests have their own. */
export function processGit({ cloneRoot }: Pick<Paths, 'cloneRoot'>, { isGuarded }: Guarding = {}): Git {
  return {
    commitOf,
    probe,
    requireSize,
    archive,
    checkOut,
    clone: request => clone(request, isGuarded),
    create: (place, source, options) => create(place, source, { cloneRoot, isGuarded, ...options }),
    hostKeys: (source, options) => hostKeys(source, { isGuarded, ...options }),
  }
}

interface Guarding {
  readonly isGuarded?: Guard | undefined
}

async function commitOf(place: RepositoryPlace, ref: string): Promise<string | undefined> {
  const run = start(place, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`])
  let text = ''
  for await (const piece of run.output) text += piece.toString('utf8')
  const exitCode = await run.exitCode()
  const commit = text.trim()
  if (exitCode === 0 && /^[0-9a-f]{40,64}$/.test(commit)) return commit
  // 1 and no word: there is no such ref (git-rev-parse(1), --quiet)
  if (exitCode === 1) return undefined
  throw run.failure()
}

async function probe(place: RepositoryPlace): Promise<void> {
  const run = start(place, ['rev-parse', '--is-bare-repository'], { isForCallers: true })
  for await (const _ of run.output);
  if ((await run.exitCode()) !== 0) throw run.failure()
}

async function* archive(
  place: RepositoryPlace,
  { commit, format }: { readonly commit: string; readonly format: string },
): AsyncGenerator<Uint8Array> {
  const run = start(place, ['archive', `--format=${format}`, '--end-of-options', commit], { isForCallers: true })
  try {
    for await (const piece of run.output) yield piece
    if ((await run.exitCode()) !== 0) throw run.failure()
  } finally {
    run.kill()
  }
}

/** Trees are read one after the other: a commit that a few of them make enormous costs no memory, and ends at the limit. */
async function requireSize(place: RepositoryPlace, commit: string): Promise<void> {
  const run = start(place, ['ls-tree', '-r', '-l', '-z', '--full-tree', commit])
  let files = 0
  let sizeBytes = 0
  let rest = ''
  try {
    for await (const piece of run.output) {
      const entries = (rest + piece.toString('latin1')).split('\0')
      rest = entries.pop() ?? ''
      files += entries.length
      // `100644 blob ID    SIZE<TAB>path`; a submodule has `-`
      for (const entry of entries) sizeBytes += Number(/^\d+ blob \w+ +(\d+)\t/.exec(entry)?.[1] ?? 0)
      if (files > limits.commitFiles) throw tooLarge(commit, `it has more than ${limits.commitFiles} files`)
      if (sizeBytes > limits.commitBytes) throw tooLarge(commit, `its files have more than ${limits.commitBytes} bytes`)
    }
    if ((await run.exitCode()) !== 0) throw run.failure()
  } finally {
    run.kill()
  }
}

function tooLarge(commit: string, why: string): GearError {
  return new GearError('COMMIT_TOO_LARGE', `The commit ${commit.slice(0, 10)} is too large`, { cause: new Error(why) })
}

/** The index, which git needs for it, lies beside the files, so that the repository is not written to; under a name that none of them can have been given. */
async function checkOut(place: RepositoryPlace, { commit, folder }: { readonly commit: string; readonly folder: string }): Promise<void> {
  await requireSize(place, commit)
  const index = `${folder}/.gear-index-${randomUUID()}`
  const run = start(place, [`--work-tree=${folder}`, 'checkout', '--quiet', '--force', commit, '--', '.'], {
    variables: { GIT_INDEX_FILE: index },
  })
  for await (const _ of run.output);
  if ((await run.exitCode()) !== 0) throw run.failure()
  await rm(index, { force: true })
}

/** git speaks of a clone on standard error, where its progress belongs; the last of it is the reason of a failure. */
async function* create(
  place: RepositoryPlace,
  source: CloneSource | undefined,
  options: CreateOptions & Guarding & Pick<Paths, 'cloneRoot'>,
): AsyncGenerator<string> {
  const { cloneRoot, mayReachHost = true, ssh, isGuarded, onProgress } = options
  const args = source === undefined ? initArguments(place) : cloneArguments(place, await allowed(source, cloneRoot))
  await using reach = await openReach(source?.text ?? '', { mayReachHost, ssh, isGuarded })
  const { settings, variables } = reach
  const run = start(place, args, { isSpeech: true, protocols: protocolOf(source), settings, variables })
  let last = ''
  let refusal: Refusal | undefined
  try {
    const isTold = quarters()
    for await (const line of linesOf(withoutReturns(run.output), limits.logLineBytes)) {
      if (isProgress(line)) onProgress?.(line)
      if (line.trim() === '' || !isTold(line)) continue
      yield line
      last = last.startsWith('fatal:') ? last : line
      refusal ??= refusalIn(line)
    }
    if ((await run.exitCode()) === 0) return
    const advice = refusal === undefined ? undefined : await advised(refusal, { ...options, mayReachHost, source, account: place.account })
    throw run.failure([last.replace(/\.$/, ''), reach.failure(), advice].filter(text => text !== undefined).join(': '))
  } finally {
    run.kill()
  }
}

/** Only that of the address: a bare clone has no submodules. */
function protocolOf(source: CloneSource | undefined): Protocols {
  if (source === undefined) return {}
  return { [source.kind === 'file' ? 'file' : source.protocol]: 'always' }
}

interface Situation extends Pick<CreateOptions, 'ssh'>, Guarding {
  readonly source: CloneSource | undefined
  readonly account: string | undefined
  readonly mayReachHost: boolean
}

/** Of a host that is not known, what it shows is told too: that is what has to be compared. */
async function advised(refusal: Refusal, { source, account, ssh, mayReachHost, isGuarded }: Situation): Promise<string> {
  const who = account ?? 'the user'
  if (refusal !== 'hostUnknown' || source?.kind !== 'remote' || ssh === undefined)
    return adviceOn(refusal, who, { publicKey: ssh?.publicKey })
  const keys = await hostKeys(source, { account: who, mayReachHost, isGuarded }).catch(() => [])
  return adviceOn(refusal, who, { publicKey: ssh.publicKey, shown: keys.map(key => `${openSshFingerprint(key)} (${key.algorithm})`) })
}

const scanSeconds = 15

/** ssh-keyscan says what it could not do on standard error, with an exit code that older ones do not have. */
async function hostKeys(
  { host, port }: SshSource,
  { account, mayReachHost, isGuarded }: { readonly account: string; readonly mayReachHost: boolean } & Guarding,
): Promise<readonly SshKey[]> {
  await using way = mayReachHost ? undefined : await openGuardedWay(isGuarded)
  const where =
    way === undefined ? [`-p${port}`, '--', host.replace(/^\[(.*)\]$/, '$1')] : [`-p${await way.forward(host, port)}`, '--', '127.0.0.1']
  const scan = [tools['ssh-keyscan'].path, `-T${scanSeconds}`, '-ted25519,ecdsa,rsa', ...where]
  let printed = ''
  const onStdout = (text: string): void => {
    printed = (printed + text).slice(0, hostKeysBytes)
  }
  const { complaint } = await stream({ tool: 'setpriv', args: [...asAccount(account), ...scan], onStdout, accepted: [1] })
  const keys = printed.split('\n').flatMap(line => readHostKey(line))
  if (keys.length > 0) return keys
  const why =
    way?.failure ??
    complaint
      .split('\n')
      .filter(line => !line.startsWith('#'))
      .join(' ')
  throw new GearError('SOURCE_FAILED', `The host ${host} shows no key on port ${port}`, { cause: new Error(why || 'nothing answered') })
}

/** `[host]:port ssh-ed25519 AAAA…`; lines with `#` in front are about the other side. */
function readHostKey(line: string): readonly SshKey[] {
  if (line.startsWith('#') || !line.includes(' ')) return []
  try {
    return [parseAuthorizedKey(line.slice(line.indexOf(' ') + 1)).key]
  } catch (error) {
    if (error instanceof FormatError) return []
    throw error
  }
}

/** A source on this host is below the root by its real path, which is then the one that is read. */
async function allowed(source: CloneSource, root: string): Promise<CloneSource> {
  if (source.kind !== 'file') return source
  const [path, realRoot] = await Promise.all([realpath(source.path), realpath(root)]).catch((cause: unknown) => {
    throw new GearError('COMMAND_FAILED', `Could not find ${source.path}`, { cause })
  })
  if (!path.startsWith(`${realRoot}/`)) throw new GearError('COMMAND_FAILED', `${source.path} is not below ${root}`)
  return { kind: 'file', path, text: `file://${path}` }
}

function initArguments({ path }: RepositoryPlace): readonly string[] {
  return ['init', '--bare', '--quiet', '--template=', '--initial-branch=main', '--', path]
}

/** Not `--local`: a clone of files would take links and foreign files among them for objects (CVE-2022-39253). */
function cloneArguments({ path }: RepositoryPlace, source: CloneSource): readonly string[] {
  const trusting = source.kind === 'file' ? [trustingUploadPack] : []
  return ['clone', '--bare', '--progress', '--no-local', '--template=', ...trusting, '--', source.text, path]
}

interface Run {
  readonly output: Readable
  exitCode(): Promise<number | null>
  /** Why it failed, in git's words. */
  failure(said?: string): Error
  kill(): void
}

interface StartOptions {
  /** What is read is what git says on standard error; there is no other output. The repository is still to be made. */
  readonly isSpeech?: boolean
  /** It does what a caller has asked for, so it runs in a container where there is one for that. */
  readonly isForCallers?: boolean
  /** Of what it reaches; none without. */
  readonly protocols?: Protocols
  readonly settings?: Readonly<Record<string, string>>
  readonly variables?: Readonly<Record<string, string>>
}

function start(
  place: RepositoryPlace,
  args: readonly string[],
  { isSpeech = false, isForCallers = false, protocols = {}, settings = {}, variables = {} }: StartOptions = {},
): Run {
  const { path } = place
  const isInContainer = isForCallers && place.isInContainer === true
  const [file = '', ...rest] = isInContainer ? inContainer(place, args) : onHost(place, isSpeech ? args : [`--git-dir=${path}`, ...args])
  const child: ChildProcess = spawn(file, rest, {
    env: { ...toolEnvironment, ...gitVariables({ protocols, more: settings }), HOME: path, ...variables },
    stdio: isSpeech ? ['ignore', 'ignore', 'pipe'] : ['ignore', 'pipe', 'pipe'],
    cwd: '/',
  })
  const ended = Promise.withResolvers<number | null>()
  let complaint = ''
  let broken: Error | undefined
  child.once('error', error => {
    broken = error
    ended.resolve(null)
  })
  child.once('close', ended.resolve)
  if (!isSpeech) {
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString('utf8')).slice(-complaintBytes)
    })
  }
  return {
    output: (isSpeech ? child.stderr : child.stdout) as Readable,
    exitCode: () => ended.promise,
    failure: (said = complaint) =>
      commandFailed('git', args.filter(arg => /^[a-z-]+$/.test(arg)).slice(0, 1), broken ?? new Error(said.trim() || 'it said nothing')),
    kill: () => void child.kill('SIGKILL'),
  }
}

function onHost({ account }: RepositoryPlace, args: readonly string[]): readonly string[] {
  const git = [tools.git.path, ...args]
  if (account === undefined) return git
  return [tools.setpriv.path, ...asAccount(account), ...git]
}

/** For setpriv: what follows runs as the account, with nothing of root's. */
function asAccount(account: string): readonly string[] {
  return [`--reuid=${account}`, `--regid=${account}`, '--init-groups', '--inh-caps=-all', '--no-new-privs', '--']
}

/** By a unit of its own: what podman starts belongs to whoever started it, and sees the file systems of that one. */
function inContainer({ path, account = '' }: RepositoryPlace, args: readonly string[]): readonly string[] {
  const unit = ['--pipe', '--wait', '--collect', '--quiet', '--slice=githost.slice', `--description=git for ${account}`]
  return [tools['systemd-run'].path, ...unit, '--', tools['githost-git'].path, account, path, ...args]
}
