import { describe, expect, it } from 'vitest'
import { contract, fromWire, GearError, type Id, type KeyFingerprint, type KeyPermission, readKeyPermission } from '../../api/index.ts'
import { type FakeHost, fakeHost } from '../../host/fakes.ts'
import { prepareHost } from '../node/index.ts'
import { keyHandlers } from './handlers.ts'
import { Keys } from './service.ts'

const base = '/var/lib/containers'
const vagrant =
  'ssh-rsa AAAAB3NzaC1yc2EAAAABIwAAAQEA6NF8iallvQVp22WDkTkyrtvp9eWW6A8YVr+kz4TjGYe7gHzIw+niNltGEFHzD8+v1I2YJ6oXevct1YeS0o9HZyN1Q9qgCgzUFtdOKLv6IedplqoPkcmF0aYet2PkEDo3MlTBckFXPITAMzF8dJSIFo9D8HfdOV0IAdx4O7PtixWKn5y2hMNG0zQPyUecp4pzC6kivAIhyfHilFR61RGL+GPXQ2MWZWFYbAGjyiYJnAmCP3NOTd0jMZEnDkbUvxhMmBYSdETk1rRgm+R4LOzFUGaHqHDLKLX+FIPKcF96hrucXzcWyLbIbEgE98OHlnVYCzRdK8jlqm8tehUc9c9WhQ=='
const fingerprint = 'I5F2ohFZ1whUO0NF62juMIuPG5nfKTgonWPaKWpY13M'
const keyPath = `${base}/keys/public/I5/${fingerprint}`
const access = `${base}/access/containers/ssh/we/web-1/${fingerprint}`
const gitAccess = `${base}/access/git/sh/shop-src/${fingerprint}`
const container = (id: string): KeyPermission => ({ type: 'container', id: id as Id })
const repository = (write: boolean): KeyPermission => ({ type: 'repository', id: 'shop-src' as Id, write })

async function setUp() {
  const host = fakeHost()
  await prepareHost(host)
  host.files.putFolder(`${base}/units/we`)
  host.files.put(`${base}/units/we/ctr-web-1.service`, '[Unit]\n')
  host.files.putFolder(`${base}/git/shop-src`)
  return { host, keys: new Keys(host), disk: () => filesOf(host) }
}

/** Keys and links, without folders. */
function filesOf(host: FakeHost): Readonly<Record<string, string>> {
  const all = { ...host.files.tree(`${base}/keys`), ...host.files.tree(`${base}/access`) }
  return Object.fromEntries(Object.entries(all).filter(([, text]) => text !== '/'))
}

async function failureOf(work: Promise<unknown>): Promise<GearError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof GearError)) throw new Error(`it did not fail as it should: ${error}`)
  return error
}

