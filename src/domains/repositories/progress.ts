/**
 * How far a clone is, from the unit that makes it to those who look on: a file in memory that says the last state, as git writes its own line over and
 * over. The journal keeps only the milestones.
 */
import type { RepositoryId } from '../../api/index.ts'
import { type Host, isProgress } from '../../host/index.ts'
import { folderOf, modes, repositoryPaths } from '../layout/index.ts'

/** Four times a second looks alive, and is little work. */
const stateMs = 250

export interface ProgressNote extends AsyncDisposable {
  readonly onProgress: (state: string) => void
}

/** A state that comes while another is being noted, or soon after, is passed over: there will be a later one. */
export async function openProgressNote(host: Pick<Host, 'files' | 'paths' | 'clock'>, id: RepositoryId): Promise<ProgressNote> {
  const { files, clock } = host
  const path = repositoryPaths(host.paths, id).progress
  await files.makeFolder(folderOf(path), modes.publicFolder)
  await files.remove(path)
  let notedMs = Number.NEGATIVE_INFINITY
  let writing: Promise<void> | undefined
  const write = async (state: string): Promise<void> => {
    try {
      await files.write(path, state, modes.publicFile)
    } catch {
      // that nobody sees it is no failure of the clone
    }
    writing = undefined
  }
  return {
    onProgress: state => {
      const nowMs = clock.nowMs()
      // a clock that was set back holds nothing up
      if (writing !== undefined || (nowMs >= notedMs && nowMs < notedMs + stateMs)) return
      notedMs = nowMs
      writing = write(state.trimEnd())
    },
    async [Symbol.asyncDispose]() {
      await writing
      await files.remove(path)
    },
  }
}

/** What a unit says, and between its lines its state when that has changed, with a carriage return at its end as git writes it. */
export async function* withProgress(
  host: Pick<Host, 'files' | 'paths' | 'clock'>,
  id: RepositoryId,
  lines: AsyncIterable<string>,
): AsyncGenerator<string> {
  const path = repositoryPaths(host.paths, id).progress
  const iterator = lines[Symbol.asyncIterator]()
  const take = (): Promise<IteratorResult<string>> => {
    const next = iterator.next()
    // a failure is seen where it is awaited, or nobody is there any more
    next.catch(() => undefined)
    return next
  }
  let told: string | undefined
  let next = take()
  for (;;) {
    const over = new AbortController()
    const pause = host.clock.sleep(stateMs, over.signal).catch(() => undefined)
    const came = await Promise.race([next, pause])
    over.abort()
    if (came === undefined) {
      const state = await host.files.read(path)
      if (state !== undefined && state !== told) yield `${state}\r`
      told = state
      continue
    }
    if (came.done === true) return
    if (!isProgress(came.value)) yield `${came.value}\n`
    next = take()
  }
}
