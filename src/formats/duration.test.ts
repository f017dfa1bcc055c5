import fc from 'fast-check'
import { expect, test } from 'vitest'
import { durationSecondsMax, parseDuration, parseSince, printDuration } from './duration.ts'
import { FormatError } from './format-error.ts'
import { anyText, failsCleanly } from './test-text.ts'

/** Any UTF-16 unit: control characters and halves of surrogate pairs too. */

const nowMs = Date.UTC(2026, 0, 31, 12)

test.each([
  ['30s', 30],
  ['10m', 600],
  ['2h', 7200],
  ['1d', 86_400],
  ['1h30m', 5400],
  ['1d2h3m4s', 93_784],
  ['0s', 0],
])('%s is a span of time', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds)
})

test.each(['', '30', 's', '-30s', '1.5h', '30m1h', '1h1h', '30 s', '1w', '٣s', '999999999d', '9999999999s'])(
  '%j is no span of time',
  text => {
    expect(() => parseDuration(text)).toThrow(FormatError)
  },
)

test.each([
  ['30s', nowMs - 30_000],
  ['2h', nowMs - 7_200_000],
  ['2026-01-31T12:00:00Z', nowMs],
  ['2026-01-31 13:00:00.5+01:00', nowMs + 500],
  ['2024-02-29t00:00:00z', Date.UTC(2024, 1, 29)],
])('since %s is a point in time', (text, atMs) => {
  expect(parseSince(text, nowMs)).toBe(atMs)
})

test.each([
  '',
  'yesterday',
  '2026-01-31',
  '2026-01-31T12:00:00',
  '2025-02-29T00:00:00Z',
  '2026-01-31T24:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-01-31T12:00:60Z',
  '2026-01-31T12:00:00+25:00',
])('since %j is refused', text => {
  expect(() => parseSince(text, nowMs)).toThrow(FormatError)
})

test('what is printed is read back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: durationSecondsMax }), seconds => {
      expect(parseDuration(printDuration(seconds))).toBe(seconds)
    }),
  )
})

test('nothing but a format error is ever thrown', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, fc.stringMatching(/^[0-9T:Z+.dhms -]{0,25}$/)), text => {
      failsCleanly(() => {
        expect(Number.isFinite(parseSince(text, nowMs))).toBe(true)
      })
    }),
    { numRuns: 500 },
  )
})
