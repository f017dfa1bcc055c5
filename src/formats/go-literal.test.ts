import fc from 'fast-check'
import { expect, test } from 'vitest'
import { unquoteGoLiteral } from './go-literal.ts'
import { anyText } from './test-text.ts'

/** Any UTF-16 unit: control characters and halves of surrogate pairs too. */

function unquoted(text: string): string | undefined {
  const bytes = unquoteGoLiteral(text)
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1')
}

test.each([
  ['""', ''],
  ['"B C"', 'B C'],
  ['"\\a\\b\\f\\n\\r\\t\\v\\\\\\""', '\x07\b\f\n\r\t\v\\"'],
  ['"\\x41\\101\\u0041\\U00000041"', 'AAAA'],
  ['"\\xff\\377"', '\xff\xff'],
  ['"\\u00e9"', '\xc3\xa9'],
  ['"é"', '\xc3\xa9'],
  ['"it\'s `raw`"', "it's `raw`"],
  ['``', ''],
  ['`a\\n"b"\'c\'`', 'a\\n"b"\'c\''],
  ['`a\r\nb`', 'a\nb'],
  ["'x'", 'x'],
  ["'é'", '\xc3\xa9'],
  ["'😀'", '\xf0\x9f\x98\x80'],
  ["'\\''", "'"],
  ["'\\n'", '\n'],
  ["'\"'", '"'],
  ["''", ''],
])('%s is a literal', (text, value) => {
  expect(unquoted(text)).toBe(value)
})

test.each([
  '',
  '"',
  "'",
  '`',
  'a',
  '"a',
  'a"',
  '"a\'',
  '"a"b"',
  '`a`b`',
  "'ab'",
  "'''",
  '"a\nb"',
  "'\n'",
  '"\\"',
  '"\\q"',
  '"\\\'"',
  "'\\\"'",
  '"\\x4"',
  '"\\xg1"',
  '"\\400"',
  '"\\12"',
  '"\\8"',
  '"\\u12"',
  '"\\ud800"',
  '"\\U00110000"',
  '"\\\n"',
  ' "a"',
  '\\"foo\\"',
])('%j is no literal', text => {
  expect(unquoted(text)).toBeUndefined()
})

test('every JSON string without a slash escape or surrogate escape is the same string in Go', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), text => {
      expect(Buffer.from(unquoteGoLiteral(JSON.stringify(text)) ?? []).toString()).toBe(text)
    }),
  )
})

test('no text makes it fail', () => {
  fc.assert(
    fc.property(fc.constantFrom('"', "'", '`'), anyText, (quote, text) => {
      unquoteGoLiteral(quote + text + quote)
    }),
  )
})
