/** git as child processes, started by way of setpriv where they work in a repository of another account. */
import { type ChildProcess, spawn } from 'node:child_process'
import { realpath, rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { GearError, limits } from '../../api/index.ts'
import type { CloneSource } from '../../formats/index.ts'
import { commandFailed } from '../commands/errors.ts'
import { toolEnvironment, tools } from '../commands/port.ts'
import type { Paths } from '../host.ts'
import { linesOf } from '../journal/lines.ts'
import { adviceOn } from './advice.ts'
import { gitVariables, type Protocols, trustingUploadPack } from './environment.ts'
import type { CreateOptions, Git, RepositoryPlace } from './port.ts'
import { quarters, withoutReturns } from './progress.ts'
import { clone } from './working-copy.ts'

/** What git says when it fails is for a message, not for keeping. */
const complaintBytes = 4096

export function processGit({ cloneRoot }: Pick<Paths, 'cloneRoot'>): Git {
  return { commitOf, probe, archive, checkOut, clone, create: (place, source, options) => create(place, source, { cloneRoot, ...options }) }
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

/** The index, which git needs for it, lies beside the files, so that the repository is not written to. */
async function checkOut(place: RepositoryPlace, { commit, folder }: { readonly commit: string; readonly folder: string }): Promise<void> {
  const index = `${folder}/.gear-index`
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
  { cloneRoot, mayRedirect = true }: CreateOptions & Pick<Paths, 'cloneRoot'>,
): AsyncGenerator<string> {
  const args = source === undefined ? initArguments(place) : cloneArguments(place, await allowed(source, cloneRoot), mayRedirect)
  const run = start(place, args, {
    isSpeech: true,
    protocols: source === undefined ? {} : { [source.kind === 'file' ? 'file' : source.protocol]: 'always' },
  })
  let last = ''
  let advice: string | undefined
  try {
    const isTold = quarters()
    for await (const line of linesOf(withoutReturns(run.output), limits.logLineBytes)) {
      if (line.trim() === '' || !isTold(line)) continue
      yield line
      last = last.startsWith('fatal:') ? last : line
      advice ??= adviceOn(line, place.account ?? 'the user')
    }
    if ((await run.exitCode()) !== 0) throw run.failure(advice === undefined ? last : `${last}: ${advice}`)
  } finally {
    run.kill()
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
function cloneArguments({ path }: RepositoryPlace, source: CloneSource, mayRedirect: boolean): readonly string[] {
  const redirects = mayRedirect ? [] : ['-c', 'http.followRedirects=false']
  const trusting = source.kind === 'file' ? [trustingUploadPack] : []
  return [...redirects, 'clone', '--bare', '--progress', '--no-local', '--template=', ...trusting, '--', source.text, path]
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
  readonly variables?: Readonly<Record<string, string>>
}

function start(
  place: RepositoryPlace,
  args: readonly string[],
  { isSpeech = false, isForCallers = false, protocols = {}, variables = {} }: StartOptions = {},
): Run {
  const { path } = place
  const isInContainer = isForCallers && place.isInContainer === true
  const [file = '', ...rest] = isInContainer ? inContainer(place, args) : onHost(place, isSpeech ? args : [`--git-dir=${path}`, ...args])
  const child: ChildProcess = spawn(file, rest, {
    env: { ...toolEnvironment, ...gitVariables({ protocols }), HOME: path, ...variables },
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
      commandFailed(
        'git',
        args.filter(arg => /^[a-z-]+$/.test(arg) && arg !== '-c').slice(0, 1),
        broken ?? new Error(said.trim() || 'it said nothing'),
      ),
    kill: () => void child.kill('SIGKILL'),
  }
}

function onHost({ account }: RepositoryPlace, args: readonly string[]): readonly string[] {
  const git = [tools.git.path, ...args]
  if (account === undefined) return git
  const asAccount = [`--reuid=${account}`, `--regid=${account}`, '--init-groups', '--inh-caps=-all', '--no-new-privs', '--']
  return [tools.setpriv.path, ...asAccount, ...git]
}

/** By a unit of its own: what podman starts belongs to whoever started it, and sees the file systems of that one. */
function inContainer({ path, account = '' }: RepositoryPlace, args: readonly string[]): readonly string[] {
  const unit = ['--pipe', '--wait', '--collect', '--quiet', '--slice=githost.slice', `--description=git for ${account}`]
  return [tools['systemd-run'].path, ...unit, '--', tools['githost-git'].path, account, path, ...args]
}
