import * as fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { GearError, type RequestId } from '../api/index.ts'
import { Output } from './output.ts'
import { type Request, Requests, type Result, type Work } from './requests.ts'

const bounds = { requestsRemembered: 3, requestReplayBytes: 100, requestsReplayBytes: 250 }

function requests(): Requests<string> {
  return new Requests(bounds)
}

function request(id: string | undefined, more: Partial<Request> = {}): Request {
  return { id: id as RequestId | undefined, digest: 'the same', isRead: false, ...more }
}

function gives(value: string, sizeBytes = value.length): Work<string> {
  return async () => ({ value, sizeBytes, ended: Promise.resolve() })
}

async function answerOf({ result }: { readonly result: Promise<Result<string>> }): Promise<string> {
  return (await result).value
}

/** Resolves when all that can go on without anything happening has gone on. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
}

test('the same request with the same id is attached to the first while it runs', async () => {
  const all = requests()
  const work = vi.fn(gives('once'))
  const visits = [all.open(request('a'), work), all.open(request('a'), work)]
  expect(await Promise.all(visits.map(answerOf))).toEqual(['once', 'once'])
  expect(work).toHaveBeenCalledTimes(1)
})

test('and to its result when it has finished', async () => {
  const all = requests()
  const first = all.open(request('a'), gives('first'))
  await answerOf(first)
  first.leave()
  await settled()
  expect(await answerOf(all.open(request('a'), gives('second')))).toBe('first')
})

test('a failure is a result like any other', async () => {
  const all = requests()
  const failing = async (): Promise<never> => {
    throw new GearError('PORT_TAKEN', 'Port 80 is taken')
  }
  await expect(all.open(request('a'), failing).result).rejects.toMatchObject({ code: 'PORT_TAKEN' })
  await settled()
  await expect(all.open(request('a'), gives('second')).result).rejects.toMatchObject({ code: 'PORT_TAKEN' })
})

test.each(['QUEUE_FULL', 'SYSTEMD_UNAVAILABLE'] as const)('%s, which asks for the same request again, leaves the id free', async code => {
  const all = requests()
  const busy = async (): Promise<never> => {
    throw new GearError(code, 'Not now')
  }
  await expect(all.open(request('a'), busy).result).rejects.toMatchObject({ code })
  await settled()
  expect(await answerOf(all.open(request('a', { digest: 'another' }), gives('second')))).toBe('second')
})

test('the same id with anything else is refused, running or finished', async () => {
  const all = requests()
  const visit = all.open(request('a'), gives('first'))
  expect(() => all.open(request('a', { digest: 'another' }), gives('second'))).toThrow(
    expect.objectContaining({ code: 'REQUEST_ID_REUSED' }),
  )
  await answerOf(visit)
  await settled()
  expect(() => all.open(request('a', { digest: 'another' }), gives('second'))).toThrow(
    expect.objectContaining({ code: 'REQUEST_ID_REUSED' }),
  )
})

test('a request without an id of the caller is never joined and not remembered', async () => {
  const all = requests()
  expect(await answerOf(all.open(request(undefined), gives('first')))).toBe('first')
  await settled()
  expect(await answerOf(all.open(request(undefined), gives('second')))).toBe('second')
  expect(all.rememberedCount).toBe(0)
})

test('the last finished requests are remembered, older ones are not', async () => {
  const all = requests()
  for (const id of ['a', 'b', 'c', 'd']) await answerOf(all.open(request(id), gives(id)))
  await settled()
  expect(all.rememberedCount).toBe(bounds.requestsRemembered)
  expect(await answerOf(all.open(request('b'), gives('again')))).toBe('b')
  expect(await answerOf(all.open(request('a'), gives('again')))).toBe('again')
})

describe('when nobody waits any more', () => {
  function waiting(): { readonly work: Work<string>; readonly signals: AbortSignal[] } {
    const signals: AbortSignal[] = []
    const work: Work<string> = signal => {
      signals.push(signal)
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
    return { work, signals }
  }

  test('a read ends, and the id is free for a new one', async () => {
    const all = requests()
    const { work, signals } = waiting()
    const visits = [all.open(request('a', { isRead: true }), work), all.open(request('a', { isRead: true }), work)]
    visits[0]?.leave()
    visits[0]?.leave()
    expect(signals[0]?.aborted).toBe(false)
    visits[1]?.leave()
    expect(signals[0]?.aborted).toBe(true)
    expect(await answerOf(all.open(request('a', { isRead: true }), gives('anew')))).toBe('anew')
    await settled()
    expect(all.runningCount).toBe(0)
  })

  test('a change goes on, and a repeat gets its result', async () => {
    const all = requests()
    const done = Promise.withResolvers<Result<string>>()
    const signals: AbortSignal[] = []
    const visit = all.open(request('a'), signal => {
      signals.push(signal)
      return done.promise
    })
    visit.leave()
    expect(signals[0]?.aborted).toBe(false)
    done.resolve({ value: 'carried through', sizeBytes: 0, ended: Promise.resolve() })
    expect(await answerOf(all.open(request('a'), gives('second')))).toBe('carried through')
  })
})

describe('output', () => {
  const text = 'x'.repeat(79)

  function streams(lines: number): Work<string> {
    return async signal => {
      const output = new Output({
        keepBytes: bounds.requestReplayBytes,
        aheadBytes: 50,
        notice: missed => `[${missed} missed]`,
        noticePlace: 'end',
      })
      const pieces = async function* (): AsyncGenerator<string> {
        for (let line = 0; line < lines; line++) yield `${text}\n`
      }
      return { value: 'stream', sizeBytes: 0, output, ended: output.fill({ pieces: pieces(), signal, failure: String }) }
    }
  }

  async function read(all: Requests<string>, id: string, lines: number): Promise<string> {
    const visit = all.open(request(id), streams(lines))
    const reader = (await visit.result).output?.read()
    let whole = ''
    for (let bytes = await reader?.next(); bytes !== undefined; bytes = await reader?.next()) whole += Buffer.from(bytes)
    visit.leave()
    await settled()
    return whole
  }

  test('is repeated from what is kept, and the repeat says what is not', async () => {
    const all = requests()
    expect(await read(all, 'a', 1)).toBe(`${text}\n`)
    expect(await read(all, 'a', 1)).toBe(`${text}\n`)
    expect(await read(all, 'b', 3)).toBe(`${text}\n`.repeat(3))
    expect(await read(all, 'b', 3)).toBe(`${text}\n[160 missed]`)
  })

  test('waits for nobody while all are away, and again for whoever comes back', async () => {
    const all = requests()
    const isWanted = Promise.withResolvers<void>()
    let given = 0
    const work: Work<string> = async signal => {
      const output = new Output({ keepBytes: 100, aheadBytes: 50, notice: missed => `[${missed} missed]`, noticePlace: 'end' })
      const pieces = async function* (): AsyncGenerator<string> {
        await isWanted.promise
        for (given = 1; given <= 5; given++) yield `${text}\n`
      }
      return { value: 'stream', sizeBytes: 0, output, ended: output.fill({ pieces: pieces(), signal, failure: String }) }
    }
    const first = all.open(request('a'), work)
    await first.result
    first.leave()
    const second = all.open(request('a'), work)
    const reader = (await second.result).output?.read()
    isWanted.resolve()
    await settled()
    expect(given).toBe(1)
    await reader?.next()
    await settled()
    expect(given).toBe(2)
    second.leave()
    await settled()
    expect(given).toBe(6)
  })

  test('of all requests together takes no more than its bound: the oldest goes first', async () => {
    const all = requests()
    for (const id of ['a', 'b', 'c']) await read(all, id, 1)
    expect(all.keptBytes).toBe(240)
    await answerOf(all.open(request('d'), gives('x'.repeat(95))))
    await settled()
    expect(all.keptBytes).toBeLessThanOrEqual(bounds.requestsReplayBytes)
    expect(await read(all, 'b', 1)).toBe('[80 missed]')
    expect(await read(all, 'c', 1)).toBe(`${text}\n`)
  })
})

test('a read whose answer is too large to keep is done anew; a change is not', async () => {
  const all = requests()
  await answerOf(all.open(request('read', { isRead: true }), gives('large', 101)))
  await answerOf(all.open(request('change'), gives('large', 101)))
  await settled()
  expect(all.keptBytes).toBe(0)
  expect(await answerOf(all.open(request('read', { isRead: true }), gives('anew')))).toBe('anew')
  await expect(all.open(request('change'), gives('anew')).result).rejects.toMatchObject({ code: 'REQUEST_ID_REUSED' })
})

test('at shutdown reads end with the reason and changes are waited for', async () => {
  const all = requests()
  const reason = new GearError('HOST_UNREACHABLE', 'The agent is being stopped')
  const change = Promise.withResolvers<Result<string>>()
  const read = all.open(
    request('read', { isRead: true }),
    signal => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  )
  all.open(request('change'), () => change.promise)
  let isIdle = false
  const stopped = all.stop(reason).then(() => {
    isIdle = true
  })
  await expect(read.result).rejects.toBe(reason)
  await settled()
  expect(isIdle).toBe(false)
  change.resolve({ value: '', sizeBytes: 0, ended: Promise.resolve() })
  await stopped
})

test('stopping with nothing to do resolves at once', async () => {
  await requests().stop(new GearError('HOST_UNREACHABLE', 'stop'))
})

/** What a caller may do, in any order: send a request, leave, and the work may end well, badly or for want of room. */
type Move =
  | { readonly kind: 'open'; readonly id: string; readonly digest: string; readonly isRead: boolean }
  | { readonly kind: 'leave'; readonly visit: number }
  | { readonly kind: 'end'; readonly work: number; readonly how: 'well' | 'badly' | 'busy'; readonly sizeBytes: number }

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    kind: fc.constant('open' as const),
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    digest: fc.constantFrom('x', 'y'),
    isRead: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('leave' as const), visit: fc.nat(20) }),
  fc.record({ kind: fc.constant('end' as const), work: fc.nat(20), how: fc.constantFrom('well', 'badly', 'busy'), sizeBytes: fc.nat(150) }),
)

