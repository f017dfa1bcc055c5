/**
 * Which port to hand out next (spec §8.1): the range is walked in blocks of a hundred, ascending, each block listed once when it is
 * entered, so an allocation costs one folder listing per hundred ports and one look at the port itself, and never grows with what is
 * installed. Numbers that were handed out and not used come round again when the walk wraps. The links on disk are the truth; the
 * walk is only where to look next.
 */
import { GearError, limits } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'
import { KeyedMutex } from '../../lib/index.ts'
import { portFolder, portLink, portsPerBlock } from '../layout/index.ts'

export class PortAllocator {
  readonly #host: Pick<Host, 'files' | 'network' | 'paths'>
  readonly #first: number
  readonly #last: number
  readonly #turns = new KeyedMutex()
  #block: number
  #free: number[] = []

  constructor(host: Pick<Host, 'files' | 'network' | 'paths'>, first: number = limits.portFirst, last: number = limits.portLast) {
    this.#host = host
    this.#first = first
    this.#last = last
    this.#block = blockOf(first) - 1
  }

  /** A port nobody has reserved and nothing listens on. Throws PORTS_EXHAUSTED after a whole round without one. */
  next(): Promise<number> {
    return this.#turns.run('next', () => this.#next())
  }

  /** Ports that were handed out and will not be used, in the order in which they came; they are the next again. */
  giveBack(ports: readonly number[]): void {
    this.#free.unshift(...ports.filter(port => blockOf(port) === this.#block && !this.#free.includes(port)))
  }

  async #next(): Promise<number> {
    const blocks = blockOf(this.#last) - blockOf(this.#first) + 1
    for (let visited = 0; visited <= blocks; ) {
      const port = this.#free.shift()
      if (port === undefined) {
        await this.#enterNextBlock()
        visited += 1
      } else if (await this.#isFree(port)) return port
    }
    throw new GearError('PORTS_EXHAUSTED', `No port from ${this.#first} to ${this.#last} is free`)
  }

  /** The listing of a block grows old: somebody may have named the port in a request since. */
  async #isFree(port: number): Promise<boolean> {
    const [isReserved, isSilent] = await Promise.all([
      this.#host.files.exists(portLink(this.#host.paths, port)),
      this.#host.network.isPortFree(port),
    ])
    return isSilent && !isReserved
  }

  async #enterNextBlock(): Promise<void> {
    this.#block = this.#block >= blockOf(this.#last) ? blockOf(this.#first) : this.#block + 1
    const start = this.#block * portsPerBlock
    const taken = new Set((await this.#host.files.list(portFolder(this.#host.paths, start))).map(entry => entry.name))
    this.#free = []
    for (let port = Math.max(start, this.#first); port < start + portsPerBlock && port <= this.#last; port++) {
      if (!taken.has(String(port))) this.#free.push(port)
    }
  }
}

function blockOf(port: number): number {
  return Math.floor(port / portsPerBlock)
}
