import { describe, expect, it } from 'vitest'
import { claims } from './claims/index.ts'
import { judge } from './finding.ts'
import type { ClaimRecord } from './records.ts'
import { amount, performancePages } from './report.ts'

const record: ClaimRecord = {
  claim: 'log',
  date: '2026-01-02 03:04',
  build: 'abc1234',
  machine: 'a small one',
  disk: 'ext4',
  otherWork: 'no other work',
  seconds: 41,
  findings: [
    judge({ what: 'a slow line', unit: 'ms', samples: [[30]], goal: { of: 'median', atMost: 20 } }),
    judge({ what: 'a quick line', unit: 'ms', samples: [[3]], goal: { of: 'median', atMost: 20 } }),
    judge({ what: 'lost lines', unit: '', samples: [[0]] }),
  ],
}

function pageOf(...records: readonly ClaimRecord[]): string {
  return performancePages(records).get('performance.md') ?? ''
}

describe('the page', () => {
  it('names the goals that are missed before everything else', () => {
    const [before = ''] = pageOf(record).split('## ')
    expect(before).toContain('1 met, 1 missed')
    expect(before).toContain('* a slow line: 30 ms, the goal is ≤ 20 ([Following a log](#following-a-log))')
    expect(before).not.toContain('a quick line')
  })

  it('tells of each claim what was measured, when, on which build, and what else the machine did', () => {
    const page = pageOf(record)
    expect(page).toContain(claims['log']?.about)
    expect(page).toContain('Measured 2026-01-02 03:04 UTC in 41 s: build abc1234, state on ext4, no other work.')
  })

  it('tells the machine once, or with each claim where they are from several', () => {
    expect(pageOf(record, { ...record, claim: 'idle' }).match(/a small one/g)).toHaveLength(1)
    expect(pageOf(record, { ...record, claim: 'idle', machine: 'a large one' })).toMatch(
      /no other work, a small one\..*no other work, a large one\./s,
    )
  })

  it('has a picture of everything that is more than nothing, one for each unit', () => {
    const pages = performancePages([
      record,
      { ...record, claim: 'idle', findings: [{ ...record.findings[0], unit: 'MB' } as never, ...record.findings] },
    ])
    expect([...pages.keys()]).toEqual(['performance.md', 'performance/log.svg', 'performance/idle.svg', 'performance/idle-2.svg'])
    expect(pages.get('performance/log.svg')).not.toContain('lost lines')
  })

  it('lists what has not been measured yet', () => {
    expect(pageOf(record)).toMatch(/## Not measured yet.*\(`idle`\)/s)
    expect(pageOf(...Object.keys(claims).map(claim => ({ ...record, claim })))).not.toContain('Not measured yet')
  })
})

describe('an amount', () => {
  it('has three digits that count', () => {
    expect([0, 3, 2.3456, 0.012345, 151.7, 44_431.2, 1000].map(amount)).toEqual(['0', '3', '2.35', '0.0123', '152', '44,400', '1,000'])
  })
})
