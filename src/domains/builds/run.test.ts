/** Builds on a machine in memory. */
import { describe, expect, it } from 'vitest'
import { GearError, type ImageName, type RequestId } from '../../api/index.ts'
import { parseBuildSource } from '../../formats/index.ts'
import { type FakeHost, fakeHost } from '../../host/fakes.ts'
import { codeOfFailure } from '../../host/suites.ts'
import type { BuildRequest } from './build.ts'
import { fakeRequest } from './fake-request.ts'
import { runBuild, runUsage, sweepBuilds } from './run.ts'

const root = '/var/lib/containers/builds/work'
const id = 'zWJ2s4o0QnuNn2iTfyQ3bg' as RequestId

function machine(): FakeHost {
  const host = fakeHost()
  host.builder.addImage('acme/node', { labels: { 'io.openshift.s2i.scripts-url': 'image:///s2i' }, command: ['/bin/sh'] })
  host.builder.folders.set('acme/node /s2i', ['assemble', 'run', 'save-artifacts'])
  host.files.put('/srv/shop/index.js', 'x')
  return host
}

function asked(more: Partial<BuildRequest> = {}): BuildRequest {
  return { ...fakeRequest, id, memoryBytes: 1_048_576, pids: 100, ...more }
}

async function run(host: FakeHost, more: Partial<BuildRequest> = {}, signal = new AbortController().signal) {
  let said = ''
  const say = (text: string): void => {
    said += text
  }
  const built = await runBuild(host, asked(more), { signal, say, workRoot: root, isSweeping: true })
  return { built, said }
}

function expectNothingLeft(host: FakeHost): void {
  expect([...host.builder.containers.keys()]).toEqual([])
  expect(Object.keys(host.files.tree(root)).filter(path => path !== root)).toEqual([])
}

