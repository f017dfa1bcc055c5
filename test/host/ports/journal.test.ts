/** The journal of a real host. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { limits, type UnitName } from '../../../src/api/index.ts'
import { linuxHost } from '../../../src/host/index.ts'
import { journalSuite } from '../../../src/host/journal/journal.suite.ts'

/** Root may write for a unit, as Docker's log driver does (journalctl(1), `--unit`). */
async function write(unit: UnitName, message: string): Promise<void> {
  const child = spawn('/usr/bin/logger', ['--journald'], { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.end(`MESSAGE=${message}\nSYSLOG_IDENTIFIER=suite\nOBJECT_SYSTEMD_UNIT=${unit}\n`)
  const [exitCode] = await once(child, 'exit')
  expect(exitCode).toBe(0)
}

/** Children of this process that are journalctl. */
async function readers(): Promise<number> {
  const names = await Promise.all(
    (await readdir('/proc'))
      .filter(name => /^\d+$/.test(name))
      .map(async pid => {
        const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '') // ended meanwhile
        return status.includes('Name:\tjournalctl\n') && status.includes(`PPid:\t${process.pid}\n`)
      }),
  )
  return names.filter(Boolean).length
}

describe('the journal of systemd', () => {
  const { journal } = linuxHost()

  journalSuite(async () => ({ journal, write, readers, activeUnit: 'dbus.service' as UnitName }))

  describe('a very long line', () => {
    const unit = `ctr-suite-long-${process.pid}.service` as UnitName
    beforeAll(() => write(unit, 'x'.repeat(100_000)))

    test('is cut', async () => {
      await expect
        .poll(async () => {
          const lengths: number[] = []
          for await (const line of journal.lines({ unit, isFollowing: false }, AbortSignal.timeout(5000))) lengths.push(line.length)
          return lengths
        })
        .toEqual([limits.logLineBytes])
    })
  })

  test('a time that is none is told with what journalctl said', async () => {
    const lines = journal.lines({ unit: 'x.service' as UnitName, isFollowing: false, since: 'tomorrowish' }, AbortSignal.timeout(5000))
    await expect(lines[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      cause: { message: expect.stringContaining('tomorrowish') },
    })
  })

  test('a reader that takes its time stops the child rather than keep the lines', async () => {
    const lines = journal.lines({ unit: 'systemd-journald.service' as UnitName, isFollowing: true }, AbortSignal.timeout(5000))
    const iterator = lines[Symbol.asyncIterator]()
    await iterator.next()
    expect(await readers()).toBe(1)
    await iterator.return?.()
    expect(await readers()).toBe(0)
  })
})
