import { describe, expect, it } from 'vitest'
import { judge } from './finding.ts'
import { type ClaimRecord, recordsText, withRecord } from './records.ts'

function found(claim: string, ms: number): ClaimRecord {
  return {
    claim,
    date: '2026-01-02 03:04',
    build: 'abc1234',
    machine: 'a small one',
    disk: 'ext4',
    otherWork: 'no other work',
    seconds: 41,
    findings: [judge({ what: 'a call', unit: 'ms', samples: [[ms]] })],
  }
}

describe('what was found', () => {
  it('of a claim takes the place of what was found of it before, and leaves the others', () => {
    const before = [found('reads', 1), found('log', 2)]
    expect(withRecord(before, found('reads', 3)).map(({ claim, findings }) => [claim, findings[0]?.judged.value])).toEqual([
      ['reads', 3],
      ['log', 2],
    ])
  })

  it('is in the order of the claims, whatever was measured first', () => {
    expect(withRecord([found('log', 1)], found('reads', 2)).map(({ claim }) => claim)).toEqual(['reads', 'log'])
  })

  it('of a claim that is no more is left out', () => {
    expect(withRecord([found('forgotten', 1)], found('log', 2)).map(({ claim }) => claim)).toEqual(['log'])
  })

  it('is kept with the digits that count', () => {
    expect(recordsText([found('log', 1.234_567)])).toContain('"value": 1.235,')
    expect(recordsText([found('log', 120_000)])).toContain('"value": 120000,')
  })
})