test('whatever happens in whatever order: no id does two things at once, bounds hold, and all that ends is let go', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 60 }), async moves => {
      const all = requests()
      const works: {
        readonly id: string
        readonly digest: string
        readonly signal: AbortSignal
        readonly done: PromiseWithResolvers<Result<string>>
        isOver: boolean
      }[] = []
      const visits: { leave(): void }[] = []
      for (const step of moves) {
        if (step.kind === 'open') {
          try {
            const visit = all.open(request(step.id, { digest: step.digest + step.isRead, isRead: step.isRead }), signal => {
              const work = {
                id: step.id,
                digest: step.digest + step.isRead,
                signal,
                done: Promise.withResolvers<Result<string>>(),
                isOver: false,
              }
              const isAlone = works.every(other => other.id !== step.id || other.isOver || other.signal.aborted)
              expect(isAlone).toBe(true)
              works.push(work)
              return work.done.promise
            })
            visit.result.catch(() => undefined)
            visits.push(visit)
          } catch (error) {
            expect(error).toMatchObject({ code: 'REQUEST_ID_REUSED' })
          }
        }
        if (step.kind === 'leave') visits[step.visit]?.leave()
        const ending = step.kind === 'end' ? works[step.work] : undefined
        if (step.kind === 'end' && ending !== undefined && !ending.isOver) {
          ending.isOver = true
          if (step.how === 'well') ending.done.resolve({ value: ending.digest, sizeBytes: step.sizeBytes, ended: Promise.resolve() })
          else ending.done.reject(new GearError(step.how === 'busy' ? 'QUEUE_FULL' : 'PORT_TAKEN', 'no'))
        }
        await new Promise(resolve => setImmediate(resolve))
        expect(all.rememberedCount).toBeLessThanOrEqual(bounds.requestsRemembered)
        expect(all.keptBytes).toBeLessThanOrEqual(bounds.requestsReplayBytes)
        expect(all.keptBytes).toBeGreaterThanOrEqual(0)
        expect(all.runningCount).toBe(works.filter(work => !work.isOver).length)
      }
    }),
    { numRuns: 200 },
  )
})
