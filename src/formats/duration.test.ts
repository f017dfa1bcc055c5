import fc from 'fast-check'
import { expect, test } from 'vitest'
import { durationSecondsMax, parseDuration } from './duration.ts'
import { FormatError } from './format-error.ts'
import { anyText, failsCleanly } from './test-text.ts'

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

test('what is taken is within ten years, and nothing but a format error is ever thrown', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, fc.stringMatching(/^[0-9dhms -]{0,25}$/)), text => {
      failsCleanly(() => {
        const seconds = parseDuration(text)
        expect(seconds >= 0 && seconds <= durationSecondsMax).toBe(true)
      })
    }),
    { numRuns: 500 },
  )
})
