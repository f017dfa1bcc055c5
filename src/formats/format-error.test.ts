import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FormatError, quoted } from './format-error.ts'
import { anyText } from './test-text.ts'

/** Any UTF-16 unit: control characters and halves of surrogate pairs too. */

test('an error carries its rule, its message and a shortened input', () => {
  const error = new FormatError('ports.pair', 'needs a colon', { input: 'x'.repeat(500) })
  expect(error).toBeInstanceOf(Error)
  expect(error.name).toBe('FormatError')
  expect(error.rule).toBe('ports.pair')
  expect(error.message).toBe('needs a colon')
  expect(error.input).toHaveLength(81)
})

test('a path is shown in front of the message', () => {
  expect(new FormatError('json.depth', 'nested too deeply', { path: 'a[0]' }).message).toBe('a[0]: nested too deeply')
})

test('a quoted text has no control characters and a bounded length', () => {
  expect(quoted('a\nb\u001b[31m')).toBe('"a?b?[31m"')
  fc.assert(
    fc.property(anyText, text => {
      const shown = quoted(text)
      return !/\p{Cc}/u.test(shown) && shown.length <= 83 && shown.isWellFormed()
    }),
  )
})
