import { describe, expect, it } from 'vitest'
import { GearError } from '../../api/index.ts'
import { type FakeHost, fakeHost } from '../../host/fakes.ts'
import { nodeHandlers } from './handlers.ts'
import { prepareHost } from './prepare.ts'

const base = '/var/lib/containers'

function links(host: FakeHost) {
  return Object.entries(host.files.tree('/etc/systemd/system')).map(
    ([path, text]) => `${path.slice('/etc/systemd/system/'.length)} ${text}`,
  )
}

describe('a host', () => {
  it('gets the folders of the layout, with their modes', async () => {
    const host = fakeHost()
    await prepareHost(host)
    const modes = Object.fromEntries(
      ['', '/units', '/home', '/keys/public', '/targets', '/env', '/env/contents', '/ports', '/ports/interfaces'].map(path => [
        path,
        host.files.modeOf(base + path)?.toString(8),
      ]),
    )
    expect(modes).toEqual({
      '': '755',
      '/units': '755',
      '/home': '755',
      '/keys/public': '755',
      '/targets': '750',
      '/env': '750',
      '/env/contents': '750',
      '/ports': '750',
      '/ports/interfaces': '750',
    })
    expect(host.files.modeOf('/etc/systemd/system/container-active.target.wants')).toBe(0o755)
  })

  it('gets targets and slices, linked so that they are there after a boot', async () => {
    const host = fakeHost()
    await prepareHost(host)
    expect(links(host)).toEqual([
      `container-active.target -> ${base}/targets/container-active.target`,
      `container-active.target.wants/container-build.slice -> ${base}/slices/container-build.slice`,
      `container-active.target.wants/container-large.slice -> ${base}/slices/container-large.slice`,
      `container-active.target.wants/container-small.slice -> ${base}/slices/container-small.slice`,
      `container-active.target.wants/container.slice -> ${base}/slices/container.slice`,
      `container-build.slice -> ${base}/slices/container-build.slice`,
      `container-large.slice -> ${base}/slices/container-large.slice`,
      `container-small.slice -> ${base}/slices/container-small.slice`,
      `container-sockets.target -> ${base}/targets/container-sockets.target`,
      `container.slice -> ${base}/slices/container.slice`,
      `container.target -> ${base}/targets/container.target`,
      `container.target.wants/container-build.slice -> ${base}/slices/container-build.slice`,
      `container.target.wants/container-large.slice -> ${base}/slices/container-large.slice`,
      `container.target.wants/container-small.slice -> ${base}/slices/container-small.slice`,
      `container.target.wants/container.slice -> ${base}/slices/container.slice`,
      `multi-user.target.wants/container-active.target -> ${base}/targets/container-active.target`,
    ])
    expect(host.units.reloadCount).toBe(1)
  })

  it('has slices that account and limit nothing but builds', async () => {
    const host = fakeHost()
    await prepareHost(host)
    const slices = host.files.tree(`${base}/slices`)
    expect(Object.keys(slices)).toHaveLength(4)
    for (const [path, text] of Object.entries(slices)) {
      expect(text).toContain('MemoryAccounting=yes')
      const limits = text.match(/^(?:Memory(?:Max|High|Limit)|CPUQuota|TasksMax)=.*$/gm)
      expect(limits).toEqual(path.includes('container-build') ? ['MemoryMax=60%', 'TasksMax=16384'] : null)
    }
  })

  it('that is ready is left alone, and systemd with it', async () => {
    const host = fakeHost()
    await prepareHost(host)
    const before = host.files.tree()
    await prepareHost(host)
    expect(host.files.tree()).toEqual(before)
    expect(host.units.reloadCount).toBe(1)
  })

  it('keeps what an administrator wrote, and gets what is missing', async () => {
    const host = fakeHost()
    await prepareHost(host)
    host.files.put(`${base}/slices/container.slice`, '[Slice]\nMemoryMax=2G\n')
    await host.files.remove('/etc/systemd/system/container.slice')
    await prepareHost(host)
    expect(host.files.tree(`${base}/slices`)[`${base}/slices/container.slice`]).toBe('[Slice]\nMemoryMax=2G\n')
    expect(await host.files.readLink('/etc/systemd/system/container.slice')).toBe(`${base}/slices/container.slice`)
    expect(host.units.reloadCount).toBe(2)
  })

  it('is ready for good: a power cut takes nothing of it', async () => {
    const host = fakeHost()
    await prepareHost(host)
    const before = host.files.tree()
    host.files.crash()
    expect(host.files.tree()).toEqual(before)
  })

  it('becomes ready, however often the preparation breaks off', async () => {
    const whole = fakeHost()
    await prepareHost(whole)
    for (let changes = 0; ; changes++) {
      const host = fakeHost()
      host.files.failAfter(changes, 'EIO')
      const outcome = await prepareHost(host).then(
        () => 'ready',
        error => (error as GearError).code,
      )
      if (outcome === 'ready') break
      expect(outcome).toBe('STORAGE_FAILED')
      host.files.heal()
      await prepareHost(host)
      expect(host.files.tree()).toEqual(whole.files.tree())
    }
  })
})

describe('health', () => {
  const facts = { version: 'version 1', openApi: () => ({ openapi: '3.1.0' }) }

  async function ready() {
    const host = fakeHost()
    await prepareHost(host)
    return { host, handlers: nodeHandlers(host, facts) }
  }

  it('is ok when systemd, engine and disk are there', async () => {
    const { handlers } = await ready()
    expect(await handlers.getHealth()).toEqual({ systemd: 'ok', engine: 'ok', disk: 'ok' })
  })

  it('says what is wrong with the engine, without failing for it', async () => {
    const { host, handlers } = await ready()
    host.engine.isAway = true
    expect(await handlers.getHealth()).toEqual({ systemd: 'ok', engine: expect.stringContaining('does not answer'), disk: 'ok' })
  })

  it('fails without systemd', async () => {
    const { host, handlers } = await ready()
    host.units.isAway = true
    await expect(handlers.getHealth()).rejects.toMatchObject({ code: 'SYSTEMD_UNAVAILABLE' })
  })

  it('fails without the disk layout', async () => {
    const handlers = nodeHandlers(fakeHost(), facts)
    await expect(handlers.getHealth()).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
  })

  it('fails when the engine adapter has a mistake: only failures of the world are told as health', async () => {
    const { host, handlers } = await ready()
    host.engine.fail('ping', '*', new TypeError('a mistake'))
    await expect(handlers.getHealth()).rejects.toThrow(TypeError)
    host.engine.fail('ping', '', new GearError('ENGINE_FAILED', 'it answered 500'))
    expect((await handlers.getHealth()).engine).toBe('it answered 500')
  })

  it('has the version and the document beside it', async () => {
    const { handlers } = await ready()
    expect(await handlers.getVersion()).toEqual({ version: 'version 1', api: '1', engine: 'docker' })
    expect(await handlers.getOpenApi()).toEqual({ openapi: '3.1.0' })
  })
})
