/** Spans of time as people write them: `30s`, `10m`, `1h30m`. */
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
