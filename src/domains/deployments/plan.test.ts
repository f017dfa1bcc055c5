import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../api/index.ts'
import { hostNameOf, type LocatorHost, parseHost } from '../../formats/index.ts'
import { printDeployment, readDeployment } from './file.ts'
import { hostKey } from './members.ts'
import { type DeploymentPlan, type FindTarget, networkLinksOf, type Observed, planDeployment, withObserved } from './plan.ts'

const hosts = (...names: readonly string[]): readonly LocatorHost[] => names.map(parseHost)

let drawn = 0
const drawText = () => `Ab${String(++drawn).padStart(20, '0')}`

async function plan(file: unknown, on: readonly LocatorHost[]): Promise<DeploymentPlan> {
  const text = typeof file === 'string' ? file : JSON.stringify(file)
  return planDeployment({ deployment: await readDeployment(text, 'test.json'), hosts: on, drawText })
}

const fixture = (name: string) => readFileSync(new URL(`../../../deployment/fixtures/${name}`, import.meta.url), 'utf8')

/** The file that a deploy would write when every host chose its ports in a row from 4000. */
function written(made: DeploymentPlan): string {
  const next = new Map<string, number>()
  const instances = made.instances.map(instance => ({
    ...instance,
    ports: instance.ports.map(port => {
      const key = hostKey(instance.host)
      const chosen = next.get(key) ?? 4000
      if (port.external === 0) next.set(key, chosen + 1)
      return { ...port, external: port.external || chosen }
    }),
  }))
  return printDeployment({ ...made, instances })
}

/** `127.0.0.1:8080→web-1`, in the order in which they were made. */
function linksOf(made: DeploymentPlan, group: string): readonly string[] {
  return (made.links.get(group) ?? []).map(({ fromHost, fromPort, to }) => `${fromHost}:${fromPort}→${to.id}`)
}

const placed = (made: DeploymentPlan) => made.instances.map(({ id, host }) => `${id}@${host.kind === 'local' ? 'local' : host.name}`)
const fates = (made: DeploymentPlan) => made.instances.map(({ id, fate }) => `${fate} ${id}`)
const gone = (made: DeploymentPlan) => made.removed.map(({ id, host }) => `${id}@${host.kind === 'local' ? 'local' : host.name}`)

const web = { Name: 'web', Image: 'acme/web', PublicPorts: [{ Internal: 8080 }] }
const db = { Name: 'db', Image: 'acme/db', PublicPorts: [{ Internal: 27017 }] }
const ab = hosts('a', 'b')
const abc = hosts('a', 'b', 'c')

describe('the situations of the fixtures, on hosts a and b', () => {
  it.each([
    ['simple_deploy.json', { web: ['127.0.0.1:8080→web-1', '127.0.0.1:8081→web-2'] }],
    [
      'complex_deploy.json',
      {
        web: ['127.0.0.1:8080→web-1', '127.0.0.1:8081→web-2', '127.0.0.1:27017→db-1', '127.0.0.1:27018→db-2', '127.0.0.1:27019→db-3'],
        db: ['127.0.0.1:27017→db-1', '127.0.0.1:27018→db-2', '127.0.0.1:27019→db-3'],
      },
    ],
    ['mongo_deploy.json', { db: ['192.168.1.1:27017→db-1', '192.168.1.2:27017→db-2', '192.168.1.3:27017→db-3'] }],
    ['link_alias.json', { web: ['127.0.0.1:8080→db-1', '127.0.0.2:8080→db-2'], db: [] }],
    [
      'lb_eap_mongo.json',
      {
        lb: ['127.0.0.1:8080→backend-1', '127.0.0.2:8080→backend-2'],
        backend: ['192.168.1.1:27017→db-1', '192.168.1.2:27017→db-2', '192.168.1.3:27017→db-3'],
        db: ['192.168.1.1:27017→db-1', '192.168.1.2:27017→db-2', '192.168.1.3:27017→db-3'],
      },
    ],
    ['openshift_deploy.json', { broker: ['127.0.0.1:27017→db-1'], db: [] }],
    ['rockmongo_mongo.json', { rockmongo: ['127.0.0.1:27017→db-1'], db: [] }],
    ['redis_martini_deploy.json', { web: ['127.0.0.1:6379→martini-redis-1'], redis: [] }],
  ])('%s', async (name, links) => {
    const made = await plan(fixture(name), ab)
    expect(Object.fromEntries(made.containers.map(group => [group.name, linksOf(made, group.name)]))).toEqual(links)
    expect(new Set(made.instances.map(({ fate }) => fate))).toEqual(new Set(['install']))
  })

  it('mongo_deploy_existing.json keeps its instances and their addresses', async () => {
    const made = await plan(fixture('mongo_deploy_existing.json'), hosts('localhost'))
    expect(fates(made)).toEqual(['keep db-1', 'keep db-2', 'keep db-3'])
    expect(linksOf(made, 'db')).toEqual(['192.168.1.1:27017→db-1', '192.168.1.2:27017→db-2', '192.168.1.3:27017→db-3'])
  })

  it('lead to the external ports once these are known', async () => {
    const made = await plan(fixture('simple_deploy.json'), ab)
    const find: FindTarget = ({ id, host }) => ({ toHost: hostNameOf(host), toPort: id === 'web-1' ? 4000 : 4001 })
    expect(networkLinksOf(made, 'web', find)).toEqual([
      { fromHost: '127.0.0.1', fromPort: 8080, toHost: 'a', toPort: 4000 },
      { fromHost: '127.0.0.1', fromPort: 8081, toHost: 'b', toPort: 4001 },
    ])
  })
})

