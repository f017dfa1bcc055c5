import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contract, type EnvironmentId, fromWire, limits } from '../../api/index.ts'
import { parseStoredEnvironment } from '../../formats/index.ts'
import { fakeHost } from '../../host/fakes.ts'
import { environmentHandlers } from './handlers.ts'
import { Environments } from './service.ts'

const id = 'shop-env' as EnvironmentId
const path = '/var/lib/containers/env/contents/sh/shop-env'
const root = { isRoot: true }
const guest = { isRoot: false }
const schema = contract.putEnvironment.body as NonNullable<typeof contract.putEnvironment.body>

function setUp() {
  const host = fakeHost()
  host.files.putFolder('/var/lib/containers/env/contents', 0o750)
  return { host, environments: new Environments(host) }
}

function variables(given: Readonly<Record<string, string>>, source = '') {
  return fromWire(schema, { Variables: Object.entries(given).map(([Name, Value]) => ({ Name, Value })), Source: source })
}

describe('an environment', () => {
  it('is stored raw, one variable a line, readable for root and its group only', async () => {
    const { host, environments } = setUp()
    await environments.put(id, variables({ A: 'B', C: ' "quoted" % $x \\' }), root)
    expect(host.files.tree('/var/lib/containers/env')).toEqual({ [path]: 'A=B\nC= "quoted" % $x \\\n' })
    expect(host.files.modeOf(path)).toBe(0o660)
    expect(host.files.modeOf('/var/lib/containers/env/contents/sh')).toBe(0o770)
    expect(await environments.get(id)).toBe('A=B\nC= "quoted" % $x \\\n')
  })

  it('survives a power cut once it was answered for, new folders and all', async () => {
    const { host, environments } = setUp()
    await environments.put(id, variables({ A: 'B' }), root)
    await environments.patch('other-env' as EnvironmentId, variables({ C: 'D' }))
    const before = host.files.tree('/var/lib/containers')
    host.files.crash()
    expect(host.files.tree('/var/lib/containers')).toEqual(before)
  })

  it('is listed by its id, whatever else lies beside it', async () => {
    const { host, environments } = setUp()
    expect(await environments.store.list()).toEqual([])
    for (const name of ['shop-env', 'db-env', 'shop']) await environments.patch(name as EnvironmentId, variables({ A: 'B' }))
    host.files.put('/var/lib/containers/env/contents/sh/no', '')
    host.files.put('/var/lib/containers/env/contents/README', '')
    expect(await environments.store.list()).toEqual(['db-env', 'shop', 'shop-env'])
  })

  it('is replaced by a put, with nothing if so wished', async () => {
    const { environments } = setUp()
    await environments.put(id, variables({ A: 'B' }), root)
    await environments.put(id, variables({}), root)
    expect(await environments.get(id)).toBe('')
  })

  it('is added to by a patch, in order, older values staying', async () => {
    const { environments } = setUp()
    await environments.patch(id, variables({ A: '1', B: '2' }))
    await environments.patch(id, variables({ A: '3' }))
    expect(await environments.get(id)).toBe('A=1\nB=2\nA=3\n')
  })

  it('is added to on a line of its own, when somebody left the last one without an end', async () => {
    const { host, environments } = setUp()
    host.files.put(path, 'A=1')
    await environments.patch(id, variables({ B: '2' }))
    expect(await environments.get(id)).toBe('A=1\nB=2\n')
  })

  it('that does not exist is unknown', async () => {
    const { environments } = setUp()
    await expect(environments.get(id)).rejects.toMatchObject({ code: 'ENVIRONMENT_UNKNOWN', message: expect.stringContaining(id) })
  })

  it('keeps every patch when many come at once', async () => {
    const { environments } = setUp()
    await Promise.all(Array.from({ length: 20 }, (_, index) => environments.patch(id, variables({ [`N${index}`]: String(index) }))))
    expect(parseStoredEnvironment(await environments.get(id)).map(({ value }) => value)).toEqual(
      Array.from({ length: 20 }, (_, n) => String(n)),
    )
  })

  it('reads back as it was given, whatever the contract takes', async () => {
    const text = fc.string({ unit: fc.nat(0xffff).map(code => String.fromCharCode(code)), maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, text), { maxLength: 5 }), async pairs => {
        const accepted = pairs.flatMap(([Name, Value]) => {
          try {
            return fromWire(schema, { Variables: [{ Name, Value }] }).variables
          } catch {
            return []
          }
        })
        const { environments } = setUp()
        await environments.put(id, { variables: accepted, source: '', id: undefined }, root)
        expect(parseStoredEnvironment(await environments.get(id))).toEqual(accepted)
      }),
    )
  })
})

