/** Builds that an agent is asked for, with units that do what a test says. */
import { describe, expect, it } from 'vitest'
import type { BuildAsked, ImageName, RequestId } from '../../api/index.ts'
import { type FakeHost, fakeHost } from '../../host/fakes.ts'
import { codeOfFailure } from '../../host/suites.ts'
import { requestOf } from './asked.ts'
import type { BuildRequest } from './build.ts'
import { buildFolder, buildUnit, waitingBuilds, workRoot } from './record.ts'
import { Builds } from './service.ts'
import { runRequested } from './unit.ts'

const id = 'zWJ2s4o0QnuNn2iTfyQ3bg' as RequestId
const other = 'bWJ2s4o0QnuNn2iTfyQ3bg' as RequestId

const asked: BuildAsked = {
  name: '',
  source: '/srv/shop',
  tag: 'acme/shop' as ImageName,
  baseImage: 'acme/node' as ImageName,
  runtimeImage: '',
  clean: false,
  verbose: false,
  callbackUrl: undefined,
  ref: undefined,
  scripts: undefined,
  environment: undefined,
  removePrevious: false,
  network: undefined,
}

interface Machine {
  readonly host: FakeHost
  readonly builds: Builds
  readonly request: (name?: RequestId, more?: Partial<BuildAsked>) => Promise<BuildRequest>
  /** What the unit does, and its end; whether that is a good one. */
  readonly work: (name?: RequestId, signal?: AbortSignal) => Promise<boolean>
}

function machine(): Machine {
  const host = fakeHost()
  host.builder.addImage('acme/node')
  host.files.put('/srv/shop/.s2i/bin/assemble', '#!/bin/sh\n')
  host.builder.behave('/tmp/src/.s2i/bin/assemble', (_, { say }) => {
    say('assembled\n')
    return {}
  })
  return {
    host,
    builds: new Builds(host),
    request: (name = id, more = {}) => requestOf(host, { ...asked, ...more }, { id: name, caller: { isRoot: true } }),
    work: async (name = id, signal = new AbortController().signal) => {
      const options = { signal, say: () => undefined, workRoot: workRoot(host.paths), isSweeping: true }
      const isBuilt = await runRequested(host, { ...options, folder: buildFolder(host.paths, name) })
      host.units.exit(buildUnit(name), { exitCode: isBuilt ? 0 : 1 })
      return isBuilt
    },
  }
}

async function followed({ host, builds }: Machine, name: RequestId = id): Promise<string> {
  let text = ''
  const reading = (async () => {
    const options = { isFollowing: true, isVerdictWanted: true, signal: new AbortController().signal }
    for await (const piece of await builds.follow(name, options)) text += piece
  })()
  reading.catch(() => undefined)
  await host.clock.advance(1000)
  await reading
  return text
}

