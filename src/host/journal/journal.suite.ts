/** What a journal does for gear. Lines are written past the port, as units write them. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { UnitName } from '../../api/index.ts'
import type { Journal, JournalQuery } from './port.ts'

export interface JournalUnderTest {
  readonly journal: Journal
  readonly write: (unit: UnitName, message: string) => Promise<void>
  /** How many readers are at work: processes, for the real one. */
  readonly readers: () => Promise<number>
  /** A unit that is loaded and active. */
  readonly activeUnit: UnitName
}

export function journalSuite(make: () => Promise<JournalUnderTest>): void {
  let under: JournalUnderTest
  let journal: Journal
  let count = 0

  beforeEach(async () => {
    under = await make()
    journal = under.journal
  })

  function freshUnit(): UnitName {
    return `ctr-suite-${process.pid}-${++count}.service` as UnitName
  }

  async function past(unit: UnitName, more: Partial<JournalQuery> = {}): Promise<readonly string[]> {
    const lines: string[] = []
    for await (const line of journal.lines({ unit, isFollowing: false, ...more }, AbortSignal.timeout(10_000))) lines.push(line)
    return lines
  }

  /** Writes the messages and waits until the journal has them. */
  async function written(unit: UnitName, ...messages: readonly string[]): Promise<void> {
    for (const message of messages) {
      const before = (await past(unit)).length
      await under.write(unit, message)
      await expect.poll(async () => (await past(unit)).length, { timeout: 5000 }).toBe(before + 1)
    }
  }

  const endingIn = (...messages: readonly string[]): readonly unknown[] =>
    messages.map(message => expect.stringMatching(new RegExp(`: ${message}$`)))

  describe('past lines', () => {
    test('are those of the unit, in order, each with its time', async () => {
      const unit = freshUnit()
      await written(freshUnit(), 'of another')
      await written(unit, 'one', 'two – zwölf', 'three')
      const lines = await past(unit)
      expect(lines).toEqual(endingIn('one', 'two – zwölf', 'three'))
      expect(lines[0]).toMatch(/^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d /)
    })

    test('of a unit that wrote nothing are none', async () => {
      expect(await past(freshUnit())).toEqual([])
    })

    test('can be the last ones only', async () => {
      const unit = freshUnit()
      await written(unit, 'one', 'two', 'three')
      expect(await past(unit, { lines: 2 })).toEqual(endingIn('two', 'three'))
      expect(await past(unit, { lines: 0 })).toEqual([])
    })

    test('can be those of a time', async () => {
      const unit = freshUnit()
      await written(unit, 'one')
      expect(await past(unit, { since: '-30' })).toEqual(endingIn('one'))
      expect(await past(unit, { since: '2035-01-02 10:00:00' })).toEqual([])
    })
  })

  describe('following', () => {
    test('gives past lines, then new ones as they come, until the abort', async () => {
      const unit = freshUnit()
      await written(unit, 'one', 'two')
      const abort = new AbortController()
      const lines = journal.lines({ unit, isFollowing: true, lines: 1 }, abort.signal)[Symbol.asyncIterator]()
      expect((await lines.next()).value).toMatch(/: two$/)
      const next = lines.next()
      await under.write(unit, 'three')
      expect((await next).value).toMatch(/: three$/)
      const last = lines.next()
      abort.abort()
      expect(await last).toEqual({ done: true, value: undefined })
      await expect.poll(under.readers).toBe(0)
    })

    test('from now on has nothing of the past and misses nothing that is written after asking', async () => {
      const unit = freshUnit()
      await written(unit, 'one')
      const lines = journal.lines({ unit, isFollowing: true, since: 'now' }, AbortSignal.timeout(5000))[Symbol.asyncIterator]()
      const next = lines.next()
      await under.write(unit, 'two')
      expect((await next).value).toMatch(/: two$/)
      await lines.return?.()
      await expect.poll(under.readers).toBe(0)
    })

    test('leaves no reader behind when the iteration is left', async () => {
      const unit = freshUnit()
      await written(unit, 'one')
      for await (const line of journal.lines({ unit, isFollowing: true }, new AbortController().signal)) {
        expect(line).toMatch(/: one$/)
        expect(await under.readers()).toBe(1)
        break
      }
      expect(await under.readers()).toBe(0)
    })

    test('does not begin for a signal that is aborted', async () => {
      for await (const line of journal.lines({ unit: freshUnit(), isFollowing: true }, AbortSignal.abort())) expect.unreachable(line)
      expect(await under.readers()).toBe(0)
    })
  })

  describe('the status text', () => {
    test('tells that a unit is active', async () => {
      const text = await journal.statusText(under.activeUnit)
      expect(text).toContain(under.activeUnit)
      expect(text).toMatch(/^\s+Loaded: loaded \(.*; (enabled|linked|static)/m)
      expect(text).toMatch(/^\s+Active: active \(running\) since /m)
    })

    test('tells that a unit is not known', async () => {
      expect(await journal.statusText(freshUnit())).toMatch(/could not be found/)
    })
  })
}
