/** Lines out of chunks of bytes, one at a time: nothing is kept but the chunk at hand and the line that is not complete yet. */

/** Lines without their ends; of a longer one the first `lineBytes` bytes. A last line without an end counts. */
export async function* linesOf(chunks: AsyncIterable<Buffer>, lineBytes: number): AsyncGenerator<string, void> {
  let begun: Buffer[] = []
  let begunBytes = 0
  const add = (piece: Buffer): void => {
    const fitting = piece.subarray(0, lineBytes - begunBytes)
    if (fitting.length === 0) return
    begun.push(fitting)
    begunBytes += fitting.length
  }
  const take = (): string => {
    const line = Buffer.concat(begun).toString('utf8')
    begun = []
    begunBytes = 0
    return line
  }
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      add(chunk.subarray(start, end))
      yield take()
      start = end + 1
    }
    // a copy, as the reader may use the chunk's memory again
    add(Buffer.from(chunk.subarray(start)))
  }
  if (begunBytes > 0) yield take()
}

const newline = 0x0a
