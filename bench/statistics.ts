/**
 * Numbers out of samples. A measurement is repeated, so samples come as repetitions; each repetition is summed up by itself, the middle one
 * is what is told, and the lowest and highest say how far it can be trusted.
 */
export type Repetitions = readonly (readonly number[])[]

export interface Range {
  readonly lowest: number
  readonly highest: number
}

/** The middle one of the repetitions' values, and how far they lie apart. */
export interface Middle extends Range {
  readonly value: number
}

export interface Figure {
  readonly median: Middle
  readonly p99: Middle
  readonly repetitions: number
  readonly samples: number
}

export function figure(repetitions: Repetitions): Figure {
  return {
    median: middle(repetitions.map(median)),
    p99: middle(repetitions.map(samples => percentile(samples, 0.99))),
    repetitions: repetitions.length,
    samples: repetitions.reduce((sum, samples) => sum + samples.length, 0),
  }
}

/** The medians of ours over those of the peer, repetition by repetition, so that what slows both down at a time cancels out. There is none to nothing. */
export function ratio(ours: Repetitions, peers: Repetitions): Middle | undefined {
  if (ours.length !== peers.length) throw new Error(`${ours.length} repetitions cannot be compared with ${peers.length}`)
  if (peers.some(samples => median(samples) === 0)) return undefined
  return middle(ours.map((samples, index) => median(samples) / median(peers[index] ?? [])))
}

/** The middle sample; between two, the mean of both, since the lower one alone would flatter. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const [lower, upper] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]]
  if (lower === undefined || upper === undefined) throw new Error('there are no samples')
  return (lower + upper) / 2
}

/** The smallest sample that at least this fraction of the samples does not exceed (the nearest-rank method): always one that was seen. */
export function percentile(samples: readonly number[], fraction: number): number {
  const value = samples.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(samples.length * fraction) - 1)]
  if (value === undefined) throw new Error('there are no samples')
  return value
}

function middle(values: readonly number[]): Middle {
  return { value: median(values), lowest: percentile(values, 0), highest: percentile(values, 1) }
}
