import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FormatError } from './format-error.ts'
import {
  checkCpus,
  checkMemory,
  cpusMax,
  cpusMin,
  memoryBytesMax,
  memoryBytesMin,
  parseCpus,
  parseMemory,
  parseQuota,
  printCpus,
  printMemory,
} from './size.ts'
import { anyText, failsCleanly } from './test-text.ts'

/** Any UTF-16 unit: control characters and halves of surrogate pairs too. */

describe('memory', () => {
  test.each([
    ['512m', 536870912, '512m'],
    ['1g', 1073741824, '1g'],
    ['1024M', 1073741824, '1g'],
    ['6291456', memoryBytesMin, '6m'],
    ['6291457b', 6291457, '6291457'],
    ['8000k', 8192000, '8000k'],
    ['0', 0, '0'],
    ['0g', 0, '0'],
    ['1048576g', memoryBytesMax, '1048576g'],
  ])('%s', (text, sizeBytes, printed) => {
    expect(parseMemory(text)).toBe(sizeBytes)
    expect(printMemory(sizeBytes)).toBe(printed)
  })

  test.each([
    '',
    'm',
    '1.5g',
    '-1',
    '+8m',
    '512 m',
    '512mb',
    '1t',
    '0x10',
    '٣m',
    '99999999999999999',
    '5m',
    '1',
    '1048577g',
    '9999999999999999g',
  ])('%j is refused', text => {
    expect(() => parseMemory(text)).toThrow(FormatError)
  })

  test('is a whole number of bytes', () => {
    for (const sizeBytes of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => checkMemory(sizeBytes)).toThrow(FormatError)
  })

  test('is read back from its print', () => {
    fc.assert(
      fc.property(fc.integer({ min: memoryBytesMin, max: memoryBytesMax }), fc.constantFrom(1, 2 ** 10, 2 ** 20), (sizeBytes, multiple) => {
        const size = Math.max(memoryBytesMin, sizeBytes - (sizeBytes % multiple))
        expect(parseMemory(printMemory(size))).toBe(size)
      }),
    )
  })
})

describe('processors', () => {
  test.each([
    ['0', 0],
    ['0.0', 0],
    ['0.01', 0.01],
    ['1.5', 1.5],
    ['1.50', 1.5],
    ['1024', 1024],
  ])('%s', (text, cpus) => {
    expect(parseCpus(text)).toBe(cpus)
  })

  test.each(['', '.5', '1.', '-1', '1e2', 'two', '1,5', '0.001', '1024.1', '99999', '0.0000000001', 'NaN'])('%j is refused', text => {
    expect(() => parseCpus(text)).toThrow(FormatError)
  })

  test('are a number within the range', () => {
    for (const cpus of [-1, Number.NaN, Number.POSITIVE_INFINITY, cpusMin / 2]) expect(() => checkCpus(cpus)).toThrow(FormatError)
  })

  test('are read back from their print', () => {
    fc.assert(
      fc.property(fc.double({ min: cpusMin, max: cpusMax, noNaN: true }), cpus => {
        expect(parseCpus(printCpus(cpus))).toBeCloseTo(cpus, 8)
        expect(printCpus(parseCpus(printCpus(cpus)))).toBe(printCpus(cpus))
      }),
    )
  })
})

test('nothing but a format error is ever thrown', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, fc.stringMatching(/^[0-9.mgkb-]{0,8}$/)), text => {
      for (const parse of [parseMemory, parseCpus]) {
        failsCleanly(() => {
          parse(text)
        })
      }
    }),
    { numRuns: 500 },
  )
})

test.each([
  ['0', 0],
  ['1m', 1_048_576],
  ['10G', 10_737_418_240],
  ['1048576', 1_048_576],
])('a quota of %s has %i bytes', (text, sizeBytes) => {
  expect(parseQuota(text)).toBe(sizeBytes)
})

test.each(['', '1', '1023k', '1t', '-1', '1.5g', ' 1g', '1048577g', '9999999999999999g', 'g'])('%j is no quota', text => {
  expect(() => parseQuota(text)).toThrow(FormatError)
})
