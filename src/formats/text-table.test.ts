import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FormatError } from './format-error.ts'
import { anyText } from './test-text.ts'
import { printTable } from './text-table.ts'

/** Any UTF-16 unit: control characters and halves of surrogate pairs too. */

const header = ['ID', 'SERVER', 'ACTIVE', 'SUB', 'LOAD', 'TYPE']

test('the table of units looks as it always did', () => {
  expect(printTable(header, [['abcd', '127.0.0.1:43999', 'active', 'running', 'loaded', 'start']])).toBe(
    'ID      SERVER          ACTIVE  SUB     LOAD    TYPE\nabcd    127.0.0.1:43999 active  running loaded  start\n',
  )
})

test('an empty last cell leaves the padding of the one before it', () => {
  expect(printTable(['ID', 'TYPE'], [['abcd', '']])).toBe('ID      TYPE\nabcd    \n')
})

test('a table without rows is its header', () => {
  expect(printTable(['ID', 'LOAD'], [])).toBe('ID      LOAD\n')
})

test('a cell of eight or more characters widens its column', () => {
  expect(printTable(['A', 'B'], [['12345678', 'x']])).toBe('A        B\n12345678 x\n')
  expect(printTable(['A', 'B'], [['éééé😀', 'x']])).toBe('A       B\néééé😀   x\n')
})

test('a row that does not fit the header is refused', () => {
  expect(() => printTable(['A', 'B'], [['x']])).toThrow(FormatError)
})

test('whatever the cells hold, there is one line per row and every column begins at one place', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyText, fc.constant('#'))), rows => {
      const lines = printTable(['A', '#'], rows).split('\n')
      expect(lines).toHaveLength(rows.length + 2)
      const places = new Set(lines.slice(0, -1).map(line => [...line].lastIndexOf('#')))
      expect(places.size).toBe(1)
    }),
  )
})
