import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkPortPairs, describePortPairs, parsePortPairs, portPairsMax, printPortPairs } from './ports.ts'
import { failsCleanly, textOfPieces } from './test-text.ts'

/** Any UTF-16 unit: control characters and halves of surrogate pairs too. */

describe('the text of port pairs', () => {
  test('is read in its order', () => {
    expect(parsePortPairs('8080:0,22:4022')).toEqual([
      { internal: 8080, external: 0 },
      { internal: 22, external: 4022 },
    ])
    expect(parsePortPairs('')).toEqual([])
    expect(parsePortPairs('1:0,2:0')).toHaveLength(2)
  })

  test.each([
    ['8080', 'ports.pair'],
    ['8080:0,', 'ports.pair'],
    ['8080:0,22', 'ports.pair'],
    ['1:2:3', 'ports.pair'],
    [':80', 'ports.number'],
    ['80:', 'ports.number'],
    ['80:65536', 'ports.number'],
    ['-1:80', 'ports.number'],
    ['8080:0, 22:0', 'ports.number'],
    ['0x50:80', 'ports.number'],
    ['٣:80', 'ports.number'],
    ['0:80', 'ports.internal-zero'],
    ['80:1,80:2', 'ports.internal-repeated'],
    ['80:1,81:1', 'ports.external-repeated'],
    ['1:0,'.repeat(5000), 'ports.count'],
  ])('text %# is refused by its rule', (text, rule) => {
    expect(() => parsePortPairs(text)).toThrow(expect.objectContaining({ name: 'FormatError', rule }))
  })

  test('may have no more pairs than the limit, counted also where they are not text', () => {
    const pairs = Array.from({ length: portPairsMax + 1 }, (_, index) => ({ internal: index + 1, external: 0 }))
    expect(() => checkPortPairs(pairs)).toThrow('at most 100')
    expect(() => parsePortPairs(printPortPairs(pairs))).toThrow('at most 100')
    expect(parsePortPairs(printPortPairs(pairs.slice(1)))).toHaveLength(portPairsMax)
  })
})

test('pairs are printed for headers and for people', () => {
  const pairs = [
    { internal: 8080, external: 4000 },
    { internal: 22, external: 4001 },
  ]
  expect(printPortPairs(pairs)).toBe('8080:4000,22:4001')
  expect(describePortPairs(pairs)).toBe('8080 -> 4000, 22 -> 4001')
})

const port = fc.integer({ min: 1, max: 65535 })

test('what is printed is read back', () => {
  const pairs = fc
    .tuple(
      fc.uniqueArray(port, { maxLength: 20 }),
      fc.uniqueArray(port, { minLength: 20, maxLength: 20 }),
      fc.array(fc.boolean(), { minLength: 20 }),
    )
    .map(([internals, externals, given]) =>
      internals.map((internal, index) => ({ internal, external: given[index] ? (externals[index] ?? 0) : 0 })),
    )
  fc.assert(
    fc.property(pairs, list => {
      expect(parsePortPairs(printPortPairs(list))).toEqual(list)
    }),
  )
})

test('nothing but a format error is ever thrown', () => {
  fc.assert(fc.property(textOfPieces('80', '0', ':', ',', '70000', ' '), text => failsCleanly(() => parsePortPairs(text))))
})
