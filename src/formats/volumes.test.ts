import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FormatError } from './format-error.ts'
import { failsCleanly, textOfPieces } from './test-text.ts'
import { checkVolumePath, checkVolumes, parseVolumePath, parseVolumes, printVolumeElements, printVolumes, volumesMax } from './volumes.ts'

/** Any UTF-16 unit: control characters and halves of surrogate pairs too. */

describe('the text of volumes', () => {
  test('names volumes and mounts', () => {
    expect(parseVolumes('/data,/srv/x:/mnt,/srv/y:/y:ro,/srv/z:/z:rw')).toEqual({
      paths: ['/data'],
      mounts: [
        { hostPath: '/srv/x', containerPath: '/mnt', isReadOnly: false },
        { hostPath: '/srv/y', containerPath: '/y', isReadOnly: true },
        { hostPath: '/srv/z', containerPath: '/z', isReadOnly: false },
      ],
    })
    expect(parseVolumes('')).toEqual({ paths: [], mounts: [] })
  })

  test('may have the slash with which a shell completes a folder', () => {
    expect(parseVolumes('/data/,/:/host/:ro')).toEqual({
      paths: ['/data'],
      mounts: [{ hostPath: '/', containerPath: '/host', isReadOnly: true }],
    })
  })

  test.each([
    ['data', 'volumes.path'],
    ['named:/data', 'volumes.path'],
    [',', 'volumes.path'],
    ['/a,', 'volumes.path'],
    ['/a//b', 'volumes.path'],
    ['/a/../b', 'volumes.path'],
    ['/a/.', 'volumes.path'],
    ['/..:/b', 'volumes.path'],
    ['/a//', 'volumes.path'],
    ['/a\nb', 'volumes.path'],
    ['/a\0b', 'volumes.path'],
    ['/\ud800', 'volumes.path'],
    [`/${'x'.repeat(256)}`, 'volumes.path'],
    [`/${'x/'.repeat(2500)}x`, 'volumes.path'],
    ['/a:', 'volumes.path'],
    [':/a', 'volumes.path'],
    ['/a:/b:z', 'volumes.element'],
    ['/a:/b:ro:x', 'volumes.element'],
    ['/a:/b:', 'volumes.element'],
    ['/', 'volumes.root'],
    ['/a:/', 'volumes.root'],
    ['/a,/b:/a', 'volumes.repeated'],
    ['/a/,/a', 'volumes.repeated'],
    [Array.from({ length: volumesMax + 1 }, (_, index) => `/v${index}`).join(','), 'volumes.count'],
    ['/a,'.repeat(200_000), 'volumes.count'],
  ])('text %# is refused by its rule', (text, rule) => {
    expect(() => parseVolumes(text)).toThrow(expect.objectContaining({ name: 'FormatError', rule }))
  })
})

test('a path from elsewhere is taken as it is or not at all', () => {
  expect(['/data/', '/data', '/'].map(parseVolumePath)).toEqual(['/data', '/data', '/'])
  expect(() => parseVolumePath('/data//')).toThrow('must be in its shortest form')
  expect(() => checkVolumePath('/data/')).toThrow('must be in its shortest form')
  expect(() => checkVolumePath('/a:b')).toThrow('must not hold ":" or ","')
  expect(() => checkVolumePath('/srv/my data/é')).not.toThrow()
  expect(() => checkVolumes({ paths: [], mounts: [{ hostPath: 'x', containerPath: '/x', isReadOnly: false }] })).toThrow(FormatError)
})

test('every volume is one argument for the engine', () => {
  expect(printVolumeElements(parseVolumes('/srv/x:/mnt:ro,/data'))).toEqual(['/data', '/srv/x:/mnt:ro'])
})

test('what is printed is read back', () => {
  const part = fc.stringMatching(/^[A-Za-z0-9_ -]{1,8}$/)
  const path = fc.array(part, { minLength: 1, maxLength: 3 }).map(parts => `/${parts.join('/')}`)
  const volumes = fc
    .uniqueArray(path, { maxLength: 8 })
    .chain(places =>
      fc.tuple(fc.constant(places), fc.array(fc.record({ hostPath: path, isReadOnly: fc.boolean() }), { maxLength: places.length })),
    )
    .map(([places, mounts]) => ({
      paths: places.slice(mounts.length),
      mounts: mounts.map((mount, index) => ({ ...mount, containerPath: places[index] ?? '/unused' })),
    }))
  fc.assert(
    fc.property(volumes, given => {
      expect(parseVolumes(printVolumes(given))).toEqual(given)
    }),
  )
})

test('nothing but a format error is ever thrown, and what is accepted is read back', () => {
  const hostile = textOfPieces('/', 'a', '..', '.', ':', ',', 'ro', 'rw', ' ', '\n')
  fc.assert(
    fc.property(hostile, text => {
      failsCleanly(() => {
        const volumes = parseVolumes(text)
        expect(parseVolumes(printVolumes(volumes))).toEqual(volumes)
      })
    }),
    { numRuns: 1000 },
  )
})
