/** Findings as people read them: one table, the same for a terminal and for `RESULTS.md`. */
import type { Finding, Goal } from './finding.ts'
import type { Figure, Range } from './statistics.ts'

export const columns = ['CLAIM', 'MEDIAN', 'P99', 'SPREAD', 'RATIO', 'GOAL', 'MET'] as const

/** A row for what was measured, and one below it for each peer. The spread is that of the value the goal is about. */
export function rows(finding: Finding): readonly (readonly string[])[] {
  const { what, unit, figure, peers, goal, judged, isMet } = finding
  const isRatio = goal?.of === 'ratio'
  const spread = rangeText(judged, isRatio ? '' : unit)
  const own = [what, ...figureText(figure, unit), spread, isRatio ? number(judged.value) : '', goalText(goal, unit), metText(isMet)]
  const others = peers.map(peer => [
    `  beside: ${peer.name}`,
    ...figureText(peer.figure, unit),
    rangeText(peer.figure.median, unit),
    number(peer.ratio.value),
    '',
    '',
  ])
  return [own, ...others]
}

function figureText({ median, p99, samples, repetitions }: Figure, unit: string): readonly string[] {
  // With one sample a repetition there is no 99th of a hundred.
  return [withUnit(median.value, unit), samples > repetitions ? withUnit(p99.value, unit) : '']
}

function rangeText({ lowest, highest }: Range, unit: string): string {
  return `${number(lowest)}–${withUnit(highest, unit)}`
}

function goalText(goal: Goal | undefined, unit: string): string {
  if (goal === undefined) return ''
  const bound = 'atMost' in goal ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`
  const isPlain = goal.of === 'ratio' || unit === ''
  return goal.of === 'median' ? bound : `${goal.of} ${bound}${isPlain ? '' : ` ${unit}`}`
}

function metText(isMet: boolean | undefined): string {
  return isMet === undefined ? '' : isMet ? 'yes' : 'NO'
}

function withUnit(value: number, unit: string): string {
  return unit === '' ? number(value) : `${number(value)} ${unit}`
}

/** Three digits that count; more would be noise. */
function number(value: number): string {
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3)
}

export interface Circumstances {
  readonly date: string
  readonly machine: string
  readonly otherWork: string
  readonly gear: string
}

/** The page `RESULTS.md`. */
export function page(findings: readonly Finding[], { date, machine, otherWork, gear }: Circumstances): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell => cell.trim()).join(' | ')} |\n`
  return [
    '# Latest figures\n\n',
    'Written by `node bench/run.ts --write`. Each claim is measured on a fresh lab host, with its peers in the same run. Of the repetitions the\n',
    'middle one is told; the spread is that of the value the goal is about.\n\n',
    `* Date: ${date}\n* Machine: ${machine}\n* Other work on it: ${otherWork}\n* Build: ${gear}\n\n`,
    line(columns),
    line(columns.map(() => '---')),
    ...findings.flatMap(rows).map(line),
  ].join('')
}
