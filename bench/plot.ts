/**
 * Findings of one claim as a picture: a bar a median, ours and each peer's, with a thin line up to the 99th percentile and a mark at the goal. Pure; the
 * picture is SVG text on a light ground of its own, so that it is readable in light and dark pages.
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

const width = 920
const margin = 14
const labelWidth = 400
/** Room behind the longest bar for its value and its 99th percentile. */
const valueWidth = 120
const plotWidth = width - 2 * margin - labelWidth - valueWidth
const left = margin + labelWidth
const headHeight = 44
const axisHeight = 34
const lineHeight = 15
const barHeight = 14
const rowPadding = 10
/** Of a 12 px sans-serif font, wide letters among them; bold ones of ours are wider still. */
const labelCharacters = 56

/** From this ratio of the largest to the smallest on, a linear scale would hide the small ones. */
const logarithmicFrom = 100

/** One picture of all findings that have the unit. */
export function plot(title: string, findings: readonly Finding[], unit: string): string {
  const bars = findings.filter(finding => finding.unit === unit).flatMap(barsOf)
  const scale = scaleOf(
    bars.flatMap(({ value, p99, goal }) => [value, p99, goal].filter(shown => shown !== undefined && shown > 0)) as number[],
  )
  const rows = placed(bars)
  const height = (rows.at(-1)?.bottom ?? headHeight) + axisHeight
  const better = unit.endsWith('/s') ? 'longer is better' : 'shorter is better'
  const head = [title, ...(unit === '' ? [] : [unit])].join(', ')
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(head)}">`,
    '<style>text{font:12px system-ui,"DejaVu Sans",sans-serif;fill:#333}.b{font-weight:bold}.f{fill:#fff;stroke:#ddd}.o{fill:#2f6fdb}.p{fill:#b4b4b4}.w{stroke:#333;stroke-width:1.5}.g{stroke:#d22;stroke-width:2.5}.t{stroke:#e4e4e4}.s{fill:#777}</style>',
    `<rect class="f" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="6"/>`,
    `<text class="b" x="${margin}" y="22">${escaped(head)}</text>`,
    `<text class="s" x="${width - margin}" y="22" text-anchor="end">${better}${scale.isLogarithmic ? ', logarithmic scale' : ''}</text>`,
    ...scale.ticks.map(
      value =>
        `<line class="t" x1="${at(scale.x(value))}" x2="${at(scale.x(value))}" y1="${headHeight - 8}" y2="${height - axisHeight + 4}"/><text class="s" x="${at(scale.x(value))}" y="${height - 12}" text-anchor="middle">${label(value)}</text>`,
    ),
    ...rows.map(row => drawn(row, scale.x)),
    '</svg>\n',
  ].join('\n')
}

function barsOf({ what, figure, peers, goal, judged }: Finding): readonly Bar[] {
  const bound = goal === undefined ? undefined : 'atMost' in goal ? goal.atMost : goal.atLeast
  const first = peers[0]?.figure.median.value
  // A goal for a ratio stands where that ratio would be beside the first peer.
  const mark = goal?.of === 'ratio' && bound !== undefined ? (first === undefined ? undefined : bound * first) : bound
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

interface Scale {
  readonly isLogarithmic: boolean
  readonly ticks: readonly number[]
  /** Where a value is from the left of the picture. */
  readonly x: (value: number) => number
}

/** Linear from 0, so that lengths can be compared; where values lie a hundredfold apart, logarithmic from the power of ten below the smallest. */
function scaleOf(values: readonly number[]): Scale {
  const largest = Math.max(...values, Number.MIN_VALUE)
  const smallest = Math.min(...values, largest)
  if (largest / smallest < logarithmicFrom) {
    const step = niceStep(largest / 5)
    const count = Math.ceil(largest / step)
    return {
      isLogarithmic: false,
      ticks: Array.from({ length: count + 1 }, (_, index) => index * step),
      x: value => left + (value / (count * step)) * plotWidth,
    }
  }
  const [low, high] = [Math.floor(Math.log10(smallest)), Math.ceil(Math.log10(largest))]
  return {
    isLogarithmic: true,
    ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)),
    x: value => left + (Math.max(0, Math.log10(value) - low) / (high - low)) * plotWidth,
  }
}

interface Row {
  readonly bar: Bar
  readonly lines: readonly string[]
  readonly top: number
  readonly bottom: number
}

/** One below the other, each as high as its label. Ours has a little room above, so that its peers are seen to be with it. */
function placed(bars: readonly Bar[]): readonly Row[] {
  const rows: Row[] = []
  let bottom = headHeight
  for (const bar of bars) {
    const lines = wrapped(bar.label)
    const top = bottom + (bar.isOurs && rows.length > 0 ? rowPadding / 2 : 0)
    bottom = top + lines.length * lineHeight + rowPadding
    rows.push({ bar, lines, top, bottom })
  }
  return rows
}

function drawn({ bar: { value, p99, goal, isOurs }, lines, top, bottom }: Row, x: Scale['x']): string {
  const middle = (top + bottom) / 2
  const first = middle - ((lines.length - 1) * lineHeight) / 2 + 4
  const end = value > 0 ? x(value) : left
  const parts = lines.map(
    (line, index) =>
      `<text${isOurs ? ' class="b"' : ''} x="${left - 8}" y="${first + index * lineHeight}" text-anchor="end">${escaped(line)}</text>`,
  )
  parts.push(
    `<rect class="${isOurs ? 'o' : 'p'}" x="${left}" y="${middle - barHeight / 2}" width="${at(end - left)}" height="${barHeight}" rx="2"/>`,
  )
  if (p99 !== undefined && p99 > value) parts.push(`<line class="w" x1="${at(end)}" x2="${at(x(p99))}" y1="${middle}" y2="${middle}"/>`)
  if (goal !== undefined && goal > 0)
    parts.push(`<line class="g" x1="${at(x(goal))}" x2="${at(x(goal))}" y1="${middle - 11}" y2="${middle + 11}"/>`)
  const hasP99 = p99 !== undefined && p99 > value
  const right = hasP99 ? x(p99) : end
  const text = hasP99 ? `${label(value)}, p99 ${label(p99)}` : label(value)
  // Behind a goal's mark that stands where the text would be.
  const behind = goal !== undefined && x(goal) > right - 4 && x(goal) < right + 6 + text.length * 7 ? x(goal) : right
  parts.push(`<text x="${at(behind + 7)}" y="${middle + 4}">${text}</text>`)
  return parts.join('')
}

/** 1, 2 or 5 times a power of ten, at least as large. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return power * ([1, 2, 5, 10].find(factor => factor * power >= least) ?? 10)
}

/** Broken between words, so that nothing of a label is cut off. */
function wrapped(text: string): readonly string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line !== '' && line.length + 1 + word.length > labelCharacters) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}

/** Three digits that count. */
function label(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 6 })
}

function at(value: number): string {
  return value.toFixed(1)
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.codePointAt(0)};`)
}
