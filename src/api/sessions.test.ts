import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from './limits.ts'
import {
  FrameReader,
  inputOf,
  outputOf,
  piecesOf,
  printFrame,
  printInput,
  printOutput,
  type SessionInput,
  type SessionOutput,
} from './sessions.ts'

const bytes = fc.uint8Array({ maxLength: 40 }).map(value => Buffer.from(value))
const anInput: fc.Arbitrary<SessionInput> = fc.oneof(
  bytes.map(value => ({ kind: 'input' as const, bytes: value })),
  fc.constant({ kind: 'end' as const }),
  fc.record({
    kind: fc.constant('size' as const),
    columns: fc.integer({ min: 1, max: 65_535 }),
    rows: fc.integer({ min: 1, max: 65_535 }),
  }),
)
const anOutput: fc.Arbitrary<SessionOutput> = fc.oneof(
  fc.record({ kind: fc.constantFrom('stdout' as const, 'stderr' as const), bytes }),
  fc.record({ kind: fc.constant('exit' as const), exitCode: fc.nat(255) }),
)

/** What a reader makes of bytes that come in pieces of this length. */
function read(all: Buffer, length: number) {
  const reader = new FrameReader()
  const frames = []
  for (let at = 0; at < all.length; at += length) frames.push(...reader.push(all.subarray(at, at + length)))
  return frames
}

describe('frames', () => {
  it('carry what was sent, however they are cut into pieces', () => {
    fc.assert(
      fc.property(
        fc.array(anInput, { maxLength: 5 }),
        fc.array(anOutput, { maxLength: 5 }),
        fc.integer({ min: 1, max: 50 }),
        (inputs, outputs, length) => {
          expect(read(Buffer.concat(inputs.map(printInput)), length).map(inputOf)).toEqual(inputs)
          expect(read(Buffer.concat(outputs.map(printOutput)), length).map(outputOf)).toEqual(outputs)
        },
      ),
    )
  })

  it.each([
    ['of no kind', Buffer.from([99, 0, 0, 0, 0])],
    ['too long', Buffer.from([1, 0xff, 0xff, 0xff, 0xff])],
  ])('that are %s are refused', (_, frame) => {
    expect(() => read(frame, 5)).toThrow(/frame that is none/)
  })

  it.each(['x', '[]', '{}', '{"Columns":0,"Rows":1}', '{"Columns":1,"Rows":"1"}'])('with the size %s are refused', text => {
    const [frame] = read(printFrame('size', text), 100)
    expect(() => frame && inputOf(frame)).toThrow()
  })

  it('hold a part of what is long', () => {
    const pieces = [...piecesOf(Buffer.alloc(limits.sessionFrameBytes * 2 + 1))]
    expect(pieces.map(piece => piece.length)).toEqual([limits.sessionFrameBytes, limits.sessionFrameBytes, 1])
  })
})
