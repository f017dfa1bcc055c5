import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseImageReference, printImageReference } from './image-reference.ts'
import { failsCleanly, textOfPieces } from './test-text.ts'

/** Any UTF-16 unit: control characters and halves of surrogate pairs too. */

const hex = '0123456789abcdef'.repeat(4)
const name = { kind: 'name', registry: undefined, tag: undefined, digest: undefined }

describe('a reference', () => {
  test.each([
    ['busybox', { ...name, path: 'busybox' }],
    ['acme/shop', { ...name, path: 'acme/shop' }],
    ['acme/shop:1.2_x-Y', { ...name, path: 'acme/shop', tag: '1.2_x-Y' }],
    ['a/b/c', { ...name, path: 'a/b/c' }],
    ['localhost/shop', { ...name, registry: 'localhost', path: 'shop' }],
    ['localhost:5000/shop', { ...name, registry: 'localhost:5000', path: 'shop' }],
    ['Registry.example/a__b/c--d.e', { ...name, registry: 'Registry.example', path: 'a__b/c--d.e' }],
    ['10.1.2.3:5000/shop:tag', { ...name, registry: '10.1.2.3:5000', path: 'shop', tag: 'tag' }],
    [`shop@sha256:${hex}`, { ...name, path: 'shop', digest: `sha256:${hex}` }],
    [`r.example/shop:1@sha512:${hex}${hex}`, { ...name, registry: 'r.example', path: 'shop', tag: '1', digest: `sha512:${hex}${hex}` }],
    ['host:5000', { ...name, path: 'host', tag: '5000' }],
  ])('%s', (text, reference) => {
    expect(parseImageReference(text)).toEqual(reference)
    expect(printImageReference(parseImageReference(text))).toBe(text)
  })

  test('may be the id of an image, with or without its algorithm', () => {
    expect(parseImageReference(hex)).toEqual({ kind: 'id', hex })
    expect(parseImageReference(`sha256:${hex}`)).toEqual({ kind: 'id', hex })
    expect(printImageReference({ kind: 'id', hex })).toBe(`sha256:${hex}`)
  })
})

test.each([
  ['', 'image.reference'],
  ['-v', 'image.reference'],
  ['--privileged', 'image.reference'],
  ['Busybox', 'image.reference'],
  ['Acme/shop', 'image.reference'],
  ['acme//shop', 'image.reference'],
  ['/shop', 'image.reference'],
  ['shop/', 'image.reference'],
  ['a..b', 'image.reference'],
  ['a___b', 'image.reference'],
  ['a_-b', 'image.reference'],
  ['-a.example/shop', 'image.registry'],
  ['a..example/shop', 'image.registry'],
  ['.example/shop', 'image.registry'],
  ['r:0/shop', 'image.registry'],
  ['r:65536/shop', 'image.registry'],
  ['r:/shop', 'image.registry'],
  ['[::1]:5000/shop', 'image.registry'],
  ['https://r.example/shop', 'image.registry'],
  ['shop:', 'image.tag'],
  ['shop:.x', 'image.tag'],
  ['shop:-x', 'image.tag'],
  ['shop:a b', 'image.tag'],
  ['shop:a\n', 'image.tag'],
  [`shop:${'x'.repeat(129)}`, 'image.tag'],
  ['shop@', 'image.digest'],
  ['shop@sha256:abc', 'image.digest'],
  [`shop@sha256:${hex.toUpperCase()}`, 'image.digest'],
  [`shop@md5:${hex}`, 'image.digest'],
  [`shop@sha256:${hex}@x`, 'image.digest'],
  ['shop web', 'image.reference'],
  ['shop\0', 'image.reference'],
  ['é', 'image.reference'],
  [`${'a'.repeat(256)}`, 'image.length'],
  ['a'.repeat(100_000), 'image.length'],
])('text %# is refused by its rule', (text, rule) => {
  expect(() => parseImageReference(text)).toThrow(expect.objectContaining({ name: 'FormatError', rule }))
})

test('a name of 255 characters with the longest tag and digest is the longest reference', () => {
  const text = `${'a'.repeat(255)}:${'t'.repeat(128)}@sha512:${hex}${hex}`
  expect(printImageReference(parseImageReference(text))).toBe(text)
})

test('what is printed is read back', () => {
  const component = fc.stringMatching(/^[a-z0-9]{1,5}(?:(?:[._]|__|-{1,3})[a-z0-9]{1,5}){0,2}$/)
  const reference = fc.record({
    kind: fc.constant('name' as const),
    registry: fc.option(fc.stringMatching(/^[A-Za-z0-9]{1,5}(?:\.[A-Za-z0-9]{1,5}){1,3}(?::[1-9][0-9]{0,3})?$/), { nil: undefined }),
    path: fc.array(component, { minLength: 1, maxLength: 4 }).map(parts => parts.join('/')),
    tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/), { nil: undefined }),
    digest: fc.option(fc.stringMatching(/^sha256:[0-9a-f]{64}$/), { nil: undefined }),
  })
  // A path whose first part has a dot would be read as a registry.
  const isPlain = (path: string) => !/^[^/]*\./.test(path) && !path.startsWith('localhost/')
  fc.assert(
    fc.property(reference, parts => {
      fc.pre(parts.registry !== undefined || isPlain(parts.path))
      expect(parseImageReference(printImageReference(parts))).toEqual(parts)
    }),
  )
})

test('nothing but a format error is ever thrown, and what is accepted is one plain word', () => {
  const hostile = textOfPieces('a', 'A', '0', '.', '_', '-', '/', ':', '@', 'sha256:', hex, 'localhost', ' ')
  fc.assert(
    fc.property(hostile, text => {
      failsCleanly(() => {
        expect(printImageReference(parseImageReference(text))).toMatch(/^[A-Za-z0-9][A-Za-z0-9._/:@-]*$/)
      })
    }),
    { numRuns: 500 },
  )
})
