/** `gear cp` */
import { GearError, type Plan, piecesOf, type Session } from '../../api/index.ts'
import { type Client, planOf, request } from '../../client/index.ts'
import { printHost, printTar } from '../../formats/index.ts'
import { defineCommand } from '../command.ts'
import { type Context, Interruption } from '../context.ts'
import type { LeftOut } from '../copy/disk.ts'
import { type Destination, type Place, planCopy, readContainerPath, readPlace, targetOf } from '../copy/places.ts'
import { showPlan } from '../dry-run.ts'
import { type CommonFlags, type DryRunFlags, dryRunFlags, text } from '../flags.ts'
import { foreignText } from '../render/foreign-text.ts'
import { UsageError } from '../usage-error.ts'

interface CpFlags extends DryRunFlags {
  readonly owner?: string
}

type InContainer = Place & { readonly kind: 'container' }
type Here = Exclude<Place, InContainer>

export const command = () =>
  defineCommand<CpFlags>({
    name: 'cp',
    usage: '[flags] SOURCE DESTINATION',
    description: [
      'One of both is in a running container, [host[:port]/]id:/path, the other a path on this machine, or - for a tar on the standard input or output. A folder is copied with all that is in it: into the destination if that is a folder, else under its name. FOLDER/. means what is in the folder.',
      'A source that is a link is followed, in a container within the container; links inside a folder stay links, and those that lead out of what is copied out of a container are left out, as devices are: then the exit code is 1. A copy out of a container is put in place when it is whole. Nothing of the image is run.',
    ],
    argument: {
      placeholder: 'PLACE',
      brief: 'A path in a container [host[:port]/]id:/path, a path on this machine, or -',
      names: ['place'],
    },
    examples: [
      'gear cp web-1:/etc/nginx/nginx.conf .',
      'gear cp site/. node7/web-1:/usr/share/nginx/html',
      'gear cp node7/db-1:/var/log - | tar t',
      'gear cp --dry-run site/. web-1:/usr/share/nginx/html',
    ],
    flags: { owner: text('UID[:GID]', 'Numbers of the owner of what is copied into a container; 0:0 without it'), ...dryRunFlags },
    run: async (context, flags, places) => {
      const [source, destination, ...others] = places.map(readPlace)
      if (source === undefined || destination === undefined || others.length > 0) throw new UsageError('give a source and a destination')
      if (flags.output === 'json' && !flags.dryRun) throw new UsageError('--output json is for commands that report')
      if (source.kind === 'container' && destination.kind === 'container') {
        throw new UsageError('one of both must be on this machine; between containers: gear cp A:/path - | gear cp - B:/folder')
      }
      const given = places[source.kind === 'container' ? 1 : 0] ?? ''
      if (source.kind === 'container') {
        if (flags.owner !== undefined) throw new UsageError('--owner is for copies into a container')
        if (destination.kind !== 'container') return fromContainer(context, flags, source, destination)
      }
      if (source.kind !== 'container' && destination.kind === 'container') return intoContainer(context, flags, source, destination)
      throw new UsageError(`neither place is in a container: write it as [host[:port]/]id:/path, not ${given}`)
    },
  })

async function fromContainer(context: Context, flags: CommonFlags & CpFlags, source: InContainer, destination: Here): Promise<number> {
  const place = readContainerPath(source.path)
  const given = `${source.id}:${source.path}`
  if (destination.kind === 'stream') {
    if (flags.dryRun) return showPlan(context, flags, { ...shownOf(source), plan: { steps: [] } })
    if (context.out.isTerminal) throw new UsageError('a tar is not for a terminal: send it to a file or a program')
    return withClient(context, flags, source, async client => {
      for await (const piece of await read(context, client, source.id, place.path)) await context.streams.write('stdout', piece)
      return 0
    })
  }
  const { lookAtDestination, unpack } = await import('../copy/disk.ts')
  const there = await lookAtDestination(destination.path)
  return withClient(context, flags, source, async client => {
    const { kind } = await client.call(request('getFileKind', { params: { id: source.id }, query: { path: place.path } }), {
      signal: context.signal,
    })
    const from = { kind, given, name: place.name, isContent: place.isContent }
    const target = targetOf(from, there)
    if (flags.dryRun) return showPlan(context, flags, { ...shownOf(source), plan: planCopy(from, there, target, '') })
    const left = leftOuts(context)
    const progress = progressOn(context)
    const bytes = progress.watch(await read(context, client, source.id, place.path))
    await unpack(bytes, { target, isRoot: place.name === '', onLeftOut: left.add }).finally(progress.end)
    return left.tell()
  })
}

