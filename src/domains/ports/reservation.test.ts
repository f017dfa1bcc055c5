import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PortSituation, planPorts } from './reservation.ts'

const free = async () => undefined
const nobodyAllocates = () => Promise.reject(new Error('no port may be allocated here'))

function counting(first: number) {
  let next = first
  return async () => next++
}

function situation(given: Partial<{ wanted: [number, number][]; existing: [number, number][]; owned: number[] }>): PortSituation {
  const pairs = (list: [number, number][] = []) => list.map(([internal, external]) => ({ internal, external }))
  return { wanted: pairs(given.wanted), existing: pairs(given.existing), owned: new Set(given.owned) }
}

function texts(pairs: readonly { readonly internal: number; readonly external: number }[]) {
  return pairs.map(({ internal, external }) => `${internal}:${external}`)
}

describe('planning ports', () => {
  it.each([
    { name: 'nothing is wanted and nothing is there', given: {}, pairs: [], reserve: [], keep: [], release: [] },
    { name: 'a new port is allocated', given: { wanted: [[80, 0]] }, pairs: ['80:4000'], reserve: [4000], keep: [], release: [] },
    {
      name: 'several new ports differ, in the order of the request',
      given: {
        wanted: [
          [90, 0],
          [80, 0],
        ],
      },
      pairs: ['90:4000', '80:4001'],
      reserve: [4000, 4001],
      keep: [],
      release: [],
    },
    {
      name: 'external 0 keeps what the internal port has',
      given: { wanted: [[80, 0]], existing: [[80, 4711]], owned: [4711] },
      pairs: ['80:4711'],
      reserve: [],
      keep: [4711],
      release: [],
    },
    {
      name: 'the same external port is kept',
      given: { wanted: [[80, 4711]], existing: [[80, 4711]], owned: [4711] },
      pairs: ['80:4711'],
      reserve: [],
      keep: [4711],
      release: [],
    },
    {
      name: 'a different external port replaces the old one, which is given back',
      given: { wanted: [[80, 5000]], existing: [[80, 4711]], owned: [4711] },
      pairs: ['80:5000'],
      reserve: [5000],
      keep: [],
      release: [4711],
    },
    {
      name: 'what is no longer wanted is given back',
      given: {
        wanted: [[80, 0]],
        existing: [
          [80, 4711],
          [22, 4712],
        ],
        owned: [4711, 4712],
      },
      pairs: ['80:4711'],
      reserve: [],
      keep: [4711],
      release: [4712],
    },
    {
      name: 'a kept port whose reservation is gone is allocated anew',
      given: { wanted: [[80, 0]], existing: [[80, 4711]] },
      pairs: ['80:4000'],
      reserve: [4000],
      keep: [],
      release: [],
    },
    {
      name: 'a named port whose reservation is gone is reserved again',
      given: { wanted: [[80, 4711]], existing: [[80, 4711]] },
      pairs: ['80:4711'],
      reserve: [4711],
      keep: [],
      release: [],
    },
    {
      name: 'what a broken install left reserved is given back',
      given: { wanted: [[80, 0]], existing: [[80, 4711]], owned: [4711, 4999] },
      pairs: ['80:4711'],
      reserve: [],
      keep: [4711],
      release: [4999],
    },
    {
      name: 'what a broken install left reserved is used when it is named',
      given: { wanted: [[80, 4999]], owned: [4999] },
      pairs: ['80:4999'],
      reserve: [],
      keep: [4999],
      release: [],
    },
    {
      name: 'two internal ports change places',
      given: {
        wanted: [
          [80, 4712],
          [22, 4711],
        ],
        existing: [
          [80, 4711],
          [22, 4712],
        ],
        owned: [4711, 4712],
      },
      pairs: ['80:4712', '22:4711'],
      reserve: [],
      keep: [4712, 4711],
      release: [],
    },
    {
      name: 'a port that another pair names is not kept as well',
      given: {
        wanted: [
          [22, 0],
          [80, 4712],
        ],
        existing: [[22, 4712]],
        owned: [4712],
      },
      pairs: ['22:4000', '80:4712'],
      reserve: [4000],
      keep: [4712],
      release: [],
    },
    {
      name: 'an allocated port is none that another pair names',
      given: {
        wanted: [
          [80, 0],
          [22, 4000],
        ],
      },
      pairs: ['80:4001', '22:4000'],
      reserve: [4001, 4000],
      keep: [],
      release: [],
    },
    {
      name: 'two internal ports that share one external port in a unit edited by hand do not go on sharing it',
      given: {
        wanted: [
          [80, 0],
          [81, 0],
        ],
        existing: [
          [80, 4711],
          [81, 4711],
        ],
        owned: [4711],
      },
      pairs: ['80:4711', '81:4000'],
      reserve: [4000],
      keep: [4711],
      release: [],
    },
  ] satisfies {
    name: string
    given: Parameters<typeof situation>[0]
    pairs: string[]
    reserve: number[]
    keep: number[]
    release: number[]
  }[])('$name', async ({ given, pairs, reserve, keep, release }) => {
    const plan = await planPorts(situation(given), counting(4000), free)
    expect({ ...plan, pairs: texts(plan.pairs) }).toEqual({ pairs, reserve, keep, release })
  })

  it('refuses a named port that somebody else has, and says who', async () => {
    const planned = planPorts(situation({ wanted: [[80, 4711]] }), nobodyAllocates, async () => 'reserved by container other')
    await expect(planned).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringMatching(/4711.*container other/),
      data: { port: 4711 },
    })
  })

  it('does not ask who has a port of its own', async () => {
    const asked: number[] = []
    await planPorts(situation({ wanted: [[80, 4711]], existing: [[80, 4711]], owned: [4711] }), nobodyAllocates, async port => {
      asked.push(port)
      return 'used by another program on this host'
    })
    expect(asked).toEqual([])
  })

  it('never gives one port to two internal ones, when the walk comes round to it again', async () => {
    const wanted: [number, number][] = [
      [80, 0],
      [81, 0],
    ]
    await expect(planPorts(situation({ wanted }), async () => 4000, free)).rejects.toMatchObject({ code: 'PORTS_EXHAUSTED' })
  })

  it('gives up when the only free port is one that another pair names', async () => {
    const wanted: [number, number][] = [
      [80, 4000],
      [81, 0],
    ]
    await expect(planPorts(situation({ wanted }), async () => 4000, free)).rejects.toMatchObject({ code: 'PORTS_EXHAUSTED' })
  })

  it('decides every pair, and every reservation of its own, exactly once', async () => {
    const port = fc.integer({ min: 1, max: 12 })
    const wanted = fc.uniqueArray(fc.record({ internal: port, external: fc.integer({ min: 0, max: 12 }) }), {
      selector: pair => pair.internal,
      maxLength: 6,
    })
    const pairs = fc.array(fc.record({ internal: port, external: port }), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(wanted, pairs, fc.uniqueArray(port, { maxLength: 8 }), async (wantedPairs, existing, ownedPorts) => {
        const owned = new Set(ownedPorts)
        const named = wantedPairs.map(pair => pair.external).filter(external => external !== 0)
        fc.pre(new Set(named).size === named.length)
        const plan = await planPorts({ wanted: wantedPairs, existing, owned }, counting(100), free)
        const externals = plan.pairs.map(pair => pair.external)
        expect(new Set(externals).size).toBe(externals.length)
        expect(plan.pairs.map(pair => pair.internal)).toEqual(wantedPairs.map(pair => pair.internal))
        expect([...plan.reserve, ...plan.keep].sort()).toEqual([...externals].sort())
        expect([...plan.keep, ...plan.release].sort()).toEqual([...owned].sort())
        for (const [index, { external }] of wantedPairs.entries()) if (external !== 0) expect(externals[index]).toBe(external)
      }),
    )
  })
})
