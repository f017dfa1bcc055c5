/**
 * What happens while a command waits: on a terminal one line that is written over, elsewhere plain lines. Always on stderr, so that stdout holds
 * results only. Log lines of containers are foreign text: on a terminal nothing of theirs may move the cursor.
 */
import type { Output } from '../context.ts'

export interface Progress {
  update(message: string): Promise<void>
  /** Before something else is printed, and at the end. */
  hide(): Promise<void>
}

/** The output is asked whether it is a terminal only when there is something to show: most commands never do, and opening it takes a while. */
export function progressOn(output: Output): Progress {
  let chosen: Progress | undefined
  return {
    update: message => {
      chosen ??= output.isTerminal ? updatingLine(output) : plainLines(output)
      return chosen.update(message)
    },
    hide: async () => chosen?.hide(),
  }
}

export const noProgress: Progress = {
  update: async () => undefined,
  hide: async () => undefined,
}

function plainLines(output: Output): Progress {
  return {
    update: message => output.write(`${message}\n`),
    hide: async () => undefined,
  }
}

const clearLine = '\r\u001b[K'

function updatingLine(output: Output): Progress {
  let isShown = false
  return {
    async update(message) {
      const visible = message.replaceAll(/\p{Cc}+/gu, ' ')
      // One column stays free: a line that fills the last one would wrap.
      const fitting = [...visible].slice(0, Math.max(0, output.columns - 1)).join('')
      isShown = true
      await output.write(clearLine + fitting)
    },
    async hide() {
      if (!isShown) return
      isShown = false
      await output.write(clearLine)
    },
  }
}