async function read(context: Context, client: Client, id: string, path: string): Promise<AsyncIterable<Uint8Array>> {
  const bytes = await client.call(request('readFiles', { params: { id }, query: { path } }), { signal: context.signal })
  return explained(bytes, async () => {
    if (!context.signal.aborted) await requireRunning(context, client, id)
  })
}

/** An agent can but break off what it sends; why, the container tells. */
async function* explained(bytes: AsyncIterable<Uint8Array>, ask: () => Promise<void>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes
  } catch (error) {
    await ask()
    throw error
  }
}

async function requireRunning(context: Context, client: Client, id: string): Promise<void> {
  const call = request('containerStatus', { params: { id }, query: { lines: 0 } }, 'data')
  const isRunning = await client.call(call, { signal: context.signal }).then(
    status => status.activeState === 'active',
    // A host that does not answer is what the copy has failed for.
    (error: unknown) => !(error instanceof GearError) || error.code !== 'CONTAINER_UNKNOWN',
  )
  if (!isRunning) throw new GearError('CONTAINER_NOT_RUNNING', `Container ${id} was stopped or deleted, which ended the copy`)
}

async function intoContainer(context: Context, flags: CommonFlags & CpFlags, source: Here, destination: InContainer): Promise<number> {
  const owner = readOwner(flags.owner)
  const place = readContainerPath(destination.path)
  if (source.kind === 'stream') {
    if (flags.owner !== undefined) throw new UsageError('--owner is not for a tar, which names the owners itself')
    return withClient(context, flags, destination, async client => {
      const into = { id: destination.id, folder: place.path }
      if (flags.dryRun) return showPlan(context, flags, { ...shownOf(destination), plan: await planSend(context, client, into) })
      return send(context, client, { ...into, tar: context.streams.input() })
    })
  }
  const { entriesOf, failureOf, lookAtSource } = await import('../copy/disk.ts')
  const from = await lookAtSource(source.path)
  return withClient(context, flags, destination, async client => {
    const there = await lookInside(context, client, destination)
    const target = targetOf(from, there)
    const { folder, name } = target
    if (flags.dryRun) {
      const { steps } = await planSend(context, client, { id: destination.id, folder })
      return showPlan(context, flags, {
        ...shownOf(destination),
        plan: { steps: [...planCopy(from, there, target, `${destination.id}:`).steps, ...steps] },
      })
    }
    const left = leftOuts(context)
    const tar = printTar(entriesOf(from, { name, owner, onLeftOut: left.add }))
    const exitCode = await send(context, client, { id: destination.id, folder, tar }).catch((error: unknown) => {
      throw failureOf(error, `copy ${source.path}`)
    })
    return left.tell() || exitCode
  })
}

