/**
 * The text of one request while it comes and after: one source writes, any number of readers follow, each at its own pace, and no more
 * than a bounded tail is kept. The source waits for the fastest reader, so a slow caller slows its own log and a caller that hangs does
 * not stall one that repeated the request; a reader that falls behind the tail is told how much it missed.
 */

export interface OutputOptions {
  /** Most bytes that are kept for readers that are behind or come later. */
  readonly keepBytes: number
  /** How far the source may run ahead of the fastest reader. */
  readonly aheadBytes: number
  /** The words for output that was not kept. */
  readonly notice: (missedBytes: number) => string
  /** Where they go: at the end of the text, or where the gap is (streams whose last line has a meaning). */
  readonly noticePlace: 'end' | 'gap'
}

export interface OutputSource {
  readonly pieces: AsyncIterable<string>
  /** Stops the writing; what comes after is dropped. */
  readonly signal: AbortSignal
  /** What is written when the source fails: a line with the reason. */
  readonly failure: (error: unknown) => string
  /** Resolves when the source should no longer wait for readers that do not read. Without it, it waits as long as they stay. */
  readonly patience?: (signal: AbortSignal) => Promise<void>
}

/** Pieces one after the other, whole ones only. What is filled never changes, so readers are given parts of it. */
interface Block {
  /** Offset of the first byte in the whole output. */
  readonly start: number
  readonly bytes: Buffer
  filled: number
}

/** Small pieces share a block, so that many of them cost no more than their bytes. */
const blockBytesMax = 4_096

export class Output {
  readonly #options: OutputOptions
  #blocks: Block[] = []
  #blocksBytes = 0
  #end = 0
  #isEnded = false
  #isAbandoned = false
  #isImpatient = false
  #failure: unknown
  readonly #readers = new Set<OutputReader>()
  readonly #waiting = new Set<() => void>()
  #wakeSource: (() => void) | undefined

  constructor(options: OutputOptions) {
    this.#options = options
  }

