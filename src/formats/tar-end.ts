/**
 * Where a tar that comes as a stream ends (tar(5)): with two blocks of zeros, whatever follows. Writers pad to the size of their blocks, which may be
 * megabytes; a reader that stops at the end must not be given more. Lengths are read as Go's archive/tar reads them, which both engines unpack with.
 */

const blockBytes = 512
const extendedBytesMax = 1_048_576
/** Links, devices, folders and pipes have no content, whatever their headers say. */
const withoutContent = new Set(['1', '2', '3', '4', '5', '6'])

type Part =
  | { readonly kind: 'header' }
  /** Follows a header of a GNU sparse file, until one says that it is the last. */
  | { readonly kind: 'sparse'; readonly contentBytes: number }
  | { readonly kind: 'content' }
  | { readonly kind: 'end' }
  /** What is not understood is for the reader to refuse. */
  | { readonly kind: 'unknown' }

export class TarEnd {
  #part: Part = { kind: 'header' }
  /** Of a header, as far as it has come. */
  #block = Buffer.alloc(0)
  #contentBytes = 0
  #zeroBlocks = 0
  /** What an extended header says of the next entry, while it is being read. */
  #extended: Buffer[] | undefined
  #sizeBytes: number | undefined

  /** How many of the next bytes belong to the tar. */
  take(bytes: Buffer): number {
    let at = 0
    while (at < bytes.length) {
      if (this.#part.kind === 'end') return at
      if (this.#part.kind === 'unknown') return bytes.length
      at += this.#part.kind === 'content' ? this.#skip(bytes.subarray(at)) : this.#collect(bytes.subarray(at))
    }
    return at
  }

  #skip(bytes: Buffer): number {
    const taken = bytes.subarray(0, this.#contentBytes)
    this.#contentBytes -= taken.length
    this.#extended?.push(Buffer.from(taken))
    if (this.#contentBytes === 0) this.#endContent()
    return taken.length
  }

  #endContent(): void {
    if (this.#extended !== undefined) this.#sizeBytes = sizeIn(Buffer.concat(this.#extended)) ?? this.#sizeBytes
    this.#extended = undefined
    this.#part = { kind: 'header' }
  }

  #collect(bytes: Buffer): number {
    const taken = bytes.subarray(0, blockBytes - this.#block.length)
    this.#block = Buffer.concat([this.#block, taken])
    if (this.#block.length === blockBytes) {
      const block = this.#block
      this.#block = Buffer.alloc(0)
      this.#part = this.#part.kind === 'sparse' ? this.#afterSparse(block, this.#part.contentBytes) : this.#afterHeader(block)
    }
    return taken.length
  }

  #afterHeader(block: Buffer): Part {
    if (block.every(byte => byte === 0)) {
      this.#zeroBlocks += 1
      return { kind: this.#zeroBlocks === 2 ? 'end' : 'header' }
    }
    const type = block.toString('latin1', 156, 157)
    const said = numberIn(block.subarray(124, 136))
    if (this.#zeroBlocks > 0 || said === undefined) return { kind: 'unknown' }
    const isAbout = type === 'x' || type === 'g' || type === 'L' || type === 'K'
    const sizeBytes = withoutContent.has(type) ? 0 : isAbout ? said : (this.#sizeBytes ?? said)
    if (!isAbout) this.#sizeBytes = undefined
    if (type === 'x') {
      if (sizeBytes > extendedBytesMax) return { kind: 'unknown' }
      this.#extended = []
    }
    const contentBytes = Math.ceil(sizeBytes / blockBytes) * blockBytes
    if (type === 'S' && block[482] !== 0) return { kind: 'sparse', contentBytes }
    return this.#toContent(contentBytes)
  }

  #afterSparse(block: Buffer, contentBytes: number): Part {
    return block[504] === 0 ? this.#toContent(contentBytes) : { kind: 'sparse', contentBytes }
  }

  #toContent(contentBytes: number): Part {
    this.#contentBytes = contentBytes
    if (contentBytes > 0) return { kind: 'content' }
    this.#extended = undefined
    return { kind: 'header' }
  }
}

/** Octal digits or, for what is too large for them, a binary number; undefined for neither. */
function numberIn(field: Buffer): number | undefined {
  if (((field[0] ?? 0) & 0x80) !== 0) {
    const value = Number(BigInt(`0x${field.toString('hex')}`) & ((1n << 95n) - 1n))
    return Number.isSafeInteger(value) ? value : undefined
  }
  const digits = field.toString('latin1').replaceAll(/[ \0]/g, '')
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : undefined
}

/** The last length that the records of an extended header name. */
function sizeIn(records: Buffer): number | undefined {
  let rest = records
  let sizeBytes: number | undefined
  for (;;) {
    const length = Number(/^\d{1,7}(?= )/.exec(rest.toString('latin1', 0, 8))?.[0] ?? 0)
    if (length === 0 || length > rest.length) return sizeBytes
    const said = /^\d+ size=(\d{1,15})\n$/.exec(rest.toString('latin1', 0, length))?.[1]
    if (said !== undefined) sizeBytes = Number(said)
    rest = rest.subarray(length)
  }
}