describe('a first deploy', () => {
  it('places instances in turn on the hosts, whichever container they are of', async () => {
    const made = await plan(
      {
        Containers: [
          { ...web, Count: 2 },
          { ...db, Count: 3 },
        ],
      },
      ab,
    )
    expect(placed(made)).toEqual(['web-1@a', 'web-2@b', 'db-1@a', 'db-2@b', 'db-3@a'])
  })

  it('makes nothing, and no error, without hosts', async () => {
    const made = await plan({ Containers: [{ ...web, Links: [{ To: 'web' }], Count: 2 }] }, [])
    expect([made.instances, made.removed]).toEqual([[], []])
  })

  it('keeps external ports that are asked for, and goes on to a host that has them free', async () => {
    const made = await plan(
      {
        Containers: [
          { ...web, Count: 1 },
          { ...db, PublicPorts: [{ Internal: 27017, External: 6060 }], Count: 2 },
          { ...web, Name: 'more', Count: 1 },
        ],
      },
      ab,
    )
    expect(placed(made)).toEqual(['web-1@a', 'db-1@b', 'db-2@a', 'more-1@b'])
    expect(made.instances[1]?.ports[0]?.external).toBe(6060)
  })

  it('counts a host once, however it is written', async () => {
    const made = await plan({ Containers: [{ ...web, Count: 2 }] }, hosts('a', 'A:43273', 'b'))
    expect(placed(made)).toEqual(['web-1@a', 'web-2@b'])
  })

  it('spreads a container with Affinity distribute, and puts one with pack on one host', async () => {
    const file = {
      Containers: [
        { ...db, Count: 1 },
        { ...web, Affinity: 'distribute', Count: 3 },
        { ...db, Name: 'work', Affinity: 'pack', Count: 3 },
      ],
    }
    const made = await plan(file, abc)
    expect(placed(made)).toEqual(['db-1@a', 'web-1@b', 'web-2@c', 'web-3@a', 'work-1@b', 'work-2@b', 'work-3@b'])
  })

  it('may have random ids, which are ids and begin with the prefix', async () => {
    const made = await plan({ IdPrefix: 'shop-', RandomizeIds: true, Containers: [{ ...web, Count: 20 }] }, ab)
    expect(new Set(made.instances.map(({ id }) => id)).size).toBe(20)
    for (const { id } of made.instances) expect(id).toMatch(/^shop-[A-Za-z0-9_.-]{19}$/)
  })

  it('may have random ids behind the longest prefix that leaves enough of them', async () => {
    const made = await plan({ IdPrefix: 'a'.repeat(16), RandomizeIds: true, Containers: [{ ...web, Count: 1 }] }, ab)
    expect(made.instances[0]?.id).toMatch(/^a{16}.{8}$/)
  })
})

