/** git's progress as lines: it writes one line over and over, which a journal would keep in all its states. */

/** Of fewer steps than these the end is soon enough. */
const stepsMin = 100

/** Ends what git writes over as if it were a line. Both are one byte. */
export async function* withoutReturns(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield Buffer.from(chunk.map(byte => (byte === 0x0d ? 0x0a : byte)))
}

/** Whether a line is worth to be told: everything that is no progress, the end of a phase, and each quarter of a long one. */
export function quarters(): (line: string) => boolean {
  const told = new Map<string, number>()
  return line => {
    const [, phase = '', percent, steps] = /^(.*?):\s+(\d+)% \(\d+\/(\d+)\)/.exec(line) ?? []
    if (percent === undefined || line.trimEnd().endsWith('done.')) return true
    const quarter = Math.floor(Number(percent) / 25)
    if (quarter === 4 || Number(steps) < stepsMin || quarter <= (told.get(phase) ?? 0)) return false
    told.set(phase, quarter)
    return true
  }
}
