/**
 * The output of a build on disk: pieces, each a file named by the offset of its first byte, of which the first and the last ones are kept. So
 * it is bounded, the beginning and the end are there, and whoever follows it knows what was dropped in between.
 */
import { limits } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'

const pieceBytes = 262_144
const piecesMax = limits.buildLogBytes / pieceBytes

type LogHost = Pick<Host, 'files'>

function pieceName(offset: number): string {
  return `log.${String(offset).padStart(12, '0')}`
}

/** Collects what is printed and writes it now and then: a write is synced, and scripts print single characters. */
export class LogWriter {
  readonly #host: LogHost
  readonly #folder: string
  #waiting = ''
  #writing: Promise<void> | undefined
  #isBroken = false
  #start = 0
  #size = 0
  readonly #pieces: string[] = []

  constructor(host: LogHost, folder: string) {
    this.#host = host
    this.#folder = folder
  }

  /** Resolves when more can be taken. */
  async add(text: string): Promise<void> {
    if (this.#isBroken) return
    this.#waiting += text
    this.#writing ??= this.#drain()
    if (this.#waiting.length > pieceBytes) await this.#writing
  }

  /** All that was added is on disk. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
  }

  async #drain(): Promise<void> {
    try {
      // whatever is added in the same turn goes with it
      await Promise.resolve()
      while (this.#waiting !== '') {
        const text = this.#waiting.slice(0, pieceBytes).replace(/[\ud800-\udbff]$/, '') || this.#waiting
        this.#waiting = this.#waiting.slice(text.length)
        await this.#write(text)
      }
    } catch {
      // a build is not to fail for its log, on a full disk for one
      this.#isBroken = true
      this.#waiting = ''
    } finally {
      this.#writing = undefined
    }
  }

  async #write(text: string): Promise<void> {
    const { files } = this.#host
    if (this.#pieces.length === 0 || this.#size >= pieceBytes) {
      this.#start += this.#size
      this.#size = 0
      this.#pieces.push(pieceName(this.#start))
      const [dropped] = this.#pieces.length > piecesMax ? this.#pieces.splice(1, 1) : []
      if (dropped !== undefined) await files.remove(`${this.#folder}/${dropped}`)
    }
    await files.append(`${this.#folder}/${pieceName(this.#start)}`, text, 0o600)
    this.#size += Buffer.byteLength(text)
  }
}

/** Reads what is there, from where it stopped the last time. */
export class LogReader {
  readonly #host: LogHost
  readonly #folder: string
  #offset = 0

  constructor(host: LogHost, folder: string) {
    this.#host = host
    this.#folder = folder
  }

  /** The next text; empty when there is none at the moment. */
  async next(): Promise<string> {
    const names = (await this.#host.files.list(this.#folder)).map(({ name }) => name).filter(name => /^log\.\d{12}$/.test(name))
    const starts = names.map(name => Number(name.slice('log.'.length)))
    const from = starts.findLastIndex(start => start <= this.#offset)
    let text = ''
    for (const start of starts.slice(Math.max(0, from))) {
      const piece = await this.#host.files.read(`${this.#folder}/${pieceName(start)}`, pieceBytes * 16)
      if (piece === undefined) continue
      const bytes = Buffer.from(piece)
      if (start > this.#offset) {
        text += `[${start - this.#offset} bytes of this output were not kept]\n`
        this.#offset = start
      }
      text += bytes.toString('utf8', this.#offset - start)
      this.#offset = Math.max(this.#offset, start + bytes.length)
    }
    return text
  }
}
