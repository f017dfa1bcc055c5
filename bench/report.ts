/** Findings as people read them: one table, the same for a terminal and for `docs/performance.md`. */
import type { Finding, Goal } from './finding.ts'
import { plot } from './plot.ts'
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

/** What one claim found. */
export interface Section {
  readonly claim: string
  readonly findings: readonly Finding[]
}

/** The pictures of a claim, one a unit, by the names of their files. */
export function pictures({ claim, findings }: Section): ReadonlyMap<string, string> {
  const units = [...new Set(findings.filter(isDrawn).map(finding => finding.unit))]
  return new Map(
    units.map((unit, index) => [
      `${claim}${index === 0 ? '' : `-${index + 1}`}.svg`,
      plot(titles[claim] ?? claim, findings.filter(isDrawn), unit),
    ]),
  )
}

/** A count of nothing makes no picture. */
function isDrawn({ figure }: Finding): boolean {
  return figure.median.value > 0
}

const titles: Readonly<Record<string, string>> = {
  'new-containers': 'Installing beside 1,000 containers',
  reads: 'Reads beside 1,000 containers',
  changes: 'Changes beside 1,000 containers',
  sixteen: 'Sixteen connections against one',
  reloads: 'Reloads of systemd',
  serving: 'From nothing to the first page served',
  memory: 'Memory beside each container',
  commands: 'The command line',
  log: 'Following a log',
  idle: 'The agent at rest',
}

/** The page `docs/performance.md`. */
export function page(sections: readonly Section[], { date, machine, otherWork, gear }: Circumstances): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell => cell.trim()).join(' | ')} |\n`
  const findings = sections.flatMap(section => section.findings)
  const missed = findings.filter(finding => finding.isMet === false).length
  const held = findings.filter(finding => finding.isMet === true).length
  return [
    '# Performance\n\n',
    'Written by `node bench/run.ts --write`. Each claim is measured on a fresh lab host, with its peers in the same run, because a figure by itself says\n',
    'more of the machine than of the program. Of the repetitions the middle one is told; the spread is that of the value the goal is about.\n\n',
    `* Date: ${date}\n* Machine: ${machine}\n* Other work on it: ${otherWork}\n* Build: ${gear}\n* Goals: ${held} met, ${missed} missed\n\n`,
    'In the pictures a bar is a median, ours in blue; the thin line goes up to the 99th percentile; red is the goal (for a ratio: where it is beside the first peer).\n\n',
    ...sections.flatMap(section => [
      `## ${titles[section.claim] ?? section.claim}\n\n`,
      ...[...pictures(section).keys()].map(file => `![${titles[section.claim] ?? section.claim}](performance/${file})\n\n`),
      line(columns),
      line(columns.map(() => '---')),
      ...section.findings.flatMap(rows).map(line),
      '\n',
    ]),
  ]
    .join('')
    .trimEnd()
    .concat('\n')
}