describe('links', () => {
  it('may name ports of the target, which become aliases in the file that is written', async () => {
    const two = { ...db, PublicPorts: [{ Internal: 1000 }, { Internal: 2000 }, { Internal: 3000 }], Count: 1 }
    const made = await plan(
      {
        Containers: [
          { ...web, Links: [{ To: 'db', Ports: [2000, 1000, 2000], AliasPorts: [{ Internal: 3000, External: 80 }] }], Count: 1 },
          two,
        ],
      },
      ab,
    )
    expect(linksOf(made, 'web')).toEqual(['127.0.0.1:80→db-1', '127.0.0.1:2000→db-1', '127.0.0.1:1000→db-1'])
    expect(made.containers[0]?.links[0]?.aliasPorts).toEqual([
      { internal: 3000, external: 80 },
      { internal: 2000, external: 0 },
      { internal: 1000, external: 0 },
    ])
  })

  it.each([
    ['local, with any port', {}, ['127.0.0.1:27017', '127.0.0.1:27018']],
    ['local, with the port of the target', { MatchPort: true }, ['127.0.0.1:27017', '127.0.0.2:27017']],
    ['not local, with any port', { NonLocal: true }, ['192.168.1.1:27017', '192.168.1.1:27018']],
    ['not local, with the port of the target', { NonLocal: true, MatchPort: true }, ['192.168.1.1:27017', '192.168.1.2:27017']],
    ['local, with a port of its own', { AliasPorts: [{ Internal: 27017, External: 9 }] }, ['127.0.0.1:9', '127.0.0.2:9']],
    [
      'not local, with a port of its own',
      { NonLocal: true, AliasPorts: [{ Internal: 27017, External: 9 }] },
      ['192.168.1.1:9', '192.168.1.2:9'],
    ],
  ])('are %s', async (_, link, addresses) => {
    const made = await plan(
      {
        Containers: [
          { ...web, Links: [{ To: 'db', ...link }], Count: 1 },
          { ...db, Count: 2 },
        ],
      },
      ab,
    )
    expect(made.links.get('web')?.map(({ fromHost, fromPort }) => `${fromHost}:${fromPort}`)).toEqual(addresses)
  })

  it('go on in the next block of addresses after 254', async () => {
    const made = await plan(
      {
        Containers: [
          { ...web, Links: [{ To: 'many', MatchPort: true }], Count: 0 },
          { ...db, Name: 'many', Count: 255 },
        ],
      },
      ab,
    )
    expect(made.instances.slice(-2).map(({ ports }) => ports[0]?.target?.host)).toEqual(['127.0.0.254', '127.0.1.1'])
  })

  it('never give a port away that does not exist, and go on at 40000', async () => {
    const high = { ...db, PublicPorts: [{ Internal: 65_534 }], Count: 4 }
    const made = await plan({ Containers: [{ ...web, Links: [{ To: 'db' }], Count: 1 }, high] }, ab)
    expect(made.links.get('web')?.map(({ fromPort }) => fromPort)).toEqual([65_534, 65_535, 40_000, 40_001])
  })

  it('to one port by two ways are one link', async () => {
    const made = await plan(
      {
        Containers: [
          { ...web, Links: [{ To: 'db' }, { To: 'db', Ports: [27017] }], Count: 1 },
          { ...db, Count: 1 },
        ],
      },
      ab,
    )
    expect(linksOf(made, 'web')).toEqual(['127.0.0.1:27017→db-1'])
  })
})

