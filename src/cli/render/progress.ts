/**
 * What happens while a command waits, for each container it waits for: on a terminal one line for each, written over as it changes; elsewhere plain
 * lines as they come. Always on stderr, so that stdout holds results only. Log lines of containers are foreign text: on a terminal nothing of theirs may
 * move the cursor.
 */
import type { Output } from '../context.ts'
import { type PullProgress, pullProgress } from './pull.ts'

export interface Progress {
  /** `name` is the container as the user wrote it. */
  update(name: string, message: string): Promise<void>
  /** There will be no more about this one. */
  end(name: string): Promise<void>
  /** Before something else is printed, and at the end. */
  hide(): Promise<void>
}

/** The output is asked whether it is a terminal only when there is something to show: most commands never do, and opening it takes a while. */
export function progressOn(output: Output): Progress {
  let chosen: Progress | undefined
  return {
    update: (name, message) => {
      chosen ??= output.isTerminal ? updatingLines(output) : plainLines(output)
      return chosen.update(name, message)
    },
    end: async name => chosen?.end(name),
    hide: async () => chosen?.hide(),
  }
}

export const noProgress: Progress = {
  update: async () => undefined,
  end: async () => undefined,
  hide: async () => undefined,
}

function plainLines(output: Output): Progress {
  return { ...noProgress, update: (name, message) => output.write(`${name}: ${message}\n`) }
}

/** More would push what was printed before out of sight. */
const linesMax = 12
const spinner = '|/-\\'
const toLineBegin = '\r'
const clearBelow = '\u001b[J'

interface Line {
  message: string
  readonly pull: PullProgress
}

function updatingLines(output: Output): Progress {
  const lines = new Map<string, Line>()
  let shownLines = 0
  let turn = 0
  const back = () => (shownLines === 0 ? '' : `${toLineBegin}${shownLines > 1 ? `\u001b[${shownLines - 1}A` : ''}${clearBelow}`)
  const draw = async () => {
    const begin = back()
    const mark = spinner[turn++ % spinner.length] ?? ''
    const visible = [...lines].slice(0, linesMax).map(([name, { message }]) => fitting(`${mark} ${name}: ${message}`, output.columns))
    if (lines.size > linesMax) visible.push(fitting(`  and ${lines.size - linesMax} more`, output.columns))
    shownLines = visible.length
    await output.write(begin + visible.join('\r\n'))
  }
  return {
    async update(name, message) {
      const line = lines.get(name) ?? { message: '', pull: pullProgress() }
      // Of a line of the journal when and by whom it was written is what fits last.
      line.message = line.pull.take(message) ?? message.replace(journalHead, '')
      lines.set(name, line)
      await draw()
    },
    async end(name) {
      if (lines.delete(name) && shownLines > 0) await draw()
    },
    async hide() {
      if (shownLines === 0) return
      const begin = back()
      shownLines = 0
      await output.write(begin)
    },
  }
}

/** `Nov 25 02:06:49 web1 ctr-web-1[12]: ` */
const journalHead = /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [^\s:]+: /

/** One column stays free: a line that fills the last one would wrap. */
function fitting(text: string, columns: number): string {
  return [...text.replaceAll(/\p{Cc}+/gu, ' ')].slice(0, Math.max(0, columns - 1)).join('')
}
