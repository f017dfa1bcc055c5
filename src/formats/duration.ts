/** Spans of time as people write them (`30s`, `10m`, `1h30m`), and the points in time that `--since` takes: a span ago, or a date. */
import { FormatError, quoted } from './format-error.ts'

/** Ten years: longer than any journal. */
export const durationSecondsMax = 10 * 366 * 86_400

const unitSeconds: Readonly<Record<string, number>> = { d: 86_400, h: 3600, m: 60, s: 1 }

/** Reads a span, in seconds. Units come in falling order, each at most once. */
export function parseDuration(text: string): number {
  const match = /^(?=.)(?:[0-9]{1,9}d)?(?:[0-9]{1,9}h)?(?:[0-9]{1,9}m)?(?:[0-9]{1,9}s)?$/.exec(text)
  if (match === null) {
    throw new FormatError('duration', `a span of time must be a number with s, m, h or d, as in 30s or 1h30m, not ${quoted(text)}`, {
      input: text,
    })
  }
  const seconds = text
    .matchAll(/([0-9]+)([dhms])/g)
    .reduce((sum, [, digits, unit]) => sum + Number(digits) * (unitSeconds[unit ?? ''] ?? 0), 0)
  if (seconds > durationSecondsMax)
    throw new FormatError('duration.range', 'a span of time must not be longer than ten years', { input: text })
  return seconds
}

/** `90` is `1m30s`. */
export function printDuration(seconds: number): string {
  let rest = seconds
  const parts = Object.entries(unitSeconds).map(([unit, size]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return count === 0 ? '' : `${count}${unit}`
  })
  return parts.join('') || '0s'
}

/** Reads `--since`, in milliseconds since 1970: a span before `nowMs`, or a date and time of RFC 3339. */
export function parseSince(text: string, nowMs: number): number {
  const atMs = parseInstant(text)
  if (atMs !== undefined) return atMs
  if (/^[0-9]{4}-/.test(text)) {
    throw new FormatError('since', `a date must be as in 2026-01-31T12:00:00Z (RFC 3339), not ${quoted(text)}`, { input: text })
  }
  return nowMs - parseDuration(text) * 1000
}

function parseInstant(text: string): number | undefined {
  const [, day, time, zone] =
    /^([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?)([Zz]|[+-][0-9]{2}:[0-9]{2})$/.exec(text) ?? []
  if (day === undefined || time === undefined || zone === undefined) return undefined
  // JavaScript takes 30 February for 2 March, and hour 24 for the next day; RFC 3339 knows neither.
  const midnightMs = Date.parse(`${day}T00:00:00Z`)
  const hasDay = !Number.isNaN(midnightMs) && new Date(midnightMs).toISOString().startsWith(day)
  const atMs = Date.parse(`${day}T${time}${zone.toUpperCase()}`)
  return hasDay && !time.startsWith('24') && !Number.isNaN(atMs) ? atMs : undefined
}