describe('a build', () => {
  it('makes an image, says how, and leaves nothing else', async () => {
    const host = machine()
    const { built, said } = await run(host)
    expect(said).toBe(`Assembling\nCommitting acme/shop\nBuilt acme/shop (${built.imageId})\n`)
    expect(host.builder.commits).toMatchObject([{ name: 'acme/shop', command: ['/s2i/run'] }])
    expect(host.builder.goods).toMatchObject([
      {
        below: '/tmp',
        owner: { uid: 0, gid: 0 },
        parts: [{ names: ['scripts', 'defaultScripts'] }],
        tree: { folder: '/srv/shop', as: 'src', withoutNamed: ['.git'] },
      },
    ])
    expectNothingLeft(host)
  })

  it('pulls a builder that is not there', async () => {
    const host = machine()
    host.builder.registry.set('acme/other', { id: 'sha256:1', user: '', environment: [], labels: {}, command: [] })
    host.files.put('/srv/shop/.s2i/bin/assemble', '#!/bin/sh\n')
    expect((await run(host, { image: 'acme/other' as ImageName })).said).toMatch(/^Pulling acme\/other\npulled\n/)
    expect(await codeOfFailure(run(host, { image: 'acme/none' as ImageName }))).toBe('ENGINE_FAILED')
  })

  it('clones a repository and remembers the commit', async () => {
    const host = machine()
    host.git.sources.set('https://example.com/shop.git', { files: { 'index.js': 'x' } })
    const { built, said } = await run(host, { source: parseBuildSource('https://example.com/shop.git', 'v1') })
    expect(said).toMatch(/^Cloning https:\/\/example\.com\/shop\.git at v1\n/)
    expect(built.commit).toBe('1'.repeat(40))
    expect(host.git.calls).toEqual(['clone https://example.com/shop.git v1'])
  })

  it.each([
    ['a tar', true, []],
    ['a folder', false, [`hand gear-build-${id}-save:/tmp/artifacts gear-build-${id}-assemble:/opt/sti`]],
  ])('hands on what save-artifacts left as %s, where assemble can move it from', async (_, isUnpacked, handed) => {
    const host = machine()
    await run(host)
    host.builder.behave('/s2i/save-artifacts', () => ({ isUnpacked }))
    host.builder.forgetCalls()
    host.builder.goods.length = 0
    const { built, said } = await run(host)
    expect(built.isIncremental).toBe(true)
    expect(said).toMatch(/^Saving artifacts of acme\/shop\nAssembling\n/)
    const [from, container] = [`gear-build-${id}-save`, `gear-build-${id}-assemble`]
    const tars = host.builder.unpacked.map(({ from, container, folder }) => ({ from, container, folder }))
    expect(tars).toEqual(isUnpacked ? [{ from, container, folder: '/opt/sti/artifacts' }] : [])
    expect(host.builder.calls.filter(call => call.startsWith('hand'))).toEqual(handed)
    expect(host.builder.goods.filter(goods => goods.container === container)).toMatchObject([
      { below: '/', parts: [{ names: ['opt/sti/artifacts'] }] },
      { below: '/tmp', parts: [{ names: ['scripts', 'defaultScripts'] }, { names: ['artifacts'] }] },
    ])
    expectNothingLeft(host)
  })

  it('has no place for artifacts when nothing saves any, whether there was an image or not', async () => {
    const host = machine()
    host.builder.folders.set('acme/node /s2i', ['assemble', 'run'])
    await run(host)
    expect((await run(host)).built.isIncremental).toBe(false)
    const goods = { below: '/tmp', parts: [{ names: ['scripts', 'defaultScripts'] }] }
    expect(host.builder.goods).toMatchObject([goods, goods])
  })

  it('makes one container, and one more to take over what there was', async () => {
    const host = machine()
    const made = () => host.builder.calls.filter(call => call.startsWith('create')).map(call => call.replace(/.*-/, ''))
    await run(host)
    expect(made()).toEqual(['assemble'])
    host.builder.forgetCalls()
    await run(host)
    expect(made().sort()).toEqual(['assemble', 'save'])
  })

  it('makes its container anew when the image does not have the script that it was made for', async () => {
    const host = machine()
    host.builder.folders.set('acme/node /other', ['run'])
    host.files.put('/srv/shop/.s2i/bin/assemble', '#!/bin/sh\n')
    const commands: (readonly string[])[] = []
    host.builder.behave('/tmp/src/.s2i/bin/assemble', ({ command }) => {
      commands.push(command)
      return {}
    })
    await run(host, { scriptsUrl: 'image:///other' })
    expect(commands).toHaveLength(1)
    expect(host.builder.commits).toMatchObject([{ command: ['/other/run'] }])
    expectNothingLeft(host)
  })

  it.each([
    ['acme/gone', '/srv/shop', 'ENGINE_FAILED'],
    ['acme/node', '/srv/gone', 'SOURCE_FAILED'],
    ['acme/node', 'https://example.com/gone.git', 'SOURCE_FAILED'],
  ])('with %s of %s fails as %s', async (image, source, code) => {
    const host = machine()
    expect(await codeOfFailure(run(host, { image: image as ImageName, source: parseBuildSource(source) }))).toBe(code)
    expectNothingLeft(host)
  })

  it.each(['assemble', 'save-artifacts'])('fails with %s, its exit code and its last lines', async script => {
    const host = machine()
    await run(host)
    host.builder.behave(`/s2i/${script}`, (_, { say }) => {
      say('some\nlast words\n')
      return { exitCode: 3 }
    })
    await expect(run(host)).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: `${script} ended with exit code 3`,
      data: { lines: expect.arrayContaining(['some', 'last words']) },
    })
    expect(host.builder.commits).toHaveLength(1)
    expectNothingLeft(host)
  })

  it('says when a script needed too much memory', async () => {
    const host = machine()
    host.builder.behave('/s2i/assemble', () => ({ exitCode: 137, isOutOfMemory: true }))
    await expect(run(host)).rejects.toThrow('assemble needed more than its memory limit of 1 MiB')
  })

  it('leaves nothing when it is ended in the middle of anything', async () => {
    for (const operation of ['image', 'create', 'put', 'run'] as const) {
      const host = machine()
      const abort = new AbortController()
      const letGo = host.builder.hold(operation)
      const running = run(host, {}, abort.signal)
      while (!host.builder.calls.some(call => call.startsWith(operation))) await Promise.resolve()
      abort.abort(new Error('enough'))
      letGo()
      await expect(running).rejects.toThrow('enough')
      expectNothingLeft(host)
    }
  })

  it('clears up what a killed one has left, and not what runs', async () => {
    const host = machine()
    const killed = 'aaaaaaaaaaaaaaaaaaaaaa'
    const running = 'bbbbbbbbbbbbbbbbbbbbbb'
    for (const each of [killed, running]) {
      host.files.putFolder(`${root}/gear-build-${each}`)
      await host.builder.create({ name: `gear-build-${each}-assemble` } as never)
    }
    await using _lock = await host.files.lock(`${root}/gear-build-${running}/lock`)
    await sweepBuilds(host, root)
    expect([...host.builder.containers.keys()]).toEqual([`gear-build-${running}-assemble`])
    expect((await host.files.list(root)).map(({ name }) => name)).toEqual([`gear-build-${running}`])
  })
})

