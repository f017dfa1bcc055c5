import { describe, expect, test } from 'vitest'
import type { UnitName } from '../../api/index.ts'
import { fakeHost } from '../fakes.ts'
import { journalSuite } from './journal.suite.ts'
import { isPodmansOwn, journalctlArguments } from './journalctl.ts'
import { linesOf } from './lines.ts'

const unit = 'ctr-web-1.service' as UnitName

describe('the fake journal', () => {
  journalSuite(async () => {
    const host = fakeHost()
    const activeUnit = 'ctr-active.service' as UnitName
    host.files.put(`${host.paths.systemd}/${activeUnit}`, '[Service]\n')
    await host.units.queueStart(activeUnit, 'replace')
    return {
      journal: host.journal,
      activeUnit,
      write: async (name, message) => host.journal.add(name, message),
      readers: async () => host.journal.following,
    }
  })
})

describe('what journalctl is asked', () => {
  test('is quiet, in the short form, and says how many lines in any case', () => {
    expect(journalctlArguments({ unit, isFollowing: false }, 0)).toEqual([
      '--quiet',
      '--no-pager',
      '--output=short',
      '--unit=ctr-web-1.service',
      '--lines=all',
    ])
  })

  test('has a moment for now, and passes other times on', () => {
    expect(journalctlArguments({ unit, isFollowing: true, since: 'now' }, 1_700_000_000_250)).toContain('--since=@1700000000.25')
    expect(journalctlArguments({ unit, isFollowing: true, since: '-30', lines: 5 }, 0).slice(-3)).toEqual([
      '--since=-30',
      '--lines=5',
      '--follow',
    ])
  })
})

describe('lines', () => {
  async function linesFrom(chunks: readonly string[], lineBytes = 100): Promise<readonly string[]> {
    async function* bytes(): AsyncGenerator<Buffer> {
      for (const chunk of chunks) yield Buffer.from(chunk, 'latin1')
    }
    const lines: string[] = []
    for await (const line of linesOf(bytes(), lineBytes)) lines.push(line)
    return lines
  }

  test.each([
    ['whole in one chunk', ['a\nbc\n'], ['a', 'bc']],
    ['over several chunks', ['a', 'b', '\nc\n'], ['ab', 'c']],
    ['without an end at the end', ['a\nb'], ['a', 'b']],
    ['empty', ['\n\n'], ['', '']],
    ['none', [], []],
    ['a letter of two bytes over two chunks', ['z\xc3', '\xb6lf\n'], ['zölf']],
  ])('%s', async (_, chunks, expected) => {
    expect(await linesFrom(chunks)).toEqual(expected)
  })

  test('that are too long are cut, in one chunk or over many, and the next is whole', async () => {
    expect(await linesFrom(['abcdefgh\nij\n'], 4)).toEqual(['abcd', 'ij'])
    expect(await linesFrom(['abc', 'def', 'gh\nij\n'], 4)).toEqual(['abcd', 'ij'])
    expect(await linesFrom(['abcd\n'], 4)).toEqual(['abcd'])
  })
})

test.each([
  ['Nov 25 01:41:56 web1 podman[341]: ', true],
  ['Nov  5 01:41:56 web1 podman[341]: ', true],
  ['Nov 25 01:41:56 web1 podman[341]: Error', false],
  ['Nov 25 01:41:56 web1 shop[341]: ', false],
  ['Nov 25 01:41:56 web1 shop[341]: said podman[1]: ', false],
])('"%s" is a line that podman wrote of itself: %s', (line, isOwn) => {
  expect(isPodmansOwn(line)).toBe(isOwn)
})
