import { describe, expect, it } from 'vitest'
import { judge } from './finding.ts'
import { plot } from './plot.ts'

const finding = judge({
  what: 'a <start>',
  unit: 'ms',
  samples: [[10, 10, 20]],
  peers: [{ name: 'docker run', samples: [[5, 5, 5]] }],
  goal: { of: 'ratio', atMost: 3 },
})

describe('a plot', () => {
  const picture = plot('Starts', [finding, { ...finding, what: 'of another unit', unit: 'MB' }], 'ms')
  const bars = [...picture.matchAll(/<rect class="(.)" x="390" y="[\d.]+" width="([\d.]+)"/g)].map(([, kind, width]) => [
    kind,
    Number(width),
  ])

  it('has a bar for ours and each peer, as long as they are large, and none for another unit', () => {
    expect(bars).toEqual([
      ['o', 180],
      ['p', 90],
    ])
  })

  it('marks a goal for a ratio where it is beside the first peer, and the 99th percentile', () => {
    // 3 × 5 of 20, on 360 points behind the labels.
    expect(picture).toContain('<line class="g" x1="660.0"')
    expect(picture).toContain('<line class="w" x1="570.0" x2="750.0"')
  })

  it('is well-formed whatever the names are', () => {
    expect(picture).toContain('a &#60;start&#62;')
    expect(picture).not.toContain('<start>')
  })
})
