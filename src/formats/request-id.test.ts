import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FormatError } from './format-error.ts'
import { decodeRequestId, newRequestId, parseRequestId } from './request-id.ts'
import { anyText } from './test-text.ts'

/** Any UTF-16 unit: control characters and halves of surrogate pairs too. */

test('the three spellings of one id are the same id', () => {
  expect(parseRequestId('Qm9vbS1ub3QtcmVhbC1pZA')).toBe('Qm9vbS1ub3QtcmVhbC1pZA')
  expect(parseRequestId('Qm9vbS1ub3QtcmVhbC1pZA==')).toBe('Qm9vbS1ub3QtcmVhbC1pZA')
  expect(parseRequestId('426f6f6d2d6e6f742d7265616c2d6964')).toBe('Qm9vbS1ub3QtcmVhbC1pZA')
  expect(parseRequestId('426F6F6D2D6E6F742D7265616C2D6964')).toBe('Qm9vbS1ub3QtcmVhbC1pZA')
})

test('spare bits of the last character do not make another id', () => {
  expect(parseRequestId('Qm9vbS1ub3QtcmVhbC1pZB')).toBe('Qm9vbS1ub3QtcmVhbC1pZA')
})

test.each([
  '',
  'short',
  'Qm9vbS1ub3QtcmVhbC1pZA=',
  'Qm9vbS1ub3QtcmVhbC1p+A',
  '../../../../etc/passwd',
  'g'.repeat(32),
  'a'.repeat(1000),
  'Qm9vbS1ub3QtcmVhbC1pZA\n',
])('text %# is refused', text => {
  expect(() => parseRequestId(text)).toThrow(FormatError)
})

test('every 16 bytes have one text of 22 characters, and are found again in it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), bytes => {
      const text = newRequestId(bytes)
      expect(text).toMatch(/^[A-Za-z0-9_-]{22}$/)
      expect(decodeRequestId(text)).toEqual(bytes)
      expect(parseRequestId(Buffer.from(bytes).toString('hex'))).toBe(text)
    }),
  )
})

test('an id is not made of more or fewer bytes', () => {
  expect(() => newRequestId(new Uint8Array(15))).toThrow('16 bytes')
})

test('nothing but a format error is ever thrown', () => {
  fc.assert(
    fc.property(anyText, text => {
      expect(() => parseRequestId(text)).toThrow(FormatError)
    }),
  )
})
