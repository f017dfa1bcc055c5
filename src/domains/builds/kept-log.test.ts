import { describe, expect, it } from 'vitest'
import { limits } from '../../api/index.ts'
import { fakeHost } from '../../host/fakes.ts'
import { LogReader, LogWriter } from './kept-log.ts'
import { LastLines } from './last-lines.ts'

const folder = '/var/lib/containers/builds/x'

function open() {
  const host = fakeHost()
  host.files.putFolder(folder)
  return { host, writer: new LogWriter(host, folder), reader: new LogReader(host, folder) }
}

describe('the log of a build', () => {
  it('is read as it is written, by who follows and by who comes later', async () => {
    const { host, writer, reader } = open()
    void writer.add('one\n')
    void writer.add('zwölf ')
    await writer.flush()
    expect(await reader.next()).toBe('one\nzwölf ')
    expect(await reader.next()).toBe('')
    void writer.add('ℵ\n')
    await writer.flush()
    expect(await reader.next()).toBe('ℵ\n')
    expect(await new LogReader(host, folder).next()).toBe('one\nzwölf ℵ\n')
  })

  it('keeps its beginning and its end, and says what is not there', async () => {
    const { host, writer } = open()
    const line = `${'x'.repeat(99)}\n`
    void writer.add('the beginning\n')
    await writer.flush()
    for (let written = 0; written < limits.buildLogBytes * 2; written += 100_000) {
      void writer.add(line.repeat(1000))
      await writer.flush()
    }
    void writer.add('the end\n')
    await writer.flush()
    const text = await new LogReader(host, folder).next()
    expect(text.length).toBeLessThan(limits.buildLogBytes * 1.5)
    expect(text).toMatch(/^the beginning\n/)
    expect(text).toMatch(/\n\[\d+ bytes of this output were not kept\]\n/)
    expect(text).toMatch(/the end\n$/)
  })

  it('takes any amount at once', async () => {
    const { host, writer } = open()
    void writer.add('😀'.repeat(300_000))
    await writer.flush()
    expect(await new LogReader(host, folder).next()).toBe('😀'.repeat(300_000))
  })

  it('that cannot be written is given up', async () => {
    const { host, writer } = open()
    host.files.failAfter(0, 'ENOSPC')
    await writer.add('x'.repeat(1_000_000))
    await writer.flush()
    await writer.add('more')
    host.files.heal()
    expect(await new LogReader(host, folder).next()).toBe('')
  })

  it('that nobody has begun is empty', async () => {
    expect(await open().reader.next()).toBe('')
  })
})

describe('the last lines', () => {
  it('are put together from pieces, bounded in number and length', () => {
    const last = new LastLines()
    for (let line = 1; line <= 100; line++) for (const piece of [`line `, `${line}\n`]) last.add(piece)
    last.add('unfinished')
    expect([last.lines[0], last.lines.at(-1), last.lines.length]).toEqual(['line 82', 'unfinished', 20])
    last.add('y'.repeat(5000))
    expect(last.lines.at(-1)).toHaveLength(1000)
  })
})