  /** Writes all that the source gives. Never throws: a failure of the source becomes the last line. */
  async fill(source: OutputSource): Promise<void> {
    let last = ''
    try {
      for await (const piece of source.pieces) {
        if (source.signal.aborted) break
        if (piece === '') continue
        last = piece
        this.#push(piece)
        if (this.#mustWait()) await this.#room(source)
      }
      if (source.signal.aborted && source.signal.reason !== undefined && !this.#isAbandoned) throw source.signal.reason
    } catch (error) {
      this.#failure = source.signal.aborted ? source.signal.reason : error
      this.#push(`${last === '' || last.endsWith('\n') ? '' : '\n'}${source.failure(this.#failure)}`)
    }
    this.#isEnded = true
    this.#compact()
    this.#wakeReaders()
  }

  read(): OutputReader {
    const reader = new OutputReader(this)
    this.#readers.add(reader)
    return reader
  }

  /** What made the source fail; undefined when it did not. */
  get failure(): unknown {
    return this.#failure
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  get keptBytes(): number {
    return this.#end - this.start
  }

  get options(): OutputOptions {
    return this.#options
  }

  /** Offset of the first byte that is still kept. */
  get start(): number {
    return this.#blocks[0]?.start ?? this.#end
  }

  get end(): number {
    return this.#end
  }

  /** While nobody is interested the source waits for nobody. */
  set isAbandoned(value: boolean) {
    this.#isAbandoned = value
    if (value) this.#wakeSource?.()
  }

  /** Gives up what is kept; later readers get only the notice. */
  discard(): void {
    this.#blocks = []
    this.#blocksBytes = 0
  }

  /** The kept bytes from an offset on, as many as lie together. Called by readers. */
  from(offset: number): Uint8Array | undefined {
    for (let index = this.#blocks.length - 1; index >= 0; index--) {
      const block = this.#blocks[index]
      if (block === undefined || block.start > offset) continue
      return offset < block.start + block.filled ? block.bytes.subarray(offset - block.start, block.filled) : undefined
    }
    return undefined
  }

  /** Called by readers when they took something. */
  took(): void {
    this.#isImpatient = false
    if (!this.#mustWait()) this.#wakeSource?.()
  }

  /** Resolves at the next change, or when the reader closes. Called by readers. */
  changed(): Promise<void> {
    return new Promise(resolve => this.#waiting.add(resolve))
  }

  close(reader: OutputReader): void {
    this.#readers.delete(reader)
    this.#wakeReaders()
  }

  #push(text: string): void {
    const sizeBytes = Buffer.byteLength(text)
    const last = this.#blocks.at(-1)
    const block = last !== undefined && last.bytes.length - last.filled >= sizeBytes ? last : this.#newBlock(sizeBytes)
    block.bytes.write(text, block.filled)
    block.filled += sizeBytes
    this.#end += sizeBytes
    this.#wakeReaders()
  }

  #newBlock(sizeBytes: number): Block {
    const { keepBytes } = this.#options
    const bytes = Buffer.allocUnsafe(Math.max(sizeBytes, Math.min(blockBytesMax, keepBytes >> 4)))
    const block: Block = { start: this.#end, bytes, filled: 0 }
    this.#blocks.push(block)
    this.#blocksBytes += bytes.length
    while (this.#blocksBytes > keepBytes && this.#blocks.length > 1) this.#blocksBytes -= this.#blocks.shift()?.bytes.length ?? 0
    return block
  }

  #wakeReaders(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }

  #mustWait(): boolean {
    if (this.#isAbandoned || this.#isImpatient) return false
    let furthest = 0
    for (const reader of this.#readers) furthest = Math.max(furthest, reader.offset)
    return this.#end - furthest > this.#options.aheadBytes
  }

  async #room(source: OutputSource): Promise<void> {
    const stop = new AbortController()
    const roomy = new Promise<void>(resolve => {
      this.#wakeSource = resolve
      source.signal.addEventListener('abort', () => resolve(), { once: true, signal: stop.signal })
    })
    const patience = source.patience?.(stop.signal).then(
      () => true,
      () => false,
    )
    const isOver = patience === undefined ? await roomy : await Promise.race([roomy, patience])
    if (isOver === true) this.#isImpatient = true
    this.#wakeSource = undefined
    stop.abort()
  }

  /** One block of the size that is kept, beginning with a whole line. */
  #compact(): void {
    const all = Buffer.concat(this.#blocks.map(({ bytes, filled }) => bytes.subarray(0, filled)))
    let cut = Math.max(0, all.length - this.#options.keepBytes)
    if (cut > 0) {
      const lineEnd = all.indexOf(10, cut - 1)
      if (lineEnd !== -1 && lineEnd + 1 < all.length) cut = lineEnd + 1
    }
    const bytes = cut === 0 ? all : Buffer.from(all.subarray(cut))
    this.#blocks = bytes.length === 0 ? [] : [{ start: this.#end - bytes.length, bytes, filled: bytes.length }]
    this.#blocksBytes = bytes.length
  }
}

export class OutputReader {
  readonly #output: Output
  #offset = 0
  #missedBytes = 0
  #isClosed = false

  constructor(output: Output) {
    this.#output = output
  }

  get offset(): number {
    return this.#offset
  }

  /** The next bytes, as soon as there are any; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    const { notice, noticePlace } = this.#output.options
    while (!this.#isClosed) {
      const missed = this.#output.start - this.#offset
      if (missed > 0) {
        this.#offset = this.#output.start
        if (noticePlace === 'gap') return Buffer.from(notice(missed))
        this.#missedBytes += missed
      }
      const bytes = this.#output.from(this.#offset)
      if (bytes !== undefined) {
        this.#offset += bytes.length
        this.#output.took()
        return bytes
      }
      if (this.#output.isEnded) return this.#last(notice)
      await this.#output.changed()
    }
    return undefined
  }

  /** Ends the reading, also a `next` that waits. */
  close(): void {
    this.#isClosed = true
    this.#output.close(this)
  }

  #last(notice: (missedBytes: number) => string): Uint8Array | undefined {
    this.close()
    if (this.#missedBytes === 0) return undefined
    const missed = this.#missedBytes
    this.#missedBytes = 0
    return Buffer.from(notice(missed))
  }
}