describe('a deploy of a file that a deploy wrote', () => {
  const mesh = (count: number) => ({ Containers: [{ ...web, Links: [{ To: 'web' }], Count: count }] })
  const redeploy = async (
    text: string,
    change: (file: Record<string, unknown> & { Containers: Record<string, unknown>[]; Instances: Record<string, unknown>[] }) => void,
    on = ab,
  ) => {
    const file = JSON.parse(text)
    change(file)
    return plan(file, on)
  }

  it('to the same hosts changes nothing (defect 35)', async () => {
    const first = await plan(mesh(2), ab)
    const again = await plan(written(first), ab)
    expect(fates(again)).toEqual(['keep web-1', 'keep web-2'])
    expect(linksOf(again, 'web')).toEqual(linksOf(first, 'web'))
    expect(placed(again)).toEqual(placed(first))
  })

  it('adds instances, and links the old ones to them', async () => {
    const made = await redeploy(written(await plan(mesh(2), ab)), file => Object.assign(file.Containers[0] ?? {}, { Count: 3 }))
    expect(fates(made)).toEqual(['relink web-1', 'relink web-2', 'install web-3'])
    expect(made.instances[0]?.reason).toBe('web-3 is new')
  })

  it('fills gaps between numbers (defect 36)', async () => {
    const made = await redeploy(written(await plan(mesh(3), ab)), file => file.Instances.splice(1, 1))
    expect(made.instances.map(({ id }) => id)).toEqual(['web-1', 'web-3', 'web-2'])
  })

  it('removes the last ones when there are to be fewer', async () => {
    const made = await redeploy(written(await plan(mesh(5), ab)), file => Object.assign(file.Containers[0] ?? {}, { Count: 2 }))
    expect(fates(made)).toEqual(['relink web-1', 'relink web-2'])
    expect(made.removed.map(({ id, reason }) => [id, reason])).toEqual([
      ['web-3', 'Count of web is 2'],
      ['web-4', 'Count of web is 2'],
      ['web-5', 'Count of web is 2'],
    ])
  })

  it('moves what was on a host that is not given any more, with its id and its address', async () => {
    const replicas = { Containers: [{ ...db, Links: [{ To: 'db', NonLocal: true, MatchPort: true }], Count: 3 }] }
    const first = await plan(replicas, abc)
    const made = await plan(written(first), hosts('a', 'd', 'c'))
    expect(made.instances.map(({ id, fate }) => `${fate} ${id}`)).toEqual(['relink db-1', 'relink db-3', 'move db-2'])
    expect(placed(made)).toEqual(['db-1@a', 'db-3@c', 'db-2@a'])
    expect(made.removed).toMatchObject([{ id: 'db-2', host: { name: 'b' }, movedTo: { name: 'a' } }])
    expect(made.instances.find(({ id }) => id === 'db-2')?.ports[0]?.target).toEqual({ host: '192.168.1.2', port: 27017 })
  })

  it('to no hosts removes everything', async () => {
    const made = await plan(written(await plan(mesh(2), ab)), [])
    expect([placed(made), gone(made)]).toEqual([[], ['web-1@a', 'web-2@b']])
  })

  it('removes instances of containers that are not there any more, but only those that have a host', async () => {
    const file = {
      Containers: [{ ...web, Count: 1 }],
      Instances: [
        { Id: 'old-1', Image: 'acme/old', From: 'old', On: 'a' },
        { Id: 'old-2', Image: 'acme/old', From: 'old' },
      ],
    }
    const made = await plan(file, ab)
    expect(made.removed.map(({ id, reason }) => [id, reason])).toEqual([['old-1', 'there is no container old any more']])
  })

  it('updates instances whose image, environment or ports have changed, and says what', async () => {
    const made = await redeploy(written(await plan(mesh(1), ab)), file =>
      Object.assign(file.Containers[0] ?? {}, {
        Image: 'acme/web:2',
        Environment: [{ Name: 'A', Value: 'B' }],
        PublicPorts: [{ Internal: 8080, External: 80 }, { Internal: 9090 }],
      }),
    )
    expect(made.instances[0]).toMatchObject({
      fate: 'update',
      reason: 'changed: image acme/web → acme/web:2, environment, port 8080 → 80, port 9090 added',
    })
  })

  it('drops ports that are declared no more', async () => {
    const made = await redeploy(
      written(await plan({ Containers: [{ ...web, PublicPorts: [{ Internal: 8080 }, { Internal: 22 }], Count: 1 }] }, ab)),
      file => Object.assign(file.Containers[0] ?? {}, { PublicPorts: [{ Internal: 8080 }] }),
    )
    expect(made.instances[0]).toMatchObject({
      fate: 'update',
      reason: 'changed: port 22 dropped',
      ports: [{ internal: 8080, external: 4000 }],
    })
  })

  it('gives other addresses where links ask for another kind now', async () => {
    const made = await redeploy(written(await plan(mesh(2), ab)), file =>
      Object.assign(file.Containers[0] ?? {}, { Links: [{ To: 'web', NonLocal: true }] }),
    )
    expect(linksOf(made, 'web')).toEqual(['192.168.1.1:8080→web-1', '192.168.1.1:8081→web-2'])
    expect(fates(made)).toEqual(['relink web-1', 'relink web-2'])
  })

  it('removes first what holds a port of the host that a new instance needs', async () => {
    const fixed = { ...web, PublicPorts: [{ Internal: 8080, External: 80 }], Count: 1 }
    const made = await redeploy(
      written(await plan({ Containers: [fixed] }, hosts('a'))),
      file => Object.assign(file.Containers[0] ?? {}, { Name: 'shop' }),
      hosts('a'),
    )
    expect(made.removed).toMatchObject([{ id: 'web-1', isFirst: true }])
    expect(fates(made)).toEqual(['install shop-1'])
  })

  it('installs again what its host has lost, on any port, and starts what has failed', async () => {
    const made = await plan(written(await plan(mesh(3), ab)), ab)
    const observed: Observed = new Map([
      ['a:43273', new Map([['web-1', { state: 'failed' as const }]])],
      ['b:43273', new Map()],
    ])
    const looked = withObserved(made, observed)
    expect(fates(looked)).toEqual(['start web-1', 'install web-2', 'install web-3'])
    expect(looked.instances[1]?.ports[0]).toMatchObject({ external: 0, target: { host: '127.0.0.1', port: 8081 } })
  })

  it.each([
    ['applied', true],
    ['pending', false],
  ] as const)('links as they should be, %s: they count as sent (%s)', async (state, isLinked) => {
    const file = {
      Containers: [
        { ...web, PublicPorts: [], Links: [{ To: 'db' }], Count: 1 },
        { ...db, Count: 1 },
      ],
    }
    const made = await plan(written(await plan(file, hosts('a'))), hosts('a'))
    const links = networkLinksOf(made, 'web', ({ host }) => ({ toHost: hostNameOf(host), toPort: 4000 }))
    const seen = new Map([
      ['web-1', { state: 'runs' as const, links: links.map(link => ({ ...link, state })) }],
      ['db-1', { state: 'runs' as const, links: [] }],
    ])
    const looked = withObserved(made, new Map([['a:43273', seen]]))
    expect(fates(looked)).toEqual(['keep web-1', 'keep db-1'])
    expect(looked.instances[0]?.isLinked).toBe(isLinked)
  })
})

