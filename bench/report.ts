/** Findings as people read them: a table, the same for a terminal and for `docs/performance.md`, and that page with its pictures. Pure. */
import { claims } from './claims/index.ts'
import type { Finding, Goal } from './finding.ts'
import { plot } from './plot.ts'
import type { ClaimRecord } from './records.ts'
import type { Figure, Range } from './statistics.ts'

export const columns = ['WHAT', 'MEDIAN', 'P99', 'SPREAD', 'RATIO', 'GOAL', 'MET'] as const

/** A row for what was measured, and one below it for each peer. The spread is that of the value the goal is about. */
export function rows(finding: Finding): readonly (readonly string[])[] {
  const { what, unit, figure, peers, goal, judged, isMet } = finding
  const isRatio = goal?.of === 'ratio'
  const spread = rangeText(judged, isRatio ? '' : unit)
  const own = [what, ...figureText(figure, unit), spread, isRatio ? amount(judged.value) : '', goalText(goal, unit), metText(isMet)]
  const others = peers.map(peer => [
    `  beside: ${peer.name}`,
    ...figureText(peer.figure, unit),
    rangeText(peer.figure.median, unit),
    peer.ratio === undefined ? '' : amount(peer.ratio.value),
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
  return `${amount(lowest)}–${withUnit(highest, unit)}`
}

function goalText(goal: Goal | undefined, unit: string): string {
  if (goal === undefined) return ''
  const bound = 'atMost' in goal ? `≤ ${amount(goal.atMost)}` : `≥ ${amount(goal.atLeast)}`
  const isPlain = goal.of === 'ratio' || unit === ''
  return goal.of === 'median' ? bound : `${goal.of} ${bound}${isPlain ? '' : ` ${unit}`}`
}

function metText(isMet: boolean | undefined): string {
  return isMet === undefined ? '' : isMet ? 'yes' : 'NO'
}

function withUnit(value: number, unit: string): string {
  return unit === '' ? amount(value) : `${amount(value)} ${unit}`
}

/** Three digits that count; more would be noise. */
export function amount(value: number): string {
  if (Number.isInteger(value) && value < 1000) return String(value)
  return value >= 100 ? Number(value.toPrecision(3)).toLocaleString('en') : value.toPrecision(3)
}

/** `performance.md` and its pictures, by their path in `docs/`. */
export function performancePages(records: readonly ClaimRecord[]): ReadonlyMap<string, string> {
  return new Map([
    ['performance.md', page(records)],
    ...records.flatMap(record => [...pictures(record)]).map(([name, picture]): [string, string] => [`performance/${name}`, picture]),
  ])
}

/** The pictures of a claim, one a unit, by the names of their files. */
function pictures({ claim, findings }: ClaimRecord): ReadonlyMap<string, string> {
  const drawn = findings.filter(isDrawn)
  const units = [...new Set(drawn.map(finding => finding.unit))]
  return new Map(units.map((unit, index) => [`${claim}${index === 0 ? '' : `-${index + 1}`}.svg`, plot(titleOf(claim), drawn, unit)]))
}

/** A count of nothing makes no picture. */
function isDrawn({ figure }: Finding): boolean {
  return figure.median.value > 0
}

function titleOf(claim: string): string {
  return claims[claim]?.title ?? claim
}

function page(records: readonly ClaimRecord[]): string {
  const machines = [...new Set(records.map(({ machine }) => machine))]
  return [
    '# Performance',
    [
      'Written by `node bench/run.ts --write` from [performance/findings.json](performance/findings.json), which has the last finding of each claim. A claim is measured on a fresh',
      'lab host, with its peers in the same run, because a figure by itself says more of the machine than of the program. Measurements are repeated: of the repetitions’',
      'medians, 99th percentiles (of fewer than a hundred samples: the slowest) and ratios the middle one is told. A ratio is ours divided by the peer’s; the spread is that of the value the goal is about, from the lowest to',
      'the highest repetition. The agent’s state is on a disk, as on any host, so that every write that has to survive a power cut costs what it costs.',
    ].join('\n'),
    ...goals(records),
    ...(machines.length === 1 ? [`Machine: ${machines[0]}.`] : []),
    [
      'In the pictures a bar is a median, ours in blue; the thin line goes up to the 99th percentile; red is the goal (for a ratio: where it is beside the first peer).',
      'Where values lie far apart the scale is logarithmic, which the picture says.',
    ].join('\n'),
    ...records.flatMap(record => section(record, machines.length > 1)),
    ...unmeasured(records),
  ]
    .join('\n\n')
    .concat('\n')
}

/** What a reader wants to know first. */
function goals(records: readonly ClaimRecord[]): readonly string[] {
  const all = records.flatMap(record => record.findings.map(finding => ({ ...finding, claim: record.claim })))
  const missed = all.filter(({ isMet }) => isMet === false)
  const met = all.filter(({ isMet }) => isMet === true)
  const lines = missed.map(({ what, unit, goal, judged, claim }) => {
    const value = goal?.of === 'ratio' ? amount(judged.value) : withUnit(judged.value, unit)
    return `* ${what}: ${value}, the goal is ${goalText(goal, unit)} ([${titleOf(claim)}](#${anchor(titleOf(claim))}))`
  })
  return [
    `**Goals: ${met.length} met, ${missed.length} missed${missed.length === 0 ? '.' : ':'}**`,
    ...(lines.length === 0 ? [] : [lines.join('\n')]),
  ]
}

function section(record: ClaimRecord, namesMachine: boolean): readonly string[] {
  const { claim, date, build, disk, otherWork, seconds, machine, findings } = record
  const title = titleOf(claim)
  const line = (cells: readonly string[]) => `| ${cells.map(cell => cell.trim()).join(' | ')} |`
  return [
    `## ${title}`,
    ...(claims[claim] === undefined ? [] : [claims[claim].about]),
    `Measured ${date} UTC in ${seconds} s: build ${build}, state on ${disk}, ${otherWork}${namesMachine ? `, ${machine}` : ''}. \`node bench/run.ts --write ${claim}\``,
    ...[...pictures(record).keys()].map(file => `![${title}](performance/${file})`),
    [line(columns), line(columns.map(() => '---')), ...findings.flatMap(rows).map(line)].join('\n'),
  ]
}

function unmeasured(records: readonly ClaimRecord[]): readonly string[] {
  const names = Object.keys(claims).filter(name => !records.some(({ claim }) => claim === name))
  return names.length === 0 ? [] : ['## Not measured yet', names.map(name => `* ${titleOf(name)} (\`${name}\`)`).join('\n')]
}

/** As GitHub makes them of headings. */
function anchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-')
}
