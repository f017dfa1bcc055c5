/** The terminal of a command that podman runs in a container: conmon holds it (docs/decisions/0086-podmans-terminals.md). */
import { constants, open, readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { processesWith, wordsIn } from './exec.ts'
import type { TerminalSize } from './port.ts'

/** How long a command may take until it has its terminal. */
const terminalTries = { times: 100, everyMs: 50 } as const

/**
 * For a command that podman runs in a terminal, known by a variable in its environment: gives the terminal another size. conmon holds it, and is
 * told by a line in a fifo of its own, as `podman exec` tells it when it has a terminal itself (conmon, ctrl.c). Of sizes that come faster than
 * they are passed on the last one counts; one that comes when the command has ended is for nobody.
 */
export function conmonTerminal(variable: string, ended: Promise<unknown>): (size: TerminalSize) => void {
  let wanted: TerminalSize | undefined
  let isWorking = false
  let isOver = false
  void ended.then(() => {
    isOver = true
  })
  const pass = async (): Promise<void> => {
    isWorking = true
    for (let left: number = terminalTries.times; wanted !== undefined && left > 0 && !isOver; left--) {
      const size: TerminalSize = wanted
      const folder = await conmonFolder(variable)
      if (folder !== undefined && (await tell(`${folder}/ctl`, `1 ${size.rows} ${size.columns}\n`))) {
        if (wanted === size) wanted = undefined
      } else await setTimeout(terminalTries.everyMs, undefined, { ref: false })
    }
    isWorking = false
  }
  return size => {
    wanted = size
    if (!isWorking) void pass()
  }
}

/** Where conmon keeps what belongs to the command: it is the parent of the command's first process. */
async function conmonFolder(variable: string): Promise<string | undefined> {
  for (const pid of await processesWith(variable)) {
    const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '')
    const [program = '', ...options] = await wordsIn(`/proc/${/^PPid:\t(\d+)$/m.exec(status)?.[1]}/cmdline`)
    if (program.endsWith('/conmon')) return options[options.indexOf('-b') + 1]
  }
  return undefined
}

/** Whether somebody reads there and has been told. */
async function tell(fifo: string, line: string): Promise<boolean> {
  try {
    await using file = await open(fifo, constants.O_WRONLY | constants.O_NONBLOCK)
    await file.write(line)
    return true
  } catch {
    return false
  }
}
