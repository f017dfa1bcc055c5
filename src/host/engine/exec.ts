/** What the engines' adapters share of commands and copies: the end of a process by its number, and of what does not come any more. */
import { readdir, readFile } from 'node:fs/promises'
import { engineUnavailable, NoAnswer } from './errors.ts'

const hangUpMs = 500

/** Tells a process of the host that nobody is there any more, and ends it for good when it does not mind. */
export function hangUp(pid: number): void {
  if (pid <= 1) return
  signal(pid, 'SIGHUP')
  setTimeout(() => signal(pid, 'SIGKILL'), hangUpMs).unref()
}

function signal(pid: number, name: 'SIGHUP' | 'SIGKILL'): void {
  try {
    process.kill(pid, name)
  } catch {
    // it has ended
  }
}

/** Hangs up on every process that was started with this in its environment; only it and its children have a word that was drawn for it. */
export async function hangUpAll(variable: string): Promise<void> {
  for (const pid of await processesWith(variable)) hangUp(pid)
}

/** The ids of the processes that were started with this in their environment. */
export async function processesWith(variable: string): Promise<readonly number[]> {
  const names = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const found = await Promise.all(names.map(async name => (await wordsIn(`/proc/${name}/environ`)).includes(variable)))
  return names.filter((_, index) => found[index]).map(Number)
}

/** Of a file of /proc with a NUL behind each word; none when the process has ended. */
export async function wordsIn(path: string): Promise<readonly string[]> {
  return (await readFile(path, 'latin1').catch(() => '')).split('\0')
}

/** What an engine gives, as long as it gives something: after `idleMs` of nothing it is ended, and ENGINE_UNAVAILABLE thrown. */
export async function* whileItComes<Item>(
  items: AsyncIterable<Item>,
  { where, idleMs, end }: { readonly where: string; readonly idleMs: number; readonly end: () => void },
): AsyncGenerator<Item> {
  const iterator = items[Symbol.asyncIterator]()
  let isLate = false
  const giveUp = (): void => {
    isLate = true
    end()
  }
  try {
    for (;;) {
      const timer = setTimeout(giveUp, idleMs)
      const next = await iterator.next().finally(() => clearTimeout(timer))
      if (isLate) throw new NoAnswer(idleMs)
      if (next.done === true) return
      yield next.value
    }
  } catch (error) {
    throw isLate ? engineUnavailable(where, new NoAnswer(idleMs)) : error
  } finally {
    await iterator.return?.(undefined)
  }
}

/** Acts once when the signal aborts, or has; the function returned takes that back. */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal?.aborted) act()
  else signal?.addEventListener('abort', act, { once: true })
  return () => signal?.removeEventListener('abort', act)
}
