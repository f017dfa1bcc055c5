import { describe, expect, it } from 'vitest'
import { GearError, type Id, type ImageName, limits, type RepositoryDeployEvent, type RequestId } from '../../api/index.ts'
import { fakeHost } from '../../host/fakes.ts'
import { DryRun } from '../../lib/index.ts'
import { prepareHost } from '../node/index.ts'
import { type BuildOrder, type DeployHands, RepositoryDeployments } from './deploy.ts'
import { makeRepository } from './maker.ts'
import { undoneDeploys } from './store.ts'

const id = 'shop-src' as Id
const requestId = 'Qm9vbS1ub3QtcmVhbC1pZA' as RequestId
const signal = new AbortController().signal
const place = '/var/lib/containers/git/shop-src'
const request = { id, requestId, signal }

/** A repository whose pushes are built, and hands that note what they are told to do. */
async function setUp(hands: Partial<DeployHands> = {}, restart: Id | undefined = 'shop' as Id) {
  const host = fakeHost()
  await prepareHost(host)
  await makeRepository(
    host,
    { id, source: undefined, build: { baseImage: 'acme/node' as ImageName, tag: 'acme/shop' as ImageName, restart } },
    { say: () => undefined },
  )
  const done: string[] = []
  async function* built(order: BuildOrder): AsyncGenerator<string> {
    done.push(`build ${order.source} ${await host.files.read(`${order.source}/commit`)}`.trim())
    yield 'assembling\nstored\n'
  }
  const deployments = new RepositoryDeployments(host, {
    build: async order => built(order),
    restartWith: async (container, image) => void done.push(`restart ${container} with ${image}`),
    started: async container => void done.push(`wait for ${container}`),
    takeUpBuild: async () => undefined,
    stopBuild: async build => void done.push(`stop ${build}`),
    planBuild: async (order, dryRun) => dryRun.add([stepOf('assemble', `build ${order.source}`)]),
    planRestart: async (container, image, _, dryRun) => dryRun.add([stepOf('restart', `${container} with ${image}`)]),
    ...hands,
  })
  return { host, done, deployments, push: (commit: string) => host.git.push(place, { 'refs/heads/main': commit.repeat(40) }) }
}

async function* texts(...pieces: readonly string[]): AsyncGenerator<string> {
  yield* pieces
}

function stepOf(kind: string, name: string) {
  return { kind, name, reason: 'a test' }
}

async function eventsOf(events: Promise<AsyncIterable<RepositoryDeployEvent>>): Promise<readonly string[]> {
  const seen: string[] = []
  for await (const { event, message } of await events) seen.push(`${event}: ${message}`)
  return seen
}