describe('a file that cannot be deployed is refused with the place', () => {
  const linked = (link: object, target: object = db) => ({
    Containers: [
      { ...web, Links: [link], Count: 1 },
      { ...target, Count: 1 },
    ],
  })
  it.each([
    ['a link to nobody', linked({ To: 'cache' }), 'Containers[0].Links[0].To there is no container "cache"'],
    [
      'a target without ports',
      linked({ To: 'db' }, { ...db, PublicPorts: [] }),
      'Containers[0].Links[0].To db has no PublicPorts to link to',
    ],
    [
      'a port nobody declares',
      linked({ To: 'db', Ports: [1] }),
      'Containers[0].Links[0].Ports[0] db does not declare the port 1; its PublicPorts are 27017',
    ],
    [
      'an alias of no port',
      linked({ To: 'db', AliasPorts: [{ Internal: 1 }] }),
      'Containers[0].Links[0].AliasPorts[0].Internal db does not declare the port 1',
    ],
    [
      'MatchPort with another port',
      linked({ To: 'db', MatchPort: true, AliasPorts: [{ Internal: 27017, External: 1 }] }),
      'Containers[0].Links[0] cannot have MatchPort and an alias',
    ],
    [
      'links that contradict each other',
      {
        Containers: [
          {
            ...web,
            Links: [
              { To: 'db', AliasPorts: [{ Internal: 27017, External: 1 }] },
              { To: 'db', AliasPorts: [{ Internal: 27017, External: 2 }] },
            ],
            Count: 1,
          },
          { ...db, Count: 1 },
        ],
      },
      'Containers[0].Links[1] needs the port 2, but db-1 has the address 127.0.0.1:1 for another link',
    ],
    ['two containers of a name', { Containers: [web, web] }, 'Containers[1].Name is web, as that of Containers[0] is already'],
    [
      'ids that are none',
      { Containers: [{ ...web, Name: 'x', Count: 1 }] },
      'Containers[0].Name gives the id x-1, but an id must be 4 to 24',
    ],
    [
      'a prefix that leaves no room for chance',
      { IdPrefix: 'a'.repeat(17), RandomizeIds: true, Containers: [{ ...web, Count: 1 }] },
      'IdPrefix must have at most 16',
    ],
    ['a million instances', { Containers: [{ ...web, Count: 1_000_000 }] }, 'Containers[0].Count must be a whole number from 0 to 10000'],
    [
      'more instances of a fixed port than hosts',
      { Containers: [{ ...web, PublicPorts: [{ Internal: 8080, External: 80 }], Count: 3 }] },
      'Containers[0].PublicPorts[0].External can be had once on a host',
    ],
    [
      'a fixed port that two instances which are on one host already would have',
      {
        Containers: [{ ...web, PublicPorts: [{ Internal: 8080, External: 80 }], Count: 2 }],
        Instances: ['web-1', 'web-2'].map(Id => ({ Id, Image: 'acme/web', From: 'web', On: 'a' })),
      },
      'Containers[0].PublicPorts[0].External gives web-2 the port 80 of a, which web-1 has',
    ],
    [
      'the same address twice',
      {
        Containers: [{ ...web, Count: 2 }],
        Instances: ['web-1', 'web-2'].map(Id => ({
          Id,
          Image: 'acme/web',
          From: 'web',
          On: 'a',
          Ports: [{ Internal: 8080, Target: { Host: '127.0.0.1', Port: 1 } }],
        })),
      },
      'Instances web-1 and web-2 have the same Target 127.0.0.1:1',
    ],
    [
      'the same instance twice',
      { Containers: [{ ...web, Count: 2 }], Instances: ['a', 'a:43273'].map(On => ({ Id: 'web-1', Image: 'acme/web', From: 'web', On })) },
      'Instances[1].Id web-1 on a:43273 is there twice',
    ],
    [
      'more links than a container may have',
      { Containers: [{ ...web, Links: [{ To: 'web' }], Count: limits.linksMax + 1 }] },
      `Containers[0].Links[0] gives every web more than ${limits.linksMax} links`,
    ],
  ])('%s', async (_, file, message) => {
    await expect(plan(file, ab)).rejects.toMatchObject({ code: 'DEPLOYMENT_INVALID', message: expect.stringContaining(message) })
  })

  it('links to this machine from another one', async () => {
    await expect(plan({ Containers: [{ ...web, Links: [{ To: 'web' }], Count: 2 }] }, hosts('local', 'b'))).rejects.toThrow(
      /Containers\[0\]\.Links\[0\] leads from web-2 on b to web-1 on local/,
    )
  })

  it('more instances than one deployment may have', async () => {
    const half = { ...web, Count: limits.deploymentInstancesMax }
    await expect(plan({ Containers: [half, { ...half, Name: 'more', Count: 1 }] }, ab)).rejects.toThrow(/Containers\[1\]\.Count/)
  })
})

