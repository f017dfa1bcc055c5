import { describe, expect, it } from 'vitest'
import { TarEnd } from './tar-end.ts'

const block = 512

interface Entry {
  readonly type: string
  readonly size: string | Buffer
  readonly content: string
  readonly sparse?: boolean
}

function entry({ type, size, content, sparse = false }: Entry): Buffer {
  const header = Buffer.alloc(block)
  header.write('a-file', 0, 'latin1')
  if (typeof size === 'string') header.write(size, 124, 'latin1')
  else size.copy(header, 124)
  header.write(type, 156, 'latin1')
  header.write('ustar', 257, 'latin1')
  if (sparse) header[482] = 1
  const body = Buffer.alloc(Math.ceil(content.length / block) * block)
  body.write(content, 'latin1')
  return Buffer.concat([header, body])
}

const octal = (size: number) => `${size.toString(8).padStart(11, '0')}\0`
const file = (content: string) => entry({ type: '0', size: octal(content.length), content })
const end = Buffer.alloc(2 * block)
const zeros = Buffer.alloc(1_000_000)

/** What is taken of a tar with something behind it, in pieces of a length. */
function taken(parts: readonly Buffer[], pieceBytes: number): number {
  const all = Buffer.concat(parts)
  const tarEnd = new TarEnd()
  let sum = 0
  for (let at = 0; at < all.length; at += pieceBytes) sum += tarEnd.take(all.subarray(at, at + pieceBytes))
  return sum
}

const length = (parts: readonly Buffer[]) => parts.reduce((sum, { length: bytes }) => sum + bytes, 0)

const binary = Buffer.alloc(12)
binary[0] = 0x80
binary.writeUInt32BE(700, 8)

describe.each([1, 100, 512, 1000, 10_240, 10_000_000])('a tar in pieces of %i bytes', pieceBytes => {
  it.each<[string, readonly Buffer[]]>([
    ['nothing', []],
    ['a file', [file('x'.repeat(700))]],
    ['files of zeros, which are no end', [file('\0'.repeat(5000)), file('\0'.repeat(512))]],
    ['an empty file', [file(''), file('x')]],
    ['a folder whose header has a length', [entry({ type: '5', size: octal(900), content: '' }), file('x')]],
    ['a length in binary', [entry({ type: '0', size: binary, content: 'x'.repeat(700) }), file('y')]],
    ['a long name', [entry({ type: 'L', size: octal(600), content: 'n'.repeat(600) }), file('y')]],
    [
      'an extended header that names another length',
      [
        entry({ type: 'x', size: octal(24), content: '11 path=ab\n13 size=1500\n' }),
        entry({ type: '0', size: octal(0), content: 'x'.repeat(1500) }),
        file('y'),
      ],
    ],
    ['a global header', [entry({ type: 'g', size: octal(13), content: '13 size=1500\n' }), file('y')]],
    [
      'a sparse file with more headers',
      [
        entry({ type: 'S', size: octal(3), content: '', sparse: true }),
        Buffer.alloc(504),
        Buffer.from([1]),
        Buffer.alloc(7),
        Buffer.alloc(512),
        entryBody('abc'),
      ],
    ],
  ])('with %s ends behind two blocks of zeros', (_, parts) => {
    expect(taken([...parts, end, zeros], pieceBytes)).toBe(length([...parts, end]))
    expect(taken([...parts, end, file('behind it')], pieceBytes)).toBe(length([...parts, end]))
  })

  it.each<[string, readonly Buffer[]]>([
    ['a length that is none', [entry({ type: '0', size: 'zzz', content: '' }), end]],
    ['one block of zeros and then a file', [Buffer.alloc(block), file('x'), end]],
    ['an extended header of enormous length', [entry({ type: 'x', size: octal(2_000_000), content: '' })]],
    ['its end missing', [file('x'.repeat(700))]],
  ])('with %s is passed on whole', (_, parts) => {
    expect(taken([...parts, file('more')], pieceBytes)).toBe(length([...parts, file('more')]))
  })
})

function entryBody(content: string): Buffer {
  const body = Buffer.alloc(block)
  body.write(content, 'latin1')
  return body
}