describe('a build', () => {
  it('is a unit of its own, in its slice, with nothing secret in its arguments', async () => {
    const { host, builds, request } = machine()
    const environment = { variables: [{ name: 'KEY', value: 'secret' }], source: '' }
    await builds.begin(await request(id, { environment }))
    expect(host.units.transients).toMatchObject([
      {
        name: 'build-eldKMnM0bzBRbnVObjJpVGZ5UTNiZw.service',
        description: 'Build of acme/shop with acme/node',
        command: ['/usr/bin/gear', 'build', `--request=/var/lib/containers/builds/${id}`],
        slice: 'container-build.slice',
        variables: { GEARD_ENGINE: 'docker' },
      },
    ])
    expect(host.files.modeOf(`/var/lib/containers/builds/${id}/request.json`)).toBe(0o600)
  })

  it('is followed to its end, and its report says how it ended', async () => {
    const setup = machine()
    await setup.builds.begin(await setup.request())
    expect(await setup.builds.report(id)).toMatchObject({ result: 'running', activeState: 'active', subState: 'running' })
    const text = followed(setup)
    expect(await setup.work()).toBe(true)
    expect(await text).toMatch(/^Assembling\nassembled\nCommitting acme\/shop\nBuilt acme\/shop/)
    const { result, activeState, imageId, source } = await setup.builds.report(id)
    expect([result, activeState, source, imageId]).toEqual(['built', 'inactive', '/srv/shop', expect.stringMatching(/^sha256:/)])
    expect(await setup.host.files.exists(`/var/lib/containers/builds/${id}/request.json`)).toBe(false)
  })

  it('that fails says why, to who follows and to who asks later', async () => {
    const setup = machine()
    setup.host.builder.behave('/tmp/src/.s2i/bin/assemble', () => ({ exitCode: 3 }))
    await setup.builds.begin(await setup.request())
    expect(await setup.work()).toBe(false)
    await expect(followed(setup)).rejects.toThrow('Could not build acme/shop: assemble ended with exit code 3')
    expect(await setup.builds.report(id)).toMatchObject({
      result: 'failed',
      code: 'BUILD_FAILED',
      cause: 'assemble ended with exit code 3',
    })
  })

  it('whose unit is told to end says that it was stopped', async () => {
    const setup = machine()
    await setup.builds.begin(await setup.request())
    expect(await setup.work(id, AbortSignal.abort(new Error('SIGTERM')))).toBe(false)
    expect(await setup.builds.report(id)).toMatchObject({ result: 'stopped', code: 'BUILD_STOPPED', cause: 'it was stopped' })
  })

  it('is begun once, however often it is asked for, and is no other', async () => {
    const { host, builds, request, work } = machine()
    await builds.begin(await request())
    await builds.begin(await request())
    expect(host.units.transients).toHaveLength(1)
    expect(await codeOfFailure(builds.begin(await request(id, { clean: true })))).toBe('REQUEST_ID_REUSED')
    await work()
    await builds.begin(await request())
    expect(host.units.transients).toHaveLength(0)
  })

  it('goes on without its agent, and the next one finds it', async () => {
    const setup = machine()
    await setup.builds.begin(await setup.request())
    const next = { ...setup, builds: new Builds(setup.host) }
    await next.builds.begin(await setup.request())
    const text = followed(next)
    await setup.work()
    expect(await text).toContain('Built acme/shop')
  })

  it('whose unit ended before it could say so has failed, and is cleared up', async () => {
    const setup = machine()
    const { host } = setup
    await setup.builds.begin(await setup.request())
    host.files.putFolder(`${workRoot(host.paths)}/gear-build-${id}`)
    host.units.exit(buildUnit(id), { signal: 9 })
    await expect(followed(setup)).rejects.toMatchObject({ code: 'BUILD_STOPPED', message: expect.stringContaining('ended with signal') })
    expect(await host.files.list(workRoot(host.paths))).toEqual([])
  })

  it('that a reboot ended is found out by whoever looks', async () => {
    const { host, builds, request } = machine()
    await builds.begin(await request())
    await host.reboot()
    const [build] = await new Builds(host).list()
    expect(build).toMatchObject({ result: 'failed', code: 'BUILD_STOPPED' })
  })

  it('that cannot be begun has failed', async () => {
    const setup = machine()
    setup.host.units.behave(buildUnit(id), { transient: 'not-executed' })
    await setup.builds.begin(await setup.request())
    await expect(followed(setup)).rejects.toThrow(/could not be executed/)
  })

  it('can be stopped', async () => {
    const { host, builds, request } = machine()
    await builds.begin(await request())
    await builds.stop(id)
    expect(await builds.report(id)).toMatchObject({ result: 'stopped', cause: 'it was stopped' })
    expect(host.units.transients).toEqual([])
    await builds.stop(id)
  })

  it('that nobody knows is unknown', async () => {
    const { builds } = machine()
    const options = { isFollowing: true, isVerdictWanted: true, signal: new AbortController().signal }
    expect(await codeOfFailure(builds.follow(id, options))).toBe('BUILD_UNKNOWN')
    expect(await codeOfFailure(builds.report(id))).toBe('BUILD_UNKNOWN')
    expect(await codeOfFailure(builds.stop(id))).toBe('BUILD_UNKNOWN')
  })

  it('is kept with the last ones; the oldest ended ones are forgotten', async () => {
    const { host, builds, request, work } = machine()
    const name = (number: number) => `${String(number).padStart(4, '0')}${'A'.repeat(18)}` as RequestId
    for (let number = 0; number < 60; number++) {
      await builds.begin(await request(name(number)))
      await work(name(number))
      await host.clock.advance(1000)
    }
    const kept = await builds.list()
    expect([kept.length, kept[0]?.requestId]).toEqual([50, name(10)])
  })
})

