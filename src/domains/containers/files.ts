/** Files out of and into a running container, by the engine, which follows links within the container: nothing of the image is run for it. */
import { type BytesResult, type ContainerId, type FileKind, GearError, limits, type Session, type SessionOutput } from '../../api/index.ts'
import { withOwners } from '../../formats/index.ts'
import type { Clock, Host, NumberRange } from '../../host/index.ts'
import { type DryRun, Handover } from '../../lib/index.ts'
import type { Copies, Copy } from './copies.ts'
import { runningContainer } from './running.ts'

type HostParts = Pick<Host, 'files' | 'paths' | 'engines' | 'clock'>

/** What a copy is of. */
interface Place {
  readonly id: ContainerId
  readonly path: string
}

/** Throws FILE_UNKNOWN, as what follows; and CONTAINER_UNKNOWN and CONTAINER_NOT_RUNNING. */
export async function fileKind(host: HostParts, id: ContainerId, path: string): Promise<FileKind> {
  const { engine, container } = await runningContainer(host, id)
  const kind = await engine.fileKind(container.id, path)
  if (kind === undefined) throw fileUnknown(id, path)
  return kind
}

/** The signal ends a copy that has begun. */
export async function readFiles(host: HostParts, copies: Copies, { id, path }: Place, caller: AbortSignal): Promise<BytesResult> {
  const copy = copies.begin(id)
  const signal = AbortSignal.any([caller, copy.signal])
  // Nobody may take anything of it any more.
  caller.addEventListener('abort', copy.done, { once: true })
  try {
    const { engine, container } = await runningContainer(host, id)
    const bytes = await engine.readFiles(container.id, path, signal)
    if (bytes === undefined) throw fileUnknown(id, path)
    const { numbers } = container
    const owned = numbers.length === 0 ? bytes : withOwners(bytes, number => numberInside(numbers, number))
    return {
      bytes: endedBy(copy, takenInTime(bounded(owned, signal), host.clock)),
      mediaType: 'application/x-tar',
      fileName: `${id}.tar`,
    }
  } catch (error) {
    copy.done()
    signal.throwIfAborted()
    throw error
  }
}

/** Which number a user of a container has in its user namespace. One that is not in it is nobody there (user_namespaces(7)). */
function numberInside(numbers: readonly NumberRange[], outside: number): number {
  const range = numbers.find(range => outside >= range.outside && outside < range.outside + range.count)
  return range === undefined ? 65_534 : range.inside + outside - range.outside
}

async function* endedBy(copy: Copy, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes
  } finally {
    copy.done()
  }
}

/** A session whose input is the tar. */
export async function writeFiles(host: HostParts, copies: Copies, { id, path: folder }: Place): Promise<Session> {
  const { engine, container } = await runningContainer(host, id)
  const copy = copies.begin(id)
  const tar = new Handover<Uint8Array>()
  copy.signal.addEventListener('abort', () => tar.fail(copy.signal.reason), { once: true })
  const written = engine.writeFiles(container.id, folder, bounded(givenInTime(tar, host.clock)))
  const close = (): void => {
    copy.done()
    tar.fail(new GearError('HOST_UNREACHABLE', 'The caller left before all was copied'))
  }
  // It may be over before anybody asks how it went, and before all is taken.
  written.then(close, close)
  async function* output(): AsyncGenerator<SessionOutput> {
    if (!(await written)) throw fileUnknown(id, folder, 'folder')
    yield { kind: 'exit', exitCode: 0 }
  }
  return {
    output: output(),
    write: async input => {
      if (input.kind === 'input') await tar.put(input.bytes)
      if (input.kind === 'end') tar.end()
    },
    close,
  }
}

/**
 * Ends a copy whose caller takes nothing any more: Docker keeps everybody else from a container as long as somebody reads from it, the agent and the unit
 * among them.
 */
async function* takenInTime(bytes: AsyncGenerator<Uint8Array>, clock: Clock): AsyncGenerator<Uint8Array> {
  for await (const piece of bytes) {
    let isLate = false
    const taken = new AbortController()
    clock.sleep(limits.copyIdleMs, taken.signal).then(
      () => {
        isLate = true
        return bytes.return(undefined)
      },
      () => undefined,
    )
    try {
      yield piece
    } finally {
      taken.abort()
    }
    if (isLate) throw stalled('taken')
  }
}

/** The same for a caller who gives nothing any more. */
async function* givenInTime(tar: Handover<Uint8Array>, clock: Clock): AsyncGenerator<Uint8Array> {
  const pieces = tar[Symbol.asyncIterator]()
  try {
    for (;;) {
      const given = new AbortController()
      clock.sleep(limits.copyIdleMs, given.signal).then(
        () => tar.fail(stalled('given')),
        () => undefined,
      )
      const next = await pieces.next().finally(() => given.abort())
      if (next.done === true) return
      yield next.value
    }
  } finally {
    await pieces.return(undefined)
  }
}

/** What `writeFiles` would do, after the same look. */
export async function planFiles(host: HostParts, id: ContainerId, folder: string, dryRun: DryRun): Promise<void> {
  if ((await fileKind(host, id, folder)) !== 'folder') throw fileUnknown(id, folder, 'folder')
  const step = { kind: 'unpack', id, path: folder, reason: 'a copy was asked for; files of the same name are replaced' }
  dryRun.add([step])
}

function stalled(what: string): GearError {
  return new GearError('COPY_STALLED', `Nothing of the copy was ${what} for ${limits.copyIdleMs / 1000} s`)
}

async function* bounded(bytes: AsyncIterable<Uint8Array>, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0
  try {
    for await (const piece of bytes) {
      signal?.throwIfAborted()
      sizeBytes += piece.length
      if (sizeBytes > limits.copyBytes) throw new GearError('COPY_TOO_LARGE', `The copy has more than ${limits.copyBytes} bytes`)
      yield piece
    }
    // A connection that was ended may look like one that has given all.
    signal?.throwIfAborted()
  } catch (error) {
    // What the engine says of a connection that was ended is not the reason.
    signal?.throwIfAborted()
    throw error
  }
}

function fileUnknown(id: ContainerId, path: string, what = 'file or folder'): GearError {
  return new GearError('FILE_UNKNOWN', `Container ${id} has no ${what} ${path}`)
}