describe('adding a key', () => {
  it('stores it under its fingerprint, and links it where it is let in', async () => {
    const { host, keys, disk } = await setUp()
    await keys.add([`command="rm -rf /" ${vagrant} vagrant\n`], [container('web-1'), repository(false)])
    expect(disk()).toEqual({ [keyPath]: `${vagrant}\n`, [access]: `-> ${keyPath}`, [`${gitAccess}.read`]: `-> ${keyPath}` })
    expect(host.files.modeOf(keyPath)).toBe(0o664)
    for (const folder of [`${base}/keys/public/I5`, `${base}/access/containers/ssh/we/web-1`, `${base}/access/git/sh/shop-src`]) {
      expect(host.files.modeOf(folder)).toBe(0o775)
    }
  })

  it('finds it among comments', async () => {
    const { keys, disk } = await setUp()
    await keys.add([`# of vagrant\r\n\n${vagrant} vagrant\n`], [container('web-1')])
    expect(disk()[keyPath]).toBe(`${vagrant}\n`)
  })

  it('survives a power cut once it was answered for', async () => {
    const { host, keys, disk } = await setUp()
    await keys.add([vagrant], [container('web-1'), repository(true)])
    const before = disk()
    host.files.crash()
    expect(disk()).toEqual(before)
  })

  it('again changes nothing', async () => {
    const { host, keys } = await setUp()
    await keys.add([vagrant], [container('web-1'), repository(true)])
    const before = host.files.tree()
    await keys.add([vagrant], [container('web-1'), repository(true)])
    expect(host.files.tree()).toEqual(before)
  })

  it('to a repository gives it either reading or writing', async () => {
    const { keys, disk } = await setUp()
    await keys.add([vagrant], [repository(false)])
    await keys.add([vagrant], [repository(true)])
    expect(Object.keys(disk())).toEqual([keyPath, `${gitAccess}.write`])
    await keys.add([vagrant], [repository(false)])
    expect(Object.keys(disk())).toEqual([keyPath, `${gitAccess}.read`])
  })

  it('of which some fail stores the others, and tells each failure by position', async () => {
    const { keys, disk } = await setUp()
    const error = await failureOf(keys.add(['nonsense', vagrant], [container('web-2'), container('web-1')]))
    expect(error).toMatchObject({
      code: 'KEYS_FAILED',
      data: [
        { index: 0, message: expect.stringContaining('there is no key') },
        { index: 1, message: 'there is no container web-2 on this host' },
      ],
    })
    expect(error.message).toMatch(/^2 of 2 keys could not be added: key 1: .*; key 2: there is no container web-2/)
    expect(disk()).toEqual({ [keyPath]: `${vagrant}\n`, [access]: `-> ${keyPath}` })
  })

  it('whose file holds something else is refused', async () => {
    const { host, keys } = await setUp()
    host.files.putFolder(`${base}/keys/public/I5`)
    host.files.put(keyPath, 'ssh-rsa AAAA\n')
    expect((await failureOf(keys.add([vagrant], [container('web-1')]))).code).toBe('STORAGE_FAILED')
  })

  it('makes the file that the original generated go, as the account it belongs to', async () => {
    const { host, keys } = await setUp()
    const file = `${base}/home/we/web-1/home/.ssh/authorized_keys`
    host.files.putFolder(file.slice(0, file.lastIndexOf('/')))
    host.files.put(file, 'old\n')
    host.commands.answer('runuser', () => ({}))
    await keys.add([vagrant], [container('web-1')])
    expect(host.commands.calls).toEqual([`run runuser -u ctr-web-1 -- /bin/rm -f ${file}`])
  })
})

describe('the keys there are', () => {
  it('are listed with what they are let into', async () => {
    const { keys } = await setUp()
    await keys.add([vagrant], [container('web-1'), repository(true)])
    const all = await keys.list({})
    expect(all).toEqual([
      {
        fingerprint,
        sha256: expect.stringMatching(/^SHA256:/),
        algorithm: 'ssh-rsa',
        containers: [{ id: 'web-1' }],
        repositories: [{ id: 'shop-src', write: true }],
      },
    ])
    expect(await keys.list({ container: 'web-1' as Id })).toMatchObject([{ containers: [{ id: 'web-1' }], repositories: [] }])
    expect(await keys.list({ container: 'web-2' as Id })).toEqual([])
  })

  it('are listed past whatever else lies in their folders', async () => {
    const { host, keys } = await setUp()
    await keys.add([vagrant], [container('web-1')])
    host.files.put(`${base}/access/containers/ssh/we/web-1/README`, 'hello')
    host.files.put(`${base}/keys/public/I5/${fingerprint.replace('I5', 'I5x').slice(0, 43)}`, 'no key')
    expect(await keys.list({})).toHaveLength(1)
  })
})

