/** git's progress as lines: it writes one line over and over, which a journal would keep in all its states. */

/** Of fewer steps than these the end is soon enough. */
const stepsMin = 100

/** Ends what git writes over as if it were a line. Both are one byte. */
export async function* withoutReturns(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield Buffer.from(chunk.map(byte => (byte === 0x0d ? 0x0a : byte)))
}

/** Whether a line is one state of many: how far a phase is that has not ended. */
export function isProgress(line: string): boolean {
  return phaseOf(line) !== undefined
}

/** Whether a line is worth to be told: everything that is no progress, the end of a phase, and each quarter of a long one. */
export function quarters(): (line: string) => boolean {
  const told = new Map<string, number>()
  return line => {
    const phase = phaseOf(line)
    if (phase === undefined) return true
    const quarter = Math.floor(phase.percent / 25)
    if (quarter === 4 || phase.steps < stepsMin || quarter <= (told.get(phase.name) ?? 0)) return false
    told.set(phase.name, quarter)
    return true
  }
}

function phaseOf(line: string): { readonly name: string; readonly percent: number; readonly steps: number } | undefined {
  const [, name = '', percent, steps] = /^(.*?):\s+(\d+)% \(\d+\/(\d+)\)/.exec(line) ?? []
  if (percent === undefined || line.trimEnd().endsWith('done.')) return undefined
  return { name, percent: Number(percent), steps: Number(steps) }
}
