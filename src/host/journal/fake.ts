/** A journal in memory, which knows the time of its lines and who follows it. */
import type { UnitName } from '../../api/index.ts'
import type { Clock } from '../clock/port.ts'
import { Faults } from '../faults.ts'
import type { Journal, JournalQuery } from './port.ts'

interface Entry {
  readonly unit: UnitName
  readonly atMs: number
  readonly text: string
}

export class FakeJournal extends Faults<keyof Journal> implements Journal {
  readonly #clock: Clock
  readonly #statusText: (unit: UnitName) => string
  readonly #entries: Entry[] = []
  #arrival = Promise.withResolvers<void>()
  #following = 0

  constructor(clock: Clock, statusText: (unit: UnitName) => string) {
    super()
    this.#clock = clock
    this.#statusText = statusText
  }

  /** Adds a line of the unit now. */
  add(unit: UnitName, message: string): void {
    const atMs = this.#clock.nowMs()
    const date = new Date(atMs)
    const month = date.toLocaleString('en-US', { month: 'short', timeZone: 'UTC' })
    const day = String(date.getUTCDate()).padStart(2, '0')
    const identifier = unit.replace(/\.service$/, '')
    this.#entries.push({ unit, atMs, text: `${month} ${day} ${date.toISOString().slice(11, 19)} fake ${identifier}[1]: ${message}` })
    this.#arrival.resolve()
    this.#arrival = Promise.withResolvers()
  }

  /** How many iterations follow the journal now. */
  get following(): number {
    return this.#following
  }

  async *lines(query: JournalQuery, signal: AbortSignal): AsyncGenerator<string> {
    // looked at before anything is waited for: what is written from now on is new
    const sinceMs = this.#sinceMs(query.since)
    const past = this.#entries.filter(entry => entry.unit === query.unit && entry.atMs >= sinceMs)
    let position = this.#entries.length
    await this.meet('lines', query.unit)
    const aborted = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    this.#following += query.isFollowing ? 1 : 0
    try {
      for (const entry of query.lines === undefined ? past : past.slice(past.length - Math.min(query.lines, past.length))) {
        if (signal.aborted) return
        yield entry.text
      }
      while (query.isFollowing && !signal.aborted) {
        const entry = this.#entries[position]
        if (entry === undefined) await Promise.race([this.#arrival.promise, aborted])
        else {
          position++
          if (entry.unit === query.unit) yield entry.text
        }
      }
    } finally {
      this.#following -= query.isFollowing ? 1 : 0
    }
  }

  async statusText(unit: UnitName): Promise<string> {
    await this.meet('statusText', unit)
    const last = this.#entries.filter(entry => entry.unit === unit).slice(-10)
    return [this.#statusText(unit), ...(last.length > 0 ? [''] : []), ...last.map(entry => entry.text), ''].join('\n')
  }

  /** The forms of systemd.time(7) that gear sends. */
  #sinceMs(since: string | undefined): number {
    if (since === undefined) return Number.NEGATIVE_INFINITY
    if (since === 'now') return Number.POSITIVE_INFINITY
    if (/^-\d+$/.test(since)) return this.#clock.nowMs() + Number(since) * 1000
    const [, seconds] = /^@(\d+(?:\.\d+)?)$/.exec(since) ?? []
    if (seconds !== undefined) return Number(seconds) * 1000
    return Date.parse(`${since.replace(' ', 'T')}Z`)
  }
}