const deployments = fc
  .record({
    counts: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 }),
    links: fc.array(
      fc.record({ from: fc.nat(3), to: fc.nat(3), kind: fc.constantFrom({}, { MatchPort: true }, { NonLocal: true, MatchPort: true }) }),
      {
        maxLength: 5,
      },
    ),
    hostCount: fc.integer({ min: 1, max: 4 }),
    seed: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 4, maxLength: 4 }),
  })
  .map(({ counts, links, hostCount, seed }) => ({
    file: {
      Containers: counts.map((Count, index) => ({
        Name: `group${index}`,
        Image: 'acme/app',
        PublicPorts: [{ Internal: 8000 }, { Internal: 8001 }],
        Links: links.filter(({ from }) => from === index).map(({ to, kind }) => ({ To: `group${to % counts.length}`, ...kind })),
        Count,
      })),
    },
    on: ['a', 'b', 'c', 'd'].slice(0, hostCount).map(parseHost),
    next: seed,
  }))

function expectSound(made: DeploymentPlan): void {
  const targets = made.instances.flatMap(({ ports }) =>
    ports.flatMap(({ target }) => (target === undefined ? [] : [`${target.host}:${target.port}`])),
  )
  expect(new Set(targets).size).toBe(targets.length)
  for (const [group, links] of made.links) {
    expect(networkLinksOf(made, group, ({ host }) => ({ toHost: hostKey(host), toPort: 4000 }))).toHaveLength(links.length)
    for (const { fromHost, fromPort, to } of links) {
      const target = made.instances.find(({ id, host }) => id === to.id && host === to.host)
      expect(target?.ports.find(({ internal }) => internal === to.internal)?.target).toEqual({ host: fromHost, port: fromPort })
    }
  }
  expect(new Set(made.instances.map(({ id }) => id)).size).toBe(made.instances.length)
}