describe('the folder of a build', () => {
  it('stays when that is asked for, also when the next one clears up', async () => {
    const host = machine()
    const options = { signal: new AbortController().signal, say: () => undefined, workRoot: root, isSweeping: true }
    await runBuild(host, asked(), { ...options, isFolderKept: true })
    await runBuild(host, asked({ id: 'bbbbbbbbbbbbbbbbbbbbbb' as RequestId }), options)
    expect((await host.files.list(root)).map(({ name }) => name)).toEqual([`gear-build-${id}`])
    expect([...host.builder.containers.keys()]).toEqual([])
  })
})

describe('the usage of a builder image', () => {
  const usageOf = async (host: FakeHost): Promise<string> => {
    let said = ''
    const tell = ({ command }: { readonly command: readonly string[] }, { say }: { readonly say: (text: string) => unknown }) => {
      say(command.join(' '))
      return {}
    }
    host.builder.behave('-h', tell)
    host.builder.behave('/s2i/usage', tell)
    const say = (text: string): void => {
      said += text
    }
    await runUsage(host, asked(), { signal: new AbortController().signal, say, workRoot: root, isSweeping: true })
    expect(host.builder.commits).toEqual([])
    expectNothingLeft(host)
    return said
  }

  it('is what its assemble script says when it is asked for help', async () => {
    expect(await usageOf(machine())).toBe('/s2i/assemble -h')
  })

  it('is what its usage script says, if it has one', async () => {
    const host = machine()
    host.builder.folders.set('acme/node /s2i', ['assemble', 'usage'])
    expect(await usageOf(host)).toBe('/s2i/usage')
  })
})

describe('scripts', () => {
  it('that are given count before those of the source and the image', async () => {
    const host = machine()
    host.network.texts.set('https://example.com/s/assemble', '#!/bin/sh\n')
    host.files.put('/srv/shop/.s2i/bin/assemble', '#!/bin/sh\n')
    host.files.put('/srv/shop/.s2i/bin/run', '#!/bin/sh\n')
    const commands: (readonly string[])[] = []
    host.builder.behave('/tmp/scripts/assemble', container => {
      commands.push(container.command)
      return {}
    })
    await run(host, { scriptsUrl: 'https://example.com/s' })
    expect(commands).toEqual([['/tmp/scripts/assemble']])
    expect(host.builder.commits).toMatchObject([{ command: ['/opt/sti/bin/run'] }])
    expect(host.builder.goods.at(-1)).toMatchObject({ below: '/', parts: [{ names: ['opt/sti/bin/run'] }], owner: { uid: 0, gid: 0 } })
  })

  it('of an address that the image names are in a folder of their own, where those of the source find them', async () => {
    const host = machine()
    host.builder.addImage('acme/old', { environment: ['STI_SCRIPTS_URL=https://example.com/s'], command: ['/bin/sh'] })
    for (const name of ['assemble', 'run', 'save-artifacts']) host.network.texts.set(`https://example.com/s/${name}`, '#!/bin/sh\n')
    for (const name of ['assemble', 'save-artifacts']) host.files.put(`/srv/shop/.sti/bin/${name}`, '#!/bin/sh\n')
    const seen = { assemble: '' }
    const upload = `${root}/gear-build-${id}/upload`
    host.builder.behave('/tmp/src/.sti/bin/assemble', () => {
      seen.assemble = Object.keys(host.files.tree(upload))
        .filter(path => path.includes('/defaultScripts/'))
        .join(' ')
      return {}
    })
    await run(host, { image: 'acme/old' as ImageName })
    const defaults = ['assemble', 'run', 'save-artifacts'].map(name => `${upload}/defaultScripts/${name}`).join(' ')
    expect(seen).toEqual({ assemble: defaults })
    expect(host.builder.commits).toMatchObject([{ command: ['/opt/sti/bin/run'] }])
    const away = new GearError('ENVIRONMENT_FETCH_FAILED', 'Could not read it', { data: { status: 500 } })
    host.network.fail('fetchText', '*', away, 3)
    expect(await codeOfFailure(run(host, { image: 'acme/old' as ImageName }))).toBe('SOURCE_FAILED')
    host.files.put('/srv/shop/.sti/bin/run', '#!/bin/sh\n')
    host.network.fail('fetchText', '*', away, 3)
    expect((await run(host, { image: 'acme/old' as ImageName })).built.isIncremental).toBe(true)
  })

  it('that cannot be fetched are a failure; ones that are not there are none', async () => {
    const host = machine()
    host.network.fail('fetchText', '*', new GearError('ENVIRONMENT_FETCH_FAILED', 'Could not read it', { data: { status: 500 } }))
    expect(await codeOfFailure(run(host, { scriptsUrl: 'https://example.com/s' }))).toBe('SOURCE_FAILED')
  })

  it('of addresses of the host are not for callers from elsewhere', async () => {
    const host = machine()
    expect(await codeOfFailure(run(host, { scriptsUrl: 'http://127.0.0.1/s', mayReachHost: false }))).toBe('SOURCE_FAILED')
    expect(await codeOfFailure(run(host, { scriptsUrl: 'file:///etc', mayReachHost: false }))).toBe('SOURCE_FAILED')
  })

  it('of an image are never files of the host', async () => {
    const host = machine()
    host.builder.addImage('acme/sly', { environment: ['STI_SCRIPTS_URL=file:///root'] })
    host.files.put('/root/assemble', 'secret')
    expect(await codeOfFailure(run(host, { image: 'acme/sly' as ImageName }))).toBe('BUILD_SCRIPT_MISSING')
  })
})

