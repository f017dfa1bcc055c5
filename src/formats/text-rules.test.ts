import { expect, test } from 'vitest'
import { FormatError } from './format-error.ts'
import { hasControlCharacter, isLongerThan, requireLine, requireText, trimCharacters } from './text-rules.ts'

const rules = { rule: 'test.text', subject: 'a name', bytesMax: 4 }

test('length is counted in bytes of UTF-8', () => {
  expect(isLongerThan('éé', 4)).toBe(false)
  expect(isLongerThan('ééé', 4)).toBe(true)
  expect(() => requireText('ééé', rules)).toThrow('a name must not be longer than 4 bytes')
})

test('lone surrogates and control characters are refused', () => {
  expect(() => requireText('\ud800', rules)).toThrow(FormatError)
  expect(() => requireLine('a\tb', rules)).toThrow('a name must not hold control characters: "a?b"')
  expect(() => requireText('a\tb', rules)).not.toThrow()
})

test('control characters are C0, DEL and C1', () => {
  expect(['\0', '\n', '\u007f', '\u0085'].every(hasControlCharacter)).toBe(true)
  expect(hasControlCharacter('a é 😀')).toBe(false)
})

test('only the given characters are trimmed, from both ends, however many there are', () => {
  expect(trimCharacters(' \ta b \u00a0 ', ' \t')).toBe('a b \u00a0')
  expect(trimCharacters('  ', ' ')).toBe('')
  expect(trimCharacters('', ' ')).toBe('')
  expect(trimCharacters(`${' '.repeat(1_000_000)}a${' '.repeat(1_000_000)}b`, ' ')).toHaveLength(1_000_002)
})
