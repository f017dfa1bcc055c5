/**
 * Findings of one claim as a picture: a bar a median, ours and each peer's, with a thin line up to the 99th percentile and a mark at the goal. Pure; the
 * picture is SVG text, readable in light and dark pages.
 */
import type { Finding } from './finding.ts'
import type { Figure } from './statistics.ts'

interface Bar {
  readonly label: string
  readonly value: number
  readonly p99: number | undefined
  readonly goal: number | undefined
  readonly isOurs: boolean
}

const width = 860
const labelWidth = 390
const valueWidth = 110
const plotWidth = width - labelWidth - valueWidth
const rowHeight = 22
const barHeight = 14
const axisHeight = 30

/** One picture of all findings that have the unit. The scale is linear and begins at 0, so that lengths can be compared. */
export function plot(title: string, findings: readonly Finding[], unit: string): string {
  const bars = findings.filter(finding => finding.unit === unit).flatMap(barsOf)
  const largest = Math.max(...bars.flatMap(({ value, p99 = 0, goal = 0 }) => [value, p99, goal]), Number.MIN_VALUE)
  const step = niceStep(largest / 5)
  const scaleMax = Math.ceil(largest / step) * step
  const x = (value: number) => labelWidth + (value / scaleMax) * plotWidth
  const height = bars.length * rowHeight + axisHeight + 24
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    '<style>text{font:12px system-ui,sans-serif;fill:#666}.o{fill:#2f6fdb}.p{fill:#a8a8a8}.w{stroke:#666;stroke-width:1.5}.g{stroke:#d33;stroke-width:2}.t{stroke:#8884}</style>',
    `<text x="0" y="15" font-weight="bold">${escaped(title)}${unit === '' ? '' : `, ${escaped(unit)}`}</text>`,
    ...ticks(scaleMax, step).map(
      value =>
        `<line class="t" x1="${round(x(value))}" x2="${round(x(value))}" y1="24" y2="${height - axisHeight}"/><text x="${round(x(value))}" y="${height - 12}" text-anchor="middle">${label(value)}</text>`,
    ),
    ...bars.map((bar, row) => drawn(bar, 24 + row * rowHeight, x)),
    '</svg>\n',
  ].join('\n')
}

function barsOf({ what, figure, peers, goal, judged }: Finding): readonly Bar[] {
  const bound = goal === undefined ? undefined : 'atMost' in goal ? goal.atMost : goal.atLeast
  const first = peers[0]?.figure.median.value
  // A goal for a ratio stands where that ratio would be beside the first peer.
  const mark = goal?.of === 'ratio' && bound !== undefined && first !== undefined ? bound * first : goal?.of === 'ratio' ? undefined : bound
  const ours: Bar = { label: what, value: figure.median.value, p99: p99Of(figure), goal: mark, isOurs: true }
  // What was judged may lie beyond the p99 of the middle repetition.
  const seen = goal?.of === 'p99' ? Math.max(judged.value, ours.p99 ?? 0) : ours.p99
  return [
    { ...ours, p99: seen },
    ...peers.map(peer => ({ label: peer.name, value: peer.figure.median.value, p99: p99Of(peer.figure), goal: undefined, isOurs: false })),
  ]
}

/** With one sample a repetition there is no 99th of a hundred. */
function p99Of({ p99, samples, repetitions }: Figure): number | undefined {
  return samples > repetitions ? p99.value : undefined
}

function drawn({ label: text, value, p99, goal, isOurs }: Bar, y: number, x: (value: number) => number): string {
  const middle = y + rowHeight / 2
  const parts = [
    `<text x="${labelWidth - 8}" y="${middle + 4}" text-anchor="end"${isOurs ? ' font-weight="bold"' : ''}>${escaped(shortened(text))}</text>`,
    `<rect class="${isOurs ? 'o' : 'p'}" x="${labelWidth}" y="${y + (rowHeight - barHeight) / 2}" width="${round(x(value) - labelWidth)}" height="${barHeight}" rx="2"/>`,
  ]
  if (p99 !== undefined && p99 > value)
    parts.push(`<line class="w" x1="${round(x(value))}" x2="${round(x(p99))}" y1="${middle}" y2="${middle}"/>`)
  if (goal !== undefined)
    parts.push(`<line class="g" x1="${round(x(goal))}" x2="${round(x(goal))}" y1="${y + 2}" y2="${y + rowHeight - 2}"/>`)
  parts.push(`<text x="${round(Math.max(x(value), x(p99 ?? 0)) + 6)}" y="${middle + 4}">${label(value)}</text>`)
  return parts.join('')
}

/** 1, 2 or 5 times a power of ten, at least as large. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return power * ([1, 2, 5, 10].find(factor => factor * power >= least) ?? 10)
}

function ticks(max: number, step: number): readonly number[] {
  return Array.from({ length: Math.round(max / step) + 1 }, (_, index) => index * step)
}

const labelMax = 58

function shortened(text: string): string {
  return text.length <= labelMax ? text : `${text.slice(0, labelMax - 1)}…`
}

function label(value: number): string {
  return String(Number(value.toPrecision(3)))
}

function round(value: number): string {
  return value.toFixed(1)
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.codePointAt(0)};`)
}