/** Numbers, as names mean something else in every image. */
function readOwner(given = '0'): { readonly uid: number; readonly gid: number } {
  const [, uid = '', gid = uid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(given) ?? []
  if (uid === '' || Number(uid) > ownerMax || Number(gid) > ownerMax) throw new UsageError('--owner must be UID or UID:GID, in numbers')
  return { uid: Number(uid), gid: Number(gid) }
}

const ownerMax = 4_294_967_294

async function lookInside(context: Context, client: Client, { id, path }: InContainer): Promise<Destination> {
  const place = readContainerPath(path)
  const call = request('getFileKind', { params: { id }, query: { path: place.path } })
  const kind = await client.call(call, { signal: context.signal }).then(
    data => data.kind,
    (error: unknown) => {
      if (error instanceof GearError && error.code === 'FILE_UNKNOWN') return undefined
      throw error
    },
  )
  return { ...place, given: `${id}:${path}`, kind }
}

/** What the host would do with what is sent; fails where it would refuse it. */
function planSend(context: Context, client: Client, { id, folder }: Omit<Sending, 'tar'>): Promise<Plan> {
  return client.call(planOf(request('writeFiles', { params: { id }, body: { folder } })), { signal: context.signal })
}

function shownOf({ host, id }: InContainer) {
  return { host: printHost(host), id, name: host.kind === 'local' ? id : `${printHost(host)}/${id}` }
}

interface Sending {
  readonly id: string
  readonly folder: string
  readonly tar: AsyncIterable<Uint8Array>
}

/** The exit code. Whoever fails first is told: what is read here, or the other end. */
async function send(context: Context, client: Client, { id, folder, tar }: Sending): Promise<number> {
  const session = await client.open(request('writeFiles', { params: { id }, body: { folder } }), { signal: context.signal })
  const progress = progressOn(context)
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => undefined)
  let isOver = false
  const pass = async (): Promise<void> => {
    for await (const bytes of progress.watch(tar)) {
      for (const piece of piecesOf(bytes)) {
        if (isOver) return
        await session.write({ kind: 'input', bytes: piece })
      }
    }
    await session.write({ kind: 'end' })
  }
  pass().catch(failure.reject)
  try {
    return await Promise.race([exitOf(session), failure.promise])
  } finally {
    isOver = true
    session.close()
    progress.end()
  }
}

async function exitOf(session: Session): Promise<number> {
  for await (const output of session.output) if (output.kind === 'exit') return output.exitCode
  return 1
}

/** Ends with the exit code of an interruption; what is wrong is told by whoever runs the command. */
async function withClient(
  context: Context,
  flags: CommonFlags,
  { host }: InContainer,
  work: (client: Client) => Promise<number>,
): Promise<number> {
  const client = context.connect(host, { tokenFile: flags.tokenFile ?? context.tokenFile })
  try {
    return await work(client)
  } catch (error) {
    const why = context.signal.aborted ? context.signal.reason : error
    if (!(why instanceof Interruption)) throw why
    if (!why.isSilent) await context.err.write('\nInterrupted. Nothing was changed here; what had arrived in the container stays there.\n')
    return why.exitCode
  } finally {
    await client.close()
  }
}

const leftOutsTold = 20

function leftOuts(context: Context) {
  const all: LeftOut[] = []
  let count = 0
  return {
    add: (left: LeftOut): void => {
      if (++count <= leftOutsTold) all.push(left)
    },
    /** The exit code. */
    async tell(): Promise<number> {
      for (const { name, why } of all) await context.err.write(foreignText(`Left out: ${name}: ${why}\n`))
      if (count > all.length) await context.err.write(`Left out: ${count - all.length} more\n`)
      return count === 0 ? 0 : 1
    },
  }
}

const progressEveryMs = 200

/** How much has come, on a terminal. */
function progressOn(context: Context) {
  let sizeBytes = 0
  let shownMs = context.nowMs()
  let isShown = false
  return {
    async *watch(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const piece of bytes) {
        context.signal.throwIfAborted()
        sizeBytes += piece.length
        if (context.err.isTerminal && context.nowMs() - shownMs >= progressEveryMs) {
          shownMs = context.nowMs()
          isShown = true
          await context.err.draw(`\r${(sizeBytes / 1_048_576).toFixed(1)} MiB\x1b[K`)
        }
        yield piece
      }
    },
    end(): void {
      if (isShown) void context.err.draw('\r\x1b[K')
      isShown = false
    },
  }
}
