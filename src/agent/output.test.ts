import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Output, type OutputOptions, type OutputReader, type OutputSource } from './output.ts'

const options: OutputOptions = { keepBytes: 2_000, aheadBytes: 500, notice: missed => `[missed ${missed}]\n`, noticePlace: 'end' }

function output(more: Partial<OutputOptions> = {}): Output {
  return new Output({ ...options, ...more })
}

function source(pieces: Iterable<string> | AsyncIterable<string>, more: Partial<OutputSource> = {}): OutputSource {
  const failure = (error: unknown): string => `Error: ${error instanceof Error ? error.message : error}\n`
  return { pieces: asyncPieces(pieces), signal: new AbortController().signal, failure, ...more }
}

async function* asyncPieces(pieces: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string> {
  yield* pieces
}

async function all(reader: OutputReader): Promise<string> {
  let text = ''
  for (let bytes = await reader.next(); bytes !== undefined; bytes = await reader.next()) text += Buffer.from(bytes)
  return text
}

function lines(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `line ${String(index).padStart(4, '0')}\n`)
}

/** Resolves when all that can go on without anything happening has gone on. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
}

test('a reader gets each piece as it comes', async () => {
  const piece = Promise.withResolvers<string>()
  const out = output()
  const reader = out.read()
  void out.fill(
    source(
      (async function* () {
        yield 'first\n'
        yield await piece.promise
      })(),
    ),
  )
  expect(String(await reader.next().then(bytes => Buffer.from(bytes ?? [])))).toBe('first\n')
  const second = reader.next()
  piece.resolve('second\n')
  expect(Buffer.from((await second) ?? []).toString()).toBe('second\n')
  expect(await reader.next()).toBeUndefined()
})

test('several readers get the same text, also those that come later', async () => {
  const out = output()
  const first = all(out.read())
  await out.fill(source(lines(20)))
  expect(await first).toBe(lines(20).join(''))
  expect(await all(out.read())).toBe(lines(20).join(''))
})

describe('a slow reader', () => {
  test('slows the source', async () => {
    let given = 0
    const out = output()
    const reader = out.read()
    const filled = out.fill(
      source(
        (async function* () {
          for (const line of lines(1000)) {
            given += 1
            yield line
          }
        })(),
      ),
    )
    await settled()
    expect(given * 10).toBeLessThan(options.aheadBytes + 20)
    expect(await all(reader)).toBe(lines(1000).join(''))
    await filled
  })

  test('does not slow the source for one that reads, and learns how much it missed', async () => {
    const out = output()
    const slow = out.read()
    const fast = all(out.read())
    await out.fill(source(lines(1000)))
    expect(await fast).toBe(lines(1000).join(''))
    const text = await all(slow)
    expect(text).toMatch(/line 0999\n\[missed \d+\]\n$/)
    const missed = Number(/missed (\d+)/.exec(text)?.[1])
    expect(missed + text.replace(/\[.*\]\n/, '').length).toBe(10_000)
  })

  test('is waited for no longer than the patience of a change lasts', async () => {
    const patience = Promise.withResolvers<void>()
    const out = output()
    out.read()
    const filled = out.fill(source(lines(1000), { patience: () => patience.promise }))
    await settled()
    expect(out.isEnded).toBe(false)
    patience.resolve()
    await filled
    expect(out.isEnded).toBe(true)
  })

  test('is not waited for when nobody is interested any more', async () => {
    const out = output()
    out.read()
    const filled = out.fill(source(lines(1000)))
    await settled()
    out.isAbandoned = true
    await filled
    expect(out.keptBytes).toBeLessThanOrEqual(options.keepBytes)
  })
})

test('with its place at the gap, the notice comes where the text is missing', async () => {
  const out = output({ noticePlace: 'gap' })
  void all(out.read())
  await out.fill(source(lines(1000)))
  expect(await all(out.read())).toMatch(/^\[missed \d+\]\nline \d{4}\n[^[]*line 0999\n$/)
})

test('a source that fails ends the text with a line that says why', async () => {
  const out = output()
  await out.fill(
    source(
      (async function* () {
        yield 'half a line'
        throw new Error('the disk is full')
      })(),
    ),
  )
  expect(await all(out.read())).toBe('half a line\nError: the disk is full\n')
  expect(out.failure).toMatchObject({ message: 'the disk is full' })
})

test('an abort with a reason ends the text with the reason; without readers it ends in silence', async () => {
  const stop = new AbortController()
  const pieces = async function* (): AsyncGenerator<string> {
    yield 'one\n'
    stop.abort(new Error('the agent is being stopped'))
    yield 'two\n'
  }
  const out = output()
  await out.fill(source(pieces(), { signal: stop.signal }))
  expect(await all(out.read())).toBe('one\nError: the agent is being stopped\n')

  const left = output()
  left.isAbandoned = true
  await left.fill(source(pieces(), { signal: stop.signal }))
  expect(await all(left.read())).toBe('')
})

test('the source is told to end when the signal aborts', async () => {
  const stop = new AbortController()
  let isClosed = false
  const out = output()
  const reader = out.read()
  const filled = out.fill(
    source(
      (async function* () {
        try {
          for (;;) yield 'x'.repeat(100)
        } finally {
          isClosed = true
        }
      })(),
      { signal: stop.signal },
    ),
  )
  await settled()
  reader.close()
  out.isAbandoned = true
  stop.abort()
  await filled
  expect(isClosed).toBe(true)
})

test('a closed reader ends at once, even while it waits', async () => {
  const out = output()
  const reader = out.read()
  const next = reader.next()
  reader.close()
  expect(await next).toBeUndefined()
})

test('what is discarded is told of', async () => {
  const out = output()
  await out.fill(source(['kept\n']))
  out.discard()
  expect(out.keptBytes).toBe(0)
  expect(await all(out.read())).toBe('[missed 5]\n')
})

test('whatever the pieces and the readers, a reader gets a tail of the text and the exact size of what it missed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ maxLength: 300 })),
      fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }),
      async (pieces, delays) => {
        const out = output({ keepBytes: 600, aheadBytes: 100 })
        const slow = delays.map(async delay => {
          const reader = out.read()
          let text = Buffer.alloc(0)
          for (let bytes = await reader.next(); bytes !== undefined; bytes = await reader.next()) {
            text = Buffer.concat([text, bytes])
            for (let turn = 0; turn < delay; turn++) await undefined
          }
          return text
        })
        await out.fill(source(pieces))
        const whole = Buffer.from(pieces.map(piece => piece.toWellFormed()).join(''))
        for (const got of [...(await Promise.all(slow)), Buffer.from(await all(out.read()))]) {
          const notice = /\[missed (\d+)\]\n$/.exec(got.toString('latin1'))
          const missed = notice === null ? 0 : Number(notice[1])
          const text = notice === null ? got : got.subarray(0, notice.index)
          expect(text.length + missed).toBe(whole.length)
          if (missed === 0) expect(text).toEqual(whole)
        }
      },
    ),
  )
})
