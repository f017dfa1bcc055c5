import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { contract } from './contract.ts'
import { GearError } from './errors.ts'
import { fromText, fromWire, inputInvalid, toWire, wireName } from './wire.ts'

const install = contract.installContainer.body as NonNullable<typeof contract.installContainer.body>

function broken(read: () => unknown): GearError {
  try {
    read()
  } catch (error) {
    if (error instanceof GearError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('a body from the wire', () => {
  it('gets inside names and its defaults', () => {
    expect(fromWire(install, { Image: 'acme/shop', Ports: [{ Internal: 80 }], VolumeConfig: { Volumes: [{ Path: '/data' }] } })).toEqual({
      image: 'acme/shop',
      simple: false,
      isolate: false,
      socketActivation: false,
      skipSocketProxy: false,
      ports: [{ internal: 80, external: 0 }],
      volumeConfig: { volumes: [{ path: '/data' }], volumeMounts: [] },
      started: false,
      systemdSlice: 'container-small',
      restart: 'on-failure',
    })
  })

  it.each([
    { name: 'small letters', body: { image: 'acme/shop', started: true } },
    { name: 'capitals', body: { IMAGE: 'acme/shop', STARTED: true } },
    { name: 'mixed', body: { iMaGe: 'acme/shop', sTarted: true } },
  ])('matches keys in any case: $name', ({ body }) => {
    expect(fromWire(install, body)).toMatchObject({ image: 'acme/shop', started: true })
  })

  it('matches keys in any case at every depth', () => {
    const body = { image: 'acme/shop', PORTS: [{ INTERNAL: 80, external: 4000 }], networklinks: [{ fromhost: 'db', fromport: 1 }] }
    expect(fromWire(install, body)).toMatchObject({
      ports: [{ internal: 80, external: 4000 }],
      networkLinks: [{ fromHost: 'db', fromPort: 1, toPort: 0, toHost: '' }],
    })
  })

  it.each([
    { Image: 'right/one', image: 'wrong/one', IMAGE: 'wrong/two' },
    { image: 'wrong/one', IMAGE: 'wrong/two', Image: 'right/one' },
  ])('prefers the key that is spelt exactly: %j', body => {
    expect(fromWire(install, body).image).toBe('right/one')
  })

  it('takes the last of several that differ in case only', () => {
    expect(fromWire(install, { image: 'wrong/one', IMAGE: 'right/one' }).image).toBe('right/one')
  })

  it('takes null for absent, at every depth', () => {
    const body = { Image: 'acme/shop', Ports: null, Environment: null, NetworkLinks: null, VolumeConfig: { Volumes: null }, Started: null }
    expect(fromWire(install, body)).toMatchObject({ ports: [], started: false, volumeConfig: { volumes: [], volumeMounts: [] } })
    expect(fromWire(install, body)).not.toHaveProperty('environment')
    expect(fromWire(install, body)).not.toHaveProperty('networkLinks')
  })

  it('takes an empty list for what it is, which is not null', () => {
    expect(fromWire(install, { Image: 'acme/shop', NetworkLinks: [] }).networkLinks).toEqual([])
  })

  it('drops keys that nobody knows, however they are called', () => {
    const body = JSON.parse('{"Image":"acme/shop","Colour":"red","__proto__":{"started":true},"constructor":1,"toString":2}') as unknown
    const read = fromWire(install, body)
    expect(read.started).toBe(false)
    expect(Object.keys(read)).not.toEqual(expect.arrayContaining(['Colour', 'constructor', '__proto__']))
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
  })

  it('does not take what an object inherits for a field', () => {
    const inherited = Object.create({ Image: 'acme/shop' }) as unknown
    expect(broken(() => fromWire(install, inherited)).fields).toEqual([{ field: 'Image', rule: 'is missing: it must be a string' }])
  })

  it('is refused with every broken rule at once, by the names of the wire', () => {
    const error = broken(() =>
      fromWire(install, { Ports: [{ Internal: 80 }, { Internal: 0, External: 'x' }], Memory: '1m', started: 'yes' }),
    )
    expect(error.code).toBe('INPUT_INVALID')
    expect(error.fields.map(({ field }) => field).sort()).toEqual(['Image', 'Memory', 'Ports[1].External', 'Ports[1].Internal', 'Started'])
    for (const { field, rule } of error.fields) expect(error.message).toContain(`${field} ${rule}`)
  })

  it('names at most twenty broken rules', () => {
    const ports = Array.from({ length: 50 }, () => ({ Internal: 0 }))
    expect(broken(() => fromWire(install, { Image: 'acme/shop', Ports: ports })).fields.length).toBeLessThanOrEqual(20)
  })
})

describe('parameters', () => {
  it('have their names as they are', () => {
    expect(fromText(contract.containerStatus.query, { lines: '10' })).toEqual({ lines: 10 })
    expect(fromText(contract.containerStatus.query, { Lines: '10' })).toEqual({ lines: 0 })
    expect(broken(() => fromText(contract.containerStatus.query, { lines: 'x' })).fields).toEqual([
      { field: 'lines', rule: 'must be a whole number of at most 1000' },
    ])
  })

  it.each([
    ['', true],
    ['1', true],
    ['true', true],
    ['0', false],
    ['false', false],
  ])('all=%s is %s', (all, value) => {
    expect(fromText(contract.deleteContainer.query, { all })).toEqual({ all: value })
  })

  it.each(['yes', 'TRUE', ' 1', '1 ', '01', '-1'])('all=%j is refused', all => {
    expect(broken(() => fromText(contract.deleteContainer.query, { all })).fields[0]?.field).toBe('all')
  })
})

describe('a value for the wire', () => {
  it('has capitals at every depth, and nothing that is undefined', () => {
    expect(toWire({ containers: [{ id: 'a', jobType: undefined }], networkLinks: null, sizeBytes: 0 })).toEqual({
      Containers: [{ Id: 'a' }],
      NetworkLinks: null,
      SizeBytes: 0,
    })
  })

  it('reads back as it was', () => {
    const body = fromWire(install, {
      Image: 'acme/shop',
      Ports: [{ Internal: 80 }],
      Environment: { Id: 'shop-env', Variables: [{ Name: 'A' }] },
    })
    expect(fromWire(install, toWire(body))).toEqual(body)
  })

  it.each([
    ['id', 'Id'],
    ['networkLinks', 'NetworkLinks'],
    ['', ''],
  ])('%j is called %j', (name, wire) => {
    expect(wireName(name)).toBe(wire)
  })
})

describe('INPUT_INVALID', () => {
  it('says the rule alone when it is about the whole', () => {
    expect(inputInvalid([{ field: '', rule: 'The body must be a JSON object' }]).message).toBe('The body must be a JSON object')
  })
})

describe('folding', () => {
  it('reaches through defaults, optional fields, pipes and lists', () => {
    const inner = z.object({ value: z.string() })
    const schema = z.object({
      one: z._default(inner, { value: '' }),
      two: z.optional(inner),
      three: z.pipe(
        inner,
        z.transform(({ value }) => value),
      ),
      four: z.array(z.array(inner)),
    })
    const item = { VALUE: 'x' }
    expect(fromWire(schema, { ONE: item, TWO: item, THREE: item, FOUR: [[item], []] })).toEqual({
      one: { value: 'x' },
      two: { value: 'x' },
      three: 'x',
      four: [[{ value: 'x' }], []],
    })
  })
})