describe('a deployment', () => {
  it('builds the tip of the default branch, and restarts the container with it', async () => {
    const { done, deployments, push } = await setUp()
    push('a')
    expect(await eventsOf(deployments.deploy(request))).toEqual([
      'log: Building aaaaaaaaaa into acme/shop',
      'log: assembling',
      'log: stored',
      'log: Restarting shop',
      'deployed: aaaaaaaaaa runs as shop',
    ])
    expect(done).toEqual([
      `build /var/lib/containers/git/.checkout-shop-src ${'a'.repeat(40)}`,
      'restart shop with acme/shop',
      'wait for shop',
    ])
  })

  it('writes the files out in a folder of the account, which goes afterwards', async () => {
    const checkout = '/var/lib/containers/git/.checkout-shop-src'
    let mode: number | undefined
    const { host, deployments, push } = await setUp({
      build: async () => {
        mode = host.files.modeOf(checkout)
        throw new GearError('COMMAND_FAILED', 'assemble ended with 1')
      },
    })
    push('a')
    await expect(eventsOf(deployments.deploy(request))).rejects.toThrow('assemble ended with 1')
    expect(mode).toBe(0o700)
    expect(host.accounts.ownerOf(checkout)).toBe((await host.accounts.find('git-shop-src' as never))?.uid)
    expect(await host.files.exists(checkout)).toBe(false)
  })

  it('that fails to build leaves the container alone', async () => {
    const { done, deployments, push } = await setUp({
      build: () => Promise.reject(new GearError('COMMAND_FAILED', 'assemble ended with 1')),
    })
    push('a')
    await expect(eventsOf(deployments.deploy(request))).rejects.toMatchObject({ code: 'COMMAND_FAILED' })
    expect(done).toEqual([])
  })

  it('is refused when enough others wait, which build the same', async () => {
    const gate = Promise.withResolvers<void>()
    const { deployments, push } = await setUp({ started: () => gate.promise })
    push('a')
    const waiting = Array.from({ length: 1 + limits.deploysWaiting }, () => eventsOf(deployments.deploy(request)))
    await new Promise(resolve => setImmediate(resolve))
    push('b')
    await expect(deployments.deploy(request)).rejects.toMatchObject({ code: 'REPOSITORY_BUSY' })
    gate.resolve()
    expect((await Promise.all(waiting)).at(1)?.at(-1)).toBe('deployed: bbbbbbbbbb runs as shop')
    expect((await eventsOf(deployments.deploy(request))).at(-1)).toBe('deployed: bbbbbbbbbb runs as shop')
  })

  it('waits for the one before, and builds what is there then', async () => {
    const gate = Promise.withResolvers<void>()
    const { done, deployments, push } = await setUp({ started: () => gate.promise })
    push('a')
    const first = eventsOf(deployments.deploy(request))
    const second = eventsOf(deployments.deploy(request))
    const third = eventsOf(deployments.deploy(request))
    await new Promise(resolve => setImmediate(resolve))
    push('b')
    gate.resolve()
    expect((await first).at(-1)).toBe('deployed: aaaaaaaaaa runs as shop')
    expect(await second).toEqual([
      'log: Waiting for the build of pushes before this one',
      'log: Building bbbbbbbbbb into acme/shop',
      'log: assembling',
      'log: stored',
      'log: Restarting shop',
      'deployed: bbbbbbbbbb runs as shop',
    ])
    expect(await third).toEqual([
      'log: Waiting for 2 builds of pushes before this one',
      'deployed: bbbbbbbbbb is deployed already, with the push before',
    ])
    expect(done.filter(line => line.startsWith('build'))).toHaveLength(2)
  })

  it('without its container says how to install it', async () => {
    const { deployments, push } = await setUp({ restartWith: () => Promise.reject(new GearError('CONTAINER_UNKNOWN', 'none')) })
    push('a')
    expect((await eventsOf(deployments.deploy(request))).at(-1)).toContain(
      'There is no container shop yet: gear install acme/shop shop --start',
    )
  })

  it('without a container to restart ends with the image', async () => {
    const { host, done, push } = await setUp()
    host.files.put('/var/lib/containers/git-home/sh/shop-src/build.json', '{"baseImage":"acme/node","tag":"acme/shop"}')
    const deployments = new RepositoryDeployments(host, {
      build: async () => (async function* () {})(),
      restartWith: () => Promise.reject(new Error('not asked for')),
      started: () => Promise.reject(new Error('not asked for')),
      takeUpBuild: () => Promise.reject(new Error('not asked for')),
      stopBuild: () => Promise.reject(new Error('not asked for')),
      planBuild: async () => undefined,
      planRestart: () => Promise.reject(new Error('not asked for')),
    })
    push('a')
    expect((await eventsOf(deployments.deploy(request))).at(-1)).toBe('deployed: aaaaaaaaaa is built into acme/shop')
    expect(done).toEqual([])
  })

  it('that is only planned writes nothing out, builds nothing and restarts nothing', async () => {
    const { host, done, deployments, push } = await setUp()
    push('a')
    const before = host.files.tree('/')
    const dryRun = new DryRun()
    expect(await eventsOf(deployments.deploy({ ...request, dryRun }))).toEqual([])
    expect(dryRun.steps.map(({ kind, on }) => `${kind} ${on}`)).toEqual([
      'noteDeploy /var/lib/containers/git/.deploys-shop-src',
      'checkOut /var/lib/containers/git/.checkout-shop-src',
      'assemble build /var/lib/containers/git/.checkout-shop-src',
      'removeFolder /var/lib/containers/git/.checkout-shop-src',
      'restart shop with acme/shop',
    ])
    expect(dryRun.steps[1]?.reason).toBe('aaaaaaaaaa is on the default branch of shop-src')
    expect(done).toEqual([])
    expect(host.files.tree('/')).toEqual(before)
  })

  it('of a branch without commits, of no repository, and of one without a build are refused', async () => {
    const { host, deployments } = await setUp()
    await expect(eventsOf(deployments.deploy(request))).rejects.toMatchObject({ code: 'REF_UNKNOWN' })
    await expect(deployments.deploy({ ...request, id: 'other' as Id })).rejects.toMatchObject({ code: 'REPOSITORY_UNKNOWN' })
    await makeRepository(host, { id: 'plain' as Id, source: undefined, build: undefined }, { say: () => undefined })
    await expect(deployments.deploy({ ...request, id: 'plain' as Id })).rejects.toMatchObject({ code: 'REPOSITORY_WITHOUT_BUILD' })
  })
})

