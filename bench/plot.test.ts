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

function barsIn(picture: string): readonly { readonly kind: string; readonly width: number }[] {
  return [...picture.matchAll(/<rect class="([op])" x="414" y="[\d.]+" width="([\d.]+)"/g)].map(([, kind = '', width]) => ({
    kind,
    width: Number(width),
  }))
}

/** Where the one line of the kind is. */
function lineIn(picture: string, kind: string): number {
  return Number(new RegExp(`<line class="${kind}" x1="[\\d.]+" x2="([\\d.]+)"`).exec(picture)?.[1])
}

describe('a plot', () => {
  const picture = plot('Starts', [finding, { ...finding, what: 'of another unit', unit: 'MB' }], 'ms')
  const [ours, peer] = barsIn(picture)

  it('has a bar for ours and each peer, as long as they are large, and none for another unit', () => {
    expect(barsIn(picture).map(({ kind }) => kind)).toEqual(['o', 'p'])
    expect((ours?.width ?? 0) / (peer?.width ?? 1)).toBeCloseTo(2)
  })

  it('marks a goal for a ratio where it is beside the first peer, and the 99th percentile', () => {
    expect(lineIn(picture, 'g') - 414).toBeCloseTo((ours?.width ?? 0) * 1.5)
    expect(lineIn(picture, 'w') - 414).toBeCloseTo((ours?.width ?? 0) * 2)
    expect(picture).toContain('>10, p99 20</text>')
  })

  it('is well-formed whatever the names are', () => {
    expect(picture).toContain('a &#60;start&#62;')
    expect(picture).not.toContain('<start>')
  })

  it('says in which direction better is', () => {
    expect(picture).toContain('shorter is better<')
    expect(plot('Lines', [{ ...finding, unit: '/s' }], '/s')).toContain('longer is better<')
  })

  it('is logarithmic, and says so, where values lie a hundredfold apart', () => {
    const far = judge({ what: 'an answer', unit: 'ms', samples: [[1]], peers: [{ name: 'a boot', samples: [[1000]] }] })
    const logarithmic = plot('Far apart', [far, judge({ what: 'a call', unit: 'ms', samples: [[10]] })], 'ms')
    const [, boot, call] = barsIn(logarithmic)
    expect(logarithmic).toContain('logarithmic scale')
    expect((boot?.width ?? 0) / (call?.width ?? 1)).toBeCloseTo(3)
  })

  it('breaks a long name into lines and cuts nothing off', () => {
    const words = Array.from({ length: 20 }, (_, index) => `word${index}`)
    const lines =
      plot('Long', [judge({ what: words.join(' '), unit: '', samples: [[1]] })], '').match(/(?<=text-anchor="end">)word[^<]*/g) ?? []
    expect(lines.length).toBeGreaterThan(1)
    expect(lines.join(' ')).toBe(words.join(' '))
  })
})