describe('builds beyond those that run at once', () => {
  const name = (number: number) => `${String(number).padStart(4, '0')}${'A'.repeat(18)}` as RequestId
  const signal = new AbortController().signal

  /** Four run, and `waiting` more wait for them. */
  async function busy(waiting: number): Promise<Machine> {
    const setup = machine()
    for (let number = 0; number < 4 + waiting; number++) await setup.builds.begin(await setup.request(name(number)))
    return setup
  }

  const first = async ({ builds }: Machine, id: RequestId): Promise<unknown> => {
    const text = await builds.follow(id, { isFollowing: true, isVerdictWanted: true, signal })
    return (await text[Symbol.asyncIterator]().next()).value
  }

  it('wait for their turn, and are told for how many', async () => {
    const setup = await busy(2)
    expect(setup.host.units.transients).toHaveLength(4)
    expect(await first(setup, name(5))).toBe('Waiting for 5 builds before this one\n')
    expect(await setup.builds.report(name(5))).toMatchObject({ result: 'waiting', activeState: 'activating' })
    await setup.work(name(2))
    await setup.host.clock.advance(2000)
    expect(setup.host.units.transients.map(unit => unit.name)).toContain(buildUnit(name(4)))
    expect(setup.host.units.transients).toHaveLength(4)
  })

  it('begin in the order in which they were asked for', async () => {
    const setup = await busy(3)
    for (const [ended, begun] of [
      [0, 4],
      [1, 5],
      [2, 6],
    ] as const) {
      await setup.work(name(ended))
      await setup.host.clock.advance(2000)
      expect(setup.host.units.transients.map(unit => unit.name)).toContain(buildUnit(name(begun)))
    }
  })

  it('can be stopped while they wait, and then never begin', async () => {
    const setup = await busy(1)
    await setup.builds.stop(name(4))
    expect(await setup.builds.report(name(4))).toMatchObject({ result: 'stopped' })
    await setup.work(name(0))
    await setup.host.clock.advance(4000)
    expect(setup.host.units.transients).toHaveLength(3)
  })

  it('go on waiting with the next agent, for who looks', async () => {
    const setup = await busy(1)
    const next = { ...setup, builds: new Builds(setup.host) }
    expect(await waitingBuilds(setup.host)).toEqual([name(4)])
    expect((await next.builds.list()).map(({ result }) => result)).toEqual([...Array(4).fill('running'), 'waiting'])
    expect(await first(next, name(4))).toBe('Waiting for 4 builds before this one\n')
    await setup.work(name(0))
    await setup.host.clock.advance(2000)
    expect(setup.host.units.transients.map(unit => unit.name)).toContain(buildUnit(name(4)))
  })

  it('are refused when too many wait', async () => {
    const { builds, request } = await busy(64)
    expect(await codeOfFailure(builds.begin(await request(other)))).toBe('QUEUE_FULL')
  })
})

describe('callers from elsewhere', () => {
  const remote = (source: string) => requestOf(fakeHost(), { ...asked, source }, { id, caller: { isRoot: false } })

  it.each(['https://example.com/shop.git', '/var/lib/containers/git/shop', 'file:///var/lib/containers/git/shop'])(
    'may build %s',
    async source => {
      expect((await remote(source)).mayReachHost).toBe(false)
    },
  )

  it('build a repository of the host at its state, not as the files it is made of', async () => {
    const { source } = await remote('/var/lib/containers/git/shop')
    expect(source).toEqual({ kind: 'git', address: 'file:///var/lib/containers/git/shop', ref: undefined, isFile: true })
  })

  it.each([
    'http://127.0.0.1:43273/x',
    'https://localhost/x.git',
    'git@169.254.169.254:x',
    'git://[::1]/x',
    '/srv/shop',
    '/root/shop.git',
    'file:///root/shop',
    '/var/lib/containers/git/../env',
    '/var/lib/containers/git/shop/hooks',
    'shop',
  ])('may not build %s', async source => {
    await expect(remote(source)).rejects.toMatchObject({ code: 'INPUT_INVALID', fields: [{ field: 'Source' }] })
  })

  it('have the environment fetched as callers from elsewhere', async () => {
    const environment = { variables: [], source: 'http://127.0.0.1/env' }
    const asking = requestOf(fakeHost(), { ...asked, source: 'https://example.com/x', environment }, { id, caller: { isRoot: false } })
    expect(await codeOfFailure(asking)).toBe('ENVIRONMENT_FETCH_FAILED')
  })
})

describe('a source on the command line', () => {
  it.each([
    ['shop', '/home/me/shop'],
    ['.', '/home/me'],
    ['../you/./shop/', '/home/you/shop'],
    ['/srv/shop', '/srv/shop'],
  ])('%s is %s', async (source, path) => {
    const request = await requestOf(fakeHost(), { ...asked, source }, { id, caller: { isRoot: true }, folder: '/home/me' })
    expect(request.source).toEqual({ kind: 'local', path })
  })

  it('has variables of a URL before those of the words', async () => {
    const host = fakeHost()
    host.network.texts.set('http://127.0.0.1/env', 'MODE=prod\nNAME=shop\n')
    const environment = { variables: [{ name: 'MODE', value: 'test' }], source: 'http://127.0.0.1/env' }
    const request = await requestOf(host, { ...asked, environment }, { id, caller: { isRoot: true } })
    expect(request.variables).toEqual([
      { name: 'MODE', value: 'test' },
      { name: 'NAME', value: 'shop' },
    ])
  })
})