describe('removing a key', () => {
  const name = fingerprint as KeyFingerprint

  it('from one place leaves it the others, and ends the logins there', async () => {
    const { host, keys, disk } = await setUp()
    host.accounts.add('ctr-web-1')
    await keys.add([vagrant], [container('web-1'), repository(false)])
    await keys.remove(name, { container: 'web-1' as Id })
    expect(Object.keys(disk())).toEqual([keyPath, `${gitAccess}.read`])
    expect(host.accounts.calls).toContain('endLogins ctr-web-1')
  })

  it('from the last place, or from everything, removes it for good', async () => {
    const { host, keys, disk } = await setUp()
    await keys.add([vagrant], [container('web-1')])
    await keys.remove(name, { container: 'web-1' as Id })
    expect(disk()).toEqual({})
    await keys.add([vagrant], [container('web-1'), repository(true)])
    await keys.remove(name, {})
    host.files.crash()
    expect(disk()).toEqual({})
  })

  it('that is not there, or not let in there, is an error', async () => {
    const { keys } = await setUp()
    expect((await failureOf(keys.remove(name, {}))).code).toBe('KEY_UNKNOWN')
    await keys.add([vagrant], [container('web-1')])
    expect((await failureOf(keys.remove(name, { repository: 'shop-src' as Id }))).message).toBe(
      `The key ${fingerprint} is not let into repository shop-src`,
    )
  })
})

describe('a request', () => {
  const body = (value: unknown) => fromWire(contract.putKeys.body as NonNullable<typeof contract.putKeys.body>, value)
  const call = (value: unknown) => ({ body: body(value) }) as Parameters<ReturnType<typeof keyHandlers>['putKeys']>[0]
  const key = { Type: 'authorized_keys', Value: `${vagrant} \n` }

  it('of the original, and of its older examples, names the same permissions', async () => {
    const { host, keys, disk } = await setUp()
    const handlers = keyHandlers(keys)
    await handlers.putKeys(
      call({
        Keys: [key],
        Permissions: [
          { Type: '', With: 'web-1' },
          { Type: 'repository', With: { id: 'shop-src', WRITE: true } },
        ],
      }),
    )
    const before = disk()
    expect(Object.keys(before)).toEqual([keyPath, access, `${gitAccess}.write`])
    await host.files.removeTree(`${base}/access`)
    await handlers.postKeys(call({ Keys: [key], Containers: [{ Id: 'web-1' }], Repositories: [{ Id: 'shop-src', Write: true }] }))
    expect(disk()).toEqual(before)
  })

  it.each<[name: string, value: unknown, field: string]>([
    ['no keys', { Containers: [{ Id: 'web-1' }] }, 'Keys'],
    ['an empty list of keys', { Keys: [], Containers: [{ Id: 'web-1' }] }, 'Keys'],
    ['keys for nothing', { Keys: [key] }, 'Permissions'],
    ['a key of another kind', { Keys: [{ ...key, Type: 'x509' }], Containers: [{ Id: 'web-1' }] }, 'Keys[0].Type'],
    ['two lines as one key', { Keys: [{ ...key, Value: `${vagrant}\n${vagrant}\n` }], Containers: [{ Id: 'web-1' }] }, 'Keys[0].Value'],
    ['a permission of another kind', { Keys: [key], Permissions: [{ Type: 'host', With: 'web-1' }] }, 'Permissions[0].Type'],
    ['an id that is none', { Keys: [key], Permissions: [{ Type: 'container', With: '../x' }] }, 'Permissions[0].With'],
    ['a container as an object', { Keys: [key], Permissions: [{ With: { Id: 'web-1' } }] }, 'Permissions[0].With'],
    ['a repository as a text', { Keys: [key], Permissions: [{ Type: 'repository', With: 'shop-src' }] }, 'Permissions[0].With'],
    ['a repository without an id', { Keys: [key], Permissions: [{ Type: 'repository', With: { Write: true } }] }, 'Permissions[0].With'],
  ])('with %s is refused', (_, value, field) => {
    const refusal = () => body(value)
    expect(refusal).toThrow(GearError)
    try {
      refusal()
    } catch (error) {
      expect((error as GearError).fields.map(broken => broken.field)).toContain(field)
    }
  })

  it('has permissions of nothing else', () => {
    expect(readKeyPermission({ type: 'repository', with: ['shop-src'] })).toBeUndefined()
    expect(readKeyPermission({ type: 'container', with: null })).toBeUndefined()
    expect(readKeyPermission({ type: 'repository', with: { Id: 'shop-src' } })).toEqual(repository(false))
  })
})