describe('the source', () => {
  it('has variables, before which those of the request count', async () => {
    const host = machine()
    host.files.put('/srv/shop/.s2i/environment', `# a comment\n${'\n'.repeat(300_000)}\t# another\nMODE=prod\nNAME=shop\n`)
    let environment: string | undefined
    host.builder.behave('/s2i/assemble', async container => {
      environment = await host.files.read(container.variablesFile ?? '')
      return {}
    })
    await run(host, { variables: [{ name: 'MODE', value: 'test' }] })
    expect(environment).toBe('MODE=test\nNAME=shop\n')
  })

  it('does not lead to files of the host', async () => {
    const host = machine()
    host.files.put('/etc/secrets/environment', 'KEY=secret\n')
    host.files.put('/etc/secrets/bin/assemble', 'x')
    host.files.putLink('/etc/secrets', '/srv/shop/.s2i')
    host.files.putLink('/etc/secrets/environment', '/srv/shop/.s2iignore')
    const containers: unknown[] = []
    host.builder.behave('/s2i/assemble', container => {
      containers.push(container.variablesFile)
      return {}
    })
    await run(host)
    expect(containers).toEqual([undefined])
  })

  it('goes into the container without what .s2iignore names', async () => {
    const host = machine()
    host.files.put('/srv/shop/.s2iignore', '*.log\n')
    host.files.put('/srv/shop/a.log', 'x')
    await run(host)
    expect(host.builder.goods).toMatchObject([{ tree: { without: ['a.log'] } }])
  })

  it('may be one file', async () => {
    const host = machine()
    await run(host, { source: parseBuildSource('/srv/shop/index.js') })
    expect(host.builder.goods).toMatchObject([{ tree: { folder: '/srv/shop', only: 'index.js' } }])
  })

  it("belongs to the image's user", async () => {
    const host = machine()
    host.builder.addImage('acme/node', { ...host.builder.images.get('acme/node'), user: 'app' })
    host.builder.texts.set('acme/node /etc/passwd', 'app:x:1001:7::/:\n')
    await run(host)
    expect(host.builder.goods).toMatchObject([{ owner: { uid: 1001, gid: 7 } }])
    host.builder.texts.clear()
    await expect(run(host)).rejects.toThrow('The image has no user app')
  })
})

describe('the callback', () => {
  const url = 'https://example.com/done'

  it('is told of success and of failure', async () => {
    const host = machine()
    const { built } = await run(host, { callbackUrl: url })
    host.builder.behave('/s2i/assemble', (_, { say }) => {
      say('last words\n')
      return { exitCode: 1 }
    })
    await run(host, { callbackUrl: url }).catch(() => undefined)
    expect(host.network.posted.map(({ json }) => JSON.parse(json))).toEqual([
      { payload: `Built acme/shop (${built.imageId})`, success: true },
      { payload: expect.stringMatching(/assemble ended with exit code 1\n[\s\S]*last words/), success: false },
    ])
  })

  it('that cannot be reached is called three times with the same text, and fails no build', async () => {
    const host = machine()
    host.network.fail('postJson', '*', new GearError('CALLBACK_FAILED', 'Could not call it'), 2)
    const running = run(host, { callbackUrl: url })
    await host.clock.advance(10_000)
    const { said } = await running
    expect(host.network.calls.filter(call => call.startsWith('postJson'))).toHaveLength(3)
    expect(host.network.posted).toHaveLength(1)
    expect(said).not.toContain('Could not call')
  })

  it('is not an address of the host for callers from elsewhere', async () => {
    const host = machine()
    const running = run(host, { callbackUrl: 'http://127.0.0.1/done', mayReachHost: false })
    await host.clock.advance(10_000)
    const { said } = await running
    expect(host.network.posted).toEqual([])
    expect(said).toContain('Could not call http://127.0.0.1/done')
  })
})