describe('an environment that grows', () => {
  const value = 'ä'.repeat(limits.environmentValueBytes / 2)
  const one = () => variables(Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`N${index}`, value])))

  it('is refused before it is larger than what can be read again, counted in bytes', async () => {
    const { environments } = setUp()
    await environments.patch(id, one())
    await environments.patch(id, one())
    await expect(environments.patch(id, one())).rejects.toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining(id) })
    expect(parseStoredEnvironment(await environments.get(id))).toHaveLength(120)
  })

  it('is refused in one piece too', async () => {
    const { environments } = setUp()
    const large = { ...one(), variables: [...one().variables, ...one().variables, ...one().variables] }
    await expect(environments.put(id, large, root)).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    await expect(environments.get(id)).rejects.toMatchObject({ code: 'ENVIRONMENT_UNKNOWN' })
  })
})

describe('an environment with a source', () => {
  const url = 'http://config.example/shop.env'

  it('has what is read there instead of its own variables', async () => {
    const { host, environments } = setUp()
    host.network.texts.set(url, 'A="1 "\n# comment\nA=2\nexport B=3\n')
    await environments.put(id, variables({ OWN: 'x' }, url), guest)
    expect(await environments.get(id)).toBe('A=2\n')
  })

  it('stays as it was when the source cannot be read', async () => {
    const { environments } = setUp()
    await environments.put(id, variables({ A: '1' }), root)
    await expect(environments.put(id, variables({}, url), root)).rejects.toMatchObject({ code: 'ENVIRONMENT_FETCH_FAILED' })
    expect(await environments.get(id)).toBe('A=1\n')
  })

  it('stays as it was when the source has something that cannot be stored', async () => {
    const { host, environments } = setUp()
    host.network.texts.set(url, 'A="two\\nlines"\n')
    await expect(environments.put(id, variables({}, url), root)).rejects.toMatchObject({
      code: 'ENVIRONMENT_FETCH_FAILED',
      message: expect.stringContaining(url),
    })
    await expect(environments.get(id)).rejects.toMatchObject({ code: 'ENVIRONMENT_UNKNOWN' })
  })

  it('is named without its secrets when it fails', async () => {
    const { host, environments } = setUp()
    const secret = 'http://user:secret@config.example/shop.env?token=secret'
    host.network.texts.set(secret, 'A="two\\nlines"\n')
    const failure = await environments.put(id, variables({}, secret), root).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'ENVIRONMENT_FETCH_FAILED', message: expect.stringContaining(url) })
    expect(JSON.stringify(failure)).not.toContain('secret')
    expect(String(failure)).not.toContain('secret')
  })

  it('may be on the host itself for root, and for nobody else', async () => {
    const { host, environments } = setUp()
    const local = 'http://localhost:8080/shop.env'
    host.network.texts.set(local, 'A=1\n')
    await expect(environments.put(id, variables({}, local), guest)).rejects.toMatchObject({ code: 'ENVIRONMENT_FETCH_FAILED' })
    await environments.put(id, variables({}, local), root)
    expect(await environments.get(id)).toBe('A=1\n')
  })

  it('is not read by a patch', async () => {
    const { host, environments } = setUp()
    host.network.texts.set(url, 'A=1\n')
    await environments.patch(id, variables({ B: '2' }, url))
    expect(await environments.get(id)).toBe('B=2\n')
    expect(host.network.calls).toEqual([])
  })
})

describe('handlers', () => {
  it('give the text as it is stored', async () => {
    const { environments } = setUp()
    await environments.put(id, variables({ A: 'B' }), root)
    const call = { params: { id }, query: {}, body: undefined, wants: 'text', caller: guest } as never
    expect(await environmentHandlers(environments).getEnvironment(call)).toEqual({ text: 'A=B\n' })
  })
})