describe('a deployment that cannot go on', () => {
  it('restarts nothing when the repository was deleted while it was built', async () => {
    const { host, done, deployments, push } = await setUp({
      build: async () => {
        await host.files.removeTree(place)
        return texts('assembling\n')
      },
    })
    push('a')
    await expect(eventsOf(deployments.deploy(request))).rejects.toMatchObject({ code: 'REPOSITORY_UNKNOWN' })
    expect(done).toEqual([])
  })

  it('says so when the commit is too large, or the account is gone, and builds nothing', async () => {
    const { host, done, deployments, push } = await setUp()
    push('a')
    host.git.fail('checkOut', '*', new GearError('COMMIT_TOO_LARGE', 'The commit is too large'))
    await expect(eventsOf(deployments.deploy(request))).rejects.toMatchObject({ code: 'COMMIT_TOO_LARGE' })
    await host.accounts.remove('git-shop-src' as never)
    await expect(eventsOf(deployments.deploy(request))).rejects.toMatchObject({ code: 'ACCOUNT_FAILED' })
    expect(done).toEqual([])
  })

  it('says so when its record was spoiled', async () => {
    const { host, deployments } = await setUp()
    host.files.put('/var/lib/containers/git-home/sh/shop-src/build.json', '{"baseImage": "-x"}')
    await expect(deployments.deploy(request)).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
  })
})

describe('a deployment whose agent ended', () => {
  /** The host as an agent leaves it that is killed while it builds. */
  async function killedWhileBuilding(hands: Partial<DeployHands> = {}) {
    const orders: BuildOrder[] = []
    const begun = Promise.withResolvers<void>()
    const { host, deployments, push } = await setUp({
      build: order => {
        orders.push(order)
        begun.resolve()
        return new Promise(() => undefined)
      },
    })
    push('a')
    void eventsOf(deployments.deploy(request))
    await begun.promise
    const done: string[] = []
    const next = new RepositoryDeployments(host, {
      build: async order => {
        orders.push(order)
        return texts('assembling\n')
      },
      takeUpBuild: async () => texts('half way\n', 'the rest\n'),
      stopBuild: async build => void done.push(`stop ${build}`),
      planBuild: async () => undefined,
      planRestart: async () => undefined,
      restartWith: async container => void done.push(`restart ${container}`),
      started: async () => undefined,
      ...hands,
    })
    return { host, push, orders, done, next }
  }

  it('is known to the next one, with all requests in their order, until it has ended', async () => {
    const { host, next } = await killedWhileBuilding()
    expect(await undoneDeploys(host)).toEqual([{ id, requestId }])
    await eventsOf(next.deploy(request))
    expect(await undoneDeploys(host)).toEqual([])
  })

  it('takes up the build that goes on by itself', async () => {
    const { host, orders, done, next } = await killedWhileBuilding()
    expect(await eventsOf(next.deploy(request))).toEqual([
      'log: Building aaaaaaaaaa into acme/shop',
      'log: half way',
      'log: the rest',
      'log: Restarting shop',
      'deployed: aaaaaaaaaa runs as shop',
    ])
    expect(orders).toHaveLength(1)
    expect(done).toEqual(['restart shop'])
    expect(await host.files.exists('/var/lib/containers/git/.checkout-shop-src')).toBe(false)
  })

  it('builds again, under another id, what came to no end of its own', async () => {
    const { orders, next } = await killedWhileBuilding({ takeUpBuild: async () => undefined })
    expect((await eventsOf(next.deploy(request))).at(-1)).toBe('deployed: aaaaaaaaaa runs as shop')
    const ids = orders.map(order => order.requestId)
    expect(ids[0]).toBe(requestId)
    expect(new Set(ids).size).toBe(2)
  })

  it('ends the build of an older state before it builds what was pushed since', async () => {
    const { push, orders, done, next } = await killedWhileBuilding()
    push('b')
    expect((await eventsOf(next.deploy(request))).at(-1)).toBe('deployed: bbbbbbbbbb runs as shop')
    expect([orders.length, done[0]]).toEqual([2, `stop ${requestId}`])
  })

  it('has ended when its build has failed', async () => {
    const { host, next } = await killedWhileBuilding({
      takeUpBuild: () => Promise.reject(new GearError('BUILD_FAILED', 'assemble ended with 1')),
    })
    await expect(eventsOf(next.deploy(request))).rejects.toThrow('assemble ended with 1')
    expect(await undoneDeploys(host)).toEqual([])
  })

  it('is forgotten with its repository, or when nothing is built any more', async () => {
    const { host, next } = await killedWhileBuilding()
    await host.files.remove('/var/lib/containers/git-home/sh/shop-src/build.json')
    await expect(next.deploy(request)).rejects.toMatchObject({ code: 'REPOSITORY_WITHOUT_BUILD' })
    expect(await undoneDeploys(host)).toEqual([])
  })
})
