import { expect, test } from 'vitest'
import { oneLine } from './one-line.ts'

test.each([
  ['one', 'one'],
  ['one\n  two\r\n\n\tthree \n', 'one two three'],
  [`one${' '.repeat(300_000)}two`, `one${' '.repeat(300_000)}two`],
])('%# is one line', (text, line) => {
  expect(oneLine(text)).toBe(line)
})
