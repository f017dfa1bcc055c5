/**
 * A page that is shown again and again. On a terminal it takes the whole screen while it lasts, and the last page stays when it ends; elsewhere a page
 * is printed when it says something new, so that a file or a pipe gets every state once.
 */
import type { Output } from '../context.ts'
import { foreignText } from './foreign-text.ts'

export interface Screen {
  show(page: string): Promise<void>
  /** Gives the terminal back as it was. */
  close(): Promise<void>
}

const enter = '\u001b[?1049h\u001b[?25l'
const leave = '\u001b[?25h\u001b[?1049l'
const home = '\u001b[H'
const clearLine = '\u001b[K'
const clearBelow = '\u001b[J'

export function screenOn(output: Output): Screen {
  return output.isTerminal ? wholeScreen(output) : printed(output)
}

function printed(output: Output): Screen {
  let last = ''
  return {
    async show(page) {
      if (page === last) return
      await output.write(last === '' ? page : `\n${page}`)
      last = page
    },
    close: async () => undefined,
  }
}

function wholeScreen(output: Output): Screen {
  let last: string | undefined
  return {
    async show(page) {
      const begin = last === undefined ? enter : ''
      last = page
      await output.draw(
        begin +
          home +
          fitting(page, output)
            .map(line => `${line}${clearLine}\r\n`)
            .join('') +
          clearBelow,
      )
    },
    async close() {
      if (last === undefined) return
      await output.draw(leave)
      await output.write(last)
    },
  }
}

/** As many lines as the screen has, one less for the cursor, each as long as it is wide. */
function fitting(page: string, { rows, columns }: Output): readonly string[] {
  const lines = foreignText(page).replace(/\n$/, '').split('\n')
  const shown =
    lines.length < rows ? lines : [...lines.slice(0, Math.max(1, rows - 2)), `… and ${lines.length - Math.max(1, rows - 2)} lines more`]
  return shown.map(line => [...line.replaceAll('\t', ' ')].slice(0, columns).join(''))
}
