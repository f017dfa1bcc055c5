/** What a claim's measurement gives, and whether that keeps the claim. */
import { type Figure, figure, type Middle, type Repetitions, ratio } from './statistics.ts'

/** What is held against the goal: a figure itself, or its ratio to the first peer. */
export type Judged = 'median' | 'p99' | 'ratio'

export type Goal = { readonly of: Judged } & ({ readonly atMost: number } | { readonly atLeast: number })

export interface Measurement {
  /** What was measured, as it stands in the table. */
  readonly what: string
  /** Such as `ms`; empty for plain numbers. */
  readonly unit: string
  readonly samples: Repetitions
  /** Measured in the same run, so that a slow machine slows both. */
  readonly peers?: readonly Peer[]
  /** Without one it is told for comparison. */
  readonly goal?: Goal
}

export interface Peer {
  readonly name: string
  readonly samples: Repetitions
}

export interface Finding {
  readonly what: string
  readonly unit: string
  readonly figure: Figure
  readonly peers: readonly { readonly name: string; readonly figure: Figure; readonly ratio: Middle | undefined }[]
  readonly goal: Goal | undefined
  /** The value that is held against the goal. */
  readonly judged: Middle
  /** Undefined without a goal. */
  readonly isMet: boolean | undefined
}

export function judge({ what, unit, samples, peers = [], goal }: Measurement): Finding {
  const own = figure(samples)
  const compared = peers.map(peer => ({ name: peer.name, figure: figure(peer.samples), ratio: ratio(samples, peer.samples) }))
  const judged = judgedValue(goal?.of ?? 'median', own, compared[0]?.ratio)
  return { what, unit, figure: own, peers: compared, goal, judged, isMet: goal === undefined ? undefined : isKept(goal, judged.value) }
}

function judgedValue(judged: Judged, own: Figure, firstRatio: Middle | undefined): Middle {
  if (judged !== 'ratio') return own[judged]
  if (firstRatio === undefined) throw new Error('a goal for a ratio needs a peer that is more than nothing')
  return firstRatio
}

function isKept(goal: Goal, value: number): boolean {
  return 'atMost' in goal ? value <= goal.atMost : value >= goal.atLeast
}