describe('whatever is deployed', () => {
  it('no two ports share an address, every link leads to what its address stands for, and a second deploy changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(deployments, async ({ file, on }) => {
        const made = await plan(file, on)
        expectSound(made)
        const text = written(made)
        const again = await plan(text, on)
        expect(again.instances.every(({ fate }) => fate === 'keep')).toBe(true)
        expect(again.removed).toEqual([])
        expect(printDeployment(again)).toBe(text)
      }),
      { numRuns: 150 },
    )
  })

  it('the same holds after any change of counts and hosts, and what stays has the address it had', async () => {
    await fc.assert(
      fc.asyncProperty(deployments, async ({ file, on, next }) => {
        const first = await plan(file, on)
        const text = JSON.parse(written(first)) as { Containers: { Count: number }[] }
        for (const [index, group] of text.Containers.entries()) group.Count = next[index] ?? 0
        const made = await plan(text, on.slice(0, 1 + ((next[0] ?? 0) % on.length)))
        expectSound(made)
        expect(made.containers.map(({ count }) => count).reduce((sum, count) => sum + count, 0)).toBe(made.instances.length)
        for (const instance of made.instances) {
          const before = first.instances.find(({ id }) => id === instance.id)
          for (const { internal, target } of before?.ports ?? []) {
            if (target !== undefined) expect(instance.ports.find(port => port.internal === internal)?.target).toEqual(target)
          }
        }
      }),
      { numRuns: 150 },
    )
  })

  it('5000 instances on 200 hosts take steps in proportion', async () => {
    const on = Array.from({ length: 200 }, (_, index) => parseHost(`host${index}`))
    const tier = (Name: string, Count: number) => ({
      ...web,
      Name,
      Links: [{ To: 'db', NonLocal: true, MatchPort: true }, { To: 'cache' }],
      Count,
    })
    const file = {
      Containers: [
        tier('web', 3900),
        tier('work', 1000),
        { ...db, Affinity: 'distribute', Count: 60 },
        { ...db, Name: 'cache', Count: 40 },
      ],
    }
    let compared = 0
    const get = (host: LocatorHost, key: string) => {
      compared++
      return Reflect.get(host, key)
    }
    const counting = on.map(host => new Proxy(host, { get }))
    const made = await plan(file, counting)
    expect(made.instances).toHaveLength(5000)
    // Each look at a host reads a few fields; a search through all hosts for every instance would read millions.
    expect(compared).toBeLessThan(1_000_000)
    expectSoundCounts(made)
  })
})

function expectSoundCounts(made: DeploymentPlan): void {
  const perHost = Map.groupBy(made.instances, ({ host }) => hostKey(host))
  expect(Math.max(...[...perHost.values()].map(list => list.length))).toBeLessThanOrEqual(26)
  expect(made.links.get('web')).toHaveLength(100)
}
