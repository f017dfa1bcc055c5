import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { GearError, type Handlers } from '../../api/index.ts'
import { type Client, localClient } from '../../client/index.ts'
import { Leases } from '../../domains/leases/index.ts'
import { printHost } from '../../formats/index.ts'
import { fakeHost } from '../../host/fakes.ts'
import { Interruption } from '../context.ts'
import { gear, type Setup } from '../fake-context.ts'

interface Container {
  image: string
  ports: { internal: number; external: number }[]
  environment: readonly { readonly name: string; readonly value: string }[]
  links: readonly string[]
  isIsolated: boolean
  state: 'active' | 'inactive' | 'failed'
}

/** What may happen at a call: `PUT web-1`, `POST links`, `start web-1`, `wait web-1`, … It may throw. */
type OnCall = (host: string, call: string) => void

/** A host in memory: just enough of an agent for a deploy. */
class FakeAgent {
  readonly calls: string[] = []
  readonly containers = new Map<string, Container>()
  readonly leases = new Leases(fakeHost())
  readonly #name: string
  readonly #onCall: OnCall
  readonly #journal: string[]
  #nextPort = 4000

  constructor(name: string, onCall: OnCall, journal: string[]) {
    this.#name = name
    this.#onCall = onCall
    this.#journal = journal
  }

  #called(call: string): void {
    this.#onCall(this.#name, call)
    this.calls.push(call)
    this.#journal.push(`${this.#name} ${call}`)
  }

  #the(id: string): Container {
    const container = this.containers.get(id)
    if (container === undefined) throw new GearError('CONTAINER_UNKNOWN', `There is no container ${id} on this host`)
    return container
  }

  readonly handlers: Partial<Handlers> = {
    takeLease: async ({ params, body }) => this.leases.take(params.name, body),
    releaseLease: async ({ params, query }) => this.leases.release(params.name, query.token),
    installContainer: async ({ params: { id }, body }) => {
      this.#called(`PUT ${id}`)
      const before = this.containers.get(id)
      const ports = body.ports.map(({ internal, external }) => ({
        internal,
        external: external || (before?.ports.find(port => port.internal === internal)?.external ?? this.#nextPort++),
      }))
      this.containers.set(id, {
        image: body.image,
        ports,
        environment: body.environment?.variables ?? [],
        links: linkTexts(body.networkLinks ?? []),
        isIsolated: body.isolate,
        state: before?.state ?? 'inactive',
      })
      return {
        text: 'installed\n',
        sideData: ports.length === 0 ? {} : { PortMapping: ports.map(port => `${port.internal}:${port.external}`).join(',') },
      }
    },
    putEnvironment: async ({ params: { id } }) => {
      this.#called(`PUT environment ${id}`)
      this.#the(id).environment = []
    },
    linkContainers: async ({ body }) => {
      this.#called(`POST links ${body.links.map(({ id }) => id).join(' ')}`)
      for (const { id, networkLinks } of body.links) this.#the(id).links = linkTexts(networkLinks)
    },
    startContainer: async ({ params: { id } }) => {
      this.#called(`start ${id}`)
      this.#the(id).state = 'active'
      return { text: 'starting\n' }
    },
    restartContainer: async ({ params: { id } }) => {
      this.#called(`restart ${id}`)
      this.#the(id).state = 'active'
      return { text: 'restarting\n' }
    },
    stopContainer: async ({ params: { id } }) => {
      this.#called(`stop ${id}`)
      this.#the(id).state = 'inactive'
      return { text: 'stopping\n' }
    },
    waitContainer: async ({ params: { id }, query }) => {
      this.#called(query.for === 'started' ? `wait ${id}` : `wait for the end of ${id}`)
      return (async function* () {
        yield { event: 'reached' as const, message: 'active (running)' }
      })()
    },
    deleteContainer: async ({ params: { id } }) => {
      this.#called(`delete ${id}`)
      this.containers.delete(id)
    },
    listContainers: async () => ({
      containers: [...this.containers].map(([id, { state }]) => ({ id, activeState: state, subState: 'running', loadState: 'loaded' })),
    }),
    containerPorts: async ({ params: { id } }) => ({ ports: this.#the(id).ports }),
    listLinks: async ({ params: { id } }) => ({
      id,
      installed: true,
      links: this.#the(id).links.map(text => {
        const [, fromHost = '', fromPort, toHost = '', toPort] = /^(.*):(\d+)→(.*):(\d+)$/.exec(text) ?? []
        return { fromHost, fromPort: Number(fromPort), toHost, toPort: Number(toPort), state: 'applied' as const }
      }),
    }),
  }
}

function linkTexts(
  links: readonly { readonly fromHost: string; readonly fromPort: number; readonly toHost: string; readonly toPort: number }[],
) {
  return links.map(link => `${link.fromHost}:${link.fromPort}→${link.toHost}:${link.toPort}`)
}

function world(names: readonly string[], onCall: OnCall = () => undefined) {
  const journal: string[] = []
  const agents = new Map(names.map(name => [name, new FakeAgent(name, onCall, journal)]))
  const written = new Map<string, string>()
  const files: Record<string, string> = {}
  const away = new Set<string>()
  /** Hosts that do what they are asked, and whose answers do not arrive. */
  const unheard = new Set<string>()
  const connect: NonNullable<Setup['connect']> = host => {
    const agent = agents.get(printHost(host))
    const client =
      agent === undefined
        ? undefined
        : localClient({ handlers: agent.handlers as Handlers, [Symbol.asyncDispose]: async () => undefined }, () => 'request' as never)
    const reach = () => {
      if (client !== undefined && !away.has(printHost(host))) return client
      const cause = Object.assign(new Error('nobody there'), { code: client === undefined ? 'ENOTFOUND' : 'EHOSTUNREACH' })
      throw new GearError('HOST_UNREACHABLE', `The agent at ${printHost(host)} cannot be reached`, { cause })
    }
    const call: Client['call'] = async (request, options) => {
      const answer = await reach().call(request, options)
      if (unheard.has(printHost(host))) throw unanswered()
      return answer
    }
    return { call, open: (request, options) => reach().open(request, options), close: async () => undefined }
  }
  const deploy = async (words: string, setup: Setup = {}) => {
    const result = await gear(`deploy ${words}`, { connect, written, files, ...setup })
    const [name = '', text = '{}'] = [...written].at(-1) ?? []
    files['last'] = text
    return { ...result, name, file: JSON.parse(text) as Written }
  }
  const change = (edit: (file: Written) => void) => {
    const file = JSON.parse(files['last'] ?? '{}') as Written
    edit(file)
    files['last'] = JSON.stringify(file)
  }
  const of = (name: string) => agents.get(name) as FakeAgent
  const clear = () => {
    journal.length = 0
    for (const agent of agents.values()) agent.calls.length = 0
  }
  return { of, journal, written, files, away, unheard, deploy, change, clear }
}

interface Written {
  Containers: { Name: string; Image: string; Count: number; [key: string]: unknown }[]
  Instances: { Id: string; Image: string; From: string; On: string; Ports?: { Internal: number; External?: number; Target: object }[] }[]
}

const simple = readFileSync(new URL('../../../deployment/fixtures/simple_deploy.json', import.meta.url), 'utf8')
const mongo = readFileSync(new URL('../../../deployment/fixtures/mongo_deploy.json', import.meta.url), 'utf8')
const stamp = /\.\d{8}-\d{6}$/

/** Of the simple deployment on this host. */
const firstSteps = (seconds: number) =>
  Object.entries({
    install: 'web has too few instances',
    link: 'it has links to web',
    start: 'it is new here',
    wait: `all that start here are to run within ${seconds} s`,
  }).flatMap(([step, reason]) => ['web-1', 'web-2'].map(id => ({ step, id, host: 'local', reason })))

describe('a first deploy', () => {
  it('calls its host as the original did: installs, links of all, starts', async () => {
    const { of, files, deploy } = world(['local'])
    files['fixtures/simple_deploy.json'] = simple
    const { out, err, exitCode, name, file } = await deploy('fixtures/simple_deploy.json')
    expect(of('local').calls).toEqual([
      'PUT web-1',
      'PUT web-2',
      'POST links web-1 web-2',
      'start web-1',
      'start web-2',
      'wait web-1',
      'wait web-2',
    ])
    expect(out).toBe(`==> Deploying fixtures/simple_deploy.json
web-1 on local: installed, 8080 -> 4000
web-2 on local: installed, 8080 -> 4001
==> Linking web: 127.0.0.1:8080 -> localhost:4000
==> Linking web: 127.0.0.1:8081 -> localhost:4001
web-1 on local: runs
web-2 on local: runs
==> Deployed as ${name}
`)
    expect([err, exitCode]).toEqual(['', 0])
    expect(name.replace(stamp, '')).toBe('simple_deploy.json')
    expect(name).toMatch(stamp)
    expect(file.Instances).toEqual([
      {
        Id: 'web-1',
        Image: 'gear/httpd',
        From: 'web',
        On: 'local',
        Ports: [{ Internal: 8080, External: 4000, Target: { Host: '127.0.0.1', Port: 8080 } }],
      },
      {
        Id: 'web-2',
        Image: 'gear/httpd',
        From: 'web',
        On: 'local',
        Ports: [{ Internal: 8080, External: 4001, Target: { Host: '127.0.0.1', Port: 8081 } }],
      },
    ])
  })

  it('gives every member of a replica set the same view', async () => {
    const { of, files, deploy } = world(['a', 'b', 'c'])
    files['mongo.json'] = mongo
    const { exitCode, out } = await deploy('mongo.json a b c')
    const view = ['192.168.1.1:27017→a:4000', '192.168.1.2:27017→b:4000', '192.168.1.3:27017→c:4000']
    for (const [index, name] of ['a', 'b', 'c'].entries()) {
      expect(of(name).containers.get(`db-${index + 1}`)).toMatchObject({ links: view, state: 'active' })
    }
    expect(exitCode).toBe(0)
    expect(out).toMatch(/HOST +INSTALLED +UPDATED +KEPT +DELETED +FAILED +UNFINISHED +NOT-BEGUN\na +1 +0 +0 +0 +0 +0 +0\n/)
  })

  it('does not overwrite the file of another deploy of the same second', async () => {
    const { files, written, deploy } = world(['local'])
    files['s.json'] = simple
    await deploy('s.json')
    await deploy('s.json')
    expect(written.size).toBe(2)
  })

  it('takes a file from a URL', async () => {
    const server = createServer((_, response) => void response.end(simple)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { deploy } = world(['local'])
    const { exitCode, name, out } = await deploy(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple_deploy.json?token=secret`,
    )
    server.close()
    expect(exitCode).toBe(0)
    expect(name.replace(stamp, '')).toBe('simple_deploy.json')
    expect(out).toContain('web-2 on local: runs')
  })

  it('is one document on request', async () => {
    const { files, deploy } = world(['local'])
    files['s.json'] = simple
    const { out, name } = await deploy('s.json -o json')
    expect(JSON.parse(out)).toEqual({
      file: name,
      hosts: [{ host: 'local', installed: 2, updated: 0, kept: 0, deleted: 0, failed: 0, unfinished: 0, notBegun: 0 }],
      instances: ['web-1', 'web-2'].map(id => ({
        ...{ id, host: 'local', change: 'install', reason: 'web has too few instances' },
        ...{ state: 'done', done: 'installed, started, runs' },
      })),
      steps: firstSteps(300).map(step => ({ ...step, ok: true })),
      containers: [
        {
          name: 'web',
          links: [
            { fromHost: '127.0.0.1', fromPort: 8080, toHost: 'localhost', toPort: 4000 },
            { fromHost: '127.0.0.1', fromPort: 8081, toHost: 'localhost', toPort: 4001 },
          ],
        },
      ],
    })
  })

  it('only tells what it would do, step by step, and asks nobody, with --dry-run', async () => {
    const { journal, files, written, deploy } = world(['a', 'b'])
    files['s.json'] = simple
    expect(await deploy('--dry-run s.json a b --timeout 60')).toEqual({
      out: `\
STEP    ID      HOST    REASON
install web-1   a       web has too few instances
install web-2   b       web has too few instances
link    web-1   a       it has links to web
link    web-2   b       it has links to web
start   web-1   a       it is new here
start   web-2   b       it is new here
wait    web-1   a       all that start here are to run within 60 s
wait    web-2   b       all that start here are to run within 60 s
`,
      err: '',
      exitCode: 0,
      name: '',
      file: {},
    })
    expect(JSON.parse((await deploy('--dry-run s.json -o json')).out)).toEqual({ steps: firstSteps(300), errors: [] })
    expect([journal, written.size]).toEqual([[], 0])
  })
})

describe('a deploy of the written file', () => {
  async function deployed(names: readonly string[], file: string, onCall?: OnCall) {
    const made = world(names, onCall)
    made.files['s.json'] = file
    await made.deploy(`s.json ${names.join(' ')}`)
    made.clear()
    return made
  }

  it('changes nothing', async () => {
    const { journal, deploy } = await deployed(['a', 'b'], simple)
    const { exitCode, name } = await deploy('last a b')
    expect(journal).toEqual([])
    expect(exitCode).toBe(0)
    expect(name).toMatch(/^last\./)
  })

  it('sends links again that are not in effect', async () => {
    const { journal, deploy, of } = await deployed(['a', 'b'], simple)
    const list = of('a').handlers.listLinks as Handlers['listLinks']
    const waiting: Handlers['listLinks'] = async call => {
      const listed = await list(call)
      return { ...listed, links: listed.links.map(link => ({ ...link, state: 'waiting' as const })) }
    }
    Object.assign(of('a').handlers, { listLinks: waiting })
    await deploy('last a b')
    expect(journal).toEqual(['a POST links web-1'])
  })

  it('with a link less says so before, and takes it away', async () => {
    const { journal, deploy, change, of } = await deployed(['a', 'b'], simple)
    const withoutLinks = () => change(file => Object.assign(file.Containers[0] ?? {}, { Links: [] }))
    withoutLinks()
    const { out } = await deploy('last a b --dry-run')
    expect(out).toMatch(/^relink +web-1 +a +its link 127\.0\.0\.1:8080 goes$/m)
    expect(journal).toEqual([])
    withoutLinks()
    expect((await deploy('last a b')).exitCode).toBe(0)
    expect(journal).toEqual(['a POST links web-1', 'b POST links web-2'])
    expect(of('a').containers.get('web-1')?.links).toEqual([])
  })

  it('keeps containers isolated that were, and says when one is to be so or not any more', async () => {
    const { files, deploy, change, of } = world(['a'])
    files['s.json'] = simple
    const { file } = await deploy('s.json a --isolate')
    expect(of('a').containers.get('web-1')?.isIsolated).toBe(true)
    expect(file).toMatchObject({ Containers: [{ Isolate: true }], Instances: [{ Isolate: true }, { Isolate: true }] })
    change(written => Object.assign(written.Containers[0] ?? {}, { Image: 'acme/other' }))
    await deploy('last a')
    expect(of('a').containers.get('web-1')).toMatchObject({ image: 'acme/other', isIsolated: true })
    const unisolated = () => change(written => Object.assign(written.Containers[0] ?? {}, { Isolate: false }))
    unisolated()
    expect((await deploy('last a --dry-run')).out).toMatch(/^update +web-1 +a +changed: not isolated any more$/m)
    unisolated()
    await deploy('last a')
    expect(of('a').containers.get('web-1')?.isIsolated).toBe(false)
    expect((await deploy('last a --isolate --dry-run')).out).toMatch(/^update +web-1 +a +changed: isolated$/m)
  })

  it('has new instances running before old ones see them, and those before any goes', async () => {
    const { journal, files, deploy, change, clear } = world(['a', 'b', 'c'])
    files['mongo.json'] = mongo
    await deploy('mongo.json a b')
    clear()
    change(file => Object.assign(file.Containers[0] ?? {}, { Count: 4 }))
    const { exitCode, file } = await deploy('last b c')
    expect(exitCode).toBe(0)
    expect(file.Instances.map(({ Id, On }) => `${Id}@${On}`)).toEqual(['db-2@b', 'db-1@b', 'db-3@c', 'db-4@b'])
    const at = (call: string) => journal.indexOf(call)
    expect(Math.max(at('b wait db-1'), at('c wait db-3'), at('b wait db-4'))).toBeLessThan(at('b POST links db-2'))
    expect(at('b POST links db-2')).toBeLessThan(Math.min(at('a delete db-1'), at('a delete db-3')))
    expect(at('b wait db-1')).toBeGreaterThan(at('b start db-1'))
  })

  it('moves what was on a host that is not given: the old one goes last', async () => {
    const { journal, of, deploy } = await deployed(['a', 'b'], simple)
    const { exitCode, file } = await deploy('last a')
    expect(journal).toEqual(['a PUT web-2', 'a POST links web-2', 'a start web-2', 'a wait web-2', 'a POST links web-1', 'b delete web-2'])
    expect(of('a').containers.get('web-1')?.links).toEqual(['127.0.0.1:8080→a:4000', '127.0.0.1:8081→a:4001'])
    expect(of('b').containers.size).toBe(0)
    expect(exitCode).toBe(0)
    expect(file.Instances.map(({ Id, On }) => `${Id}@${On}`)).toEqual(['web-1@a', 'web-2@a'])
  })

  it('leaves the old one serving, and others linked to it, when the new one does not come up', async () => {
    const broken = { isBroken: false }
    const onCall: OnCall = (host, call) => {
      if (broken.isBroken && host === 'a' && call === 'wait web-2') throw new GearError('START_FAILED', 'It ended with exit code 3')
    }
    const { journal, of, deploy, clear } = await deployed(['a', 'b'], simple, onCall)
    broken.isBroken = true
    const { exitCode, err, file } = await deploy('last a')
    expect(journal).not.toContain('b delete web-2')
    expect(of('a').containers.get('web-1')?.links).toEqual(['127.0.0.1:8080→a:4000', '127.0.0.1:8081→b:4000'])
    expect(exitCode).toBe(1)
    expect(err).toContain('Error: web-2 on a: It ended with exit code 3 [START_FAILED]')
    expect(err).toContain('web-2 on b stays and serves, because web-2 does not run [REMOVAL_HELD_BACK]')
    expect(file.Instances.map(({ Id, On, From }) => `${Id}@${On} ${From}`)).toEqual(['web-1@a web', 'web-2@a web', 'web-2@b '])

    broken.isBroken = false
    of('a').containers.set('web-2', { ...(of('a').containers.get('web-2') as Container), state: 'failed' })
    clear()
    expect((await deploy('last a')).exitCode).toBe(0)
    expect(journal).toEqual(['a POST links web-2', 'a start web-2', 'a wait web-2', 'a POST links web-1', 'b delete web-2'])
    expect(of('a').containers.get('web-1')?.links).toEqual(['127.0.0.1:8080→a:4000', '127.0.0.1:8081→a:4001'])
  })

  it('updates one after the other, and stops at the first that fails', async () => {
    const broken = { isBroken: true }
    const onCall: OnCall = (_, call) => {
      if (broken.isBroken && call === 'restart web-1') throw new GearError('SYSTEMD_FAILED', 'no')
    }
    const { journal, of, deploy, change, clear } = await deployed(['a', 'b'], simple, onCall)
    change(file => Object.assign(file.Containers[0] ?? {}, { Image: 'gear/other', Environment: [{ Name: 'A', Value: '1' }] }))
    const { err, exitCode, file } = await deploy('last a b')
    expect(journal).toEqual(['a PUT web-1', 'b POST links web-2'])
    expect(err).toContain('web-2 stays as it was, because the update of web-1 failed [UPDATE_HELD_BACK]')
    expect(exitCode).toBe(1)
    expect(file.Instances.map(({ Image }) => Image)).toEqual(['gear/httpd', 'gear/httpd'])
    expect(file.Containers[0]?.Image).toBe('gear/other')

    broken.isBroken = false
    clear()
    expect((await deploy('last a b')).exitCode).toBe(0)
    expect(journal.slice(0, 6)).toEqual([
      'a PUT web-1',
      'a restart web-1',
      'a wait web-1',
      'b PUT web-2',
      'b restart web-2',
      'b wait web-2',
    ])
    expect(of('b').containers.get('web-2')).toMatchObject({
      image: 'gear/other',
      environment: [{ name: 'A', value: '1' }],
      ports: [{ internal: 8080, external: 4000 }],
    })

    change(changed => delete changed.Containers[0]?.['Environment'])
    await deploy('last a b')
    expect(of('a').containers.get('web-1')?.environment).toEqual([])
  })

  it('calls off a start that is under way with the unit from before', async () => {
    const busy = { isBusy: false }
    const onCall: OnCall = (_, call) => {
      if (busy.isBusy && call === 'restart web-1') throw new GearError('CONTAINER_CHANGING', 'Container web-1 is being started already')
    }
    const { journal, deploy, change } = await deployed(['a'], simple, onCall)
    busy.isBusy = true
    change(file => Object.assign(file.Containers[0] ?? {}, { Image: 'gear/other', Count: 1 }))
    expect((await deploy('last a')).exitCode).toBe(0)
    expect(journal).toEqual([
      'a PUT web-1',
      'a stop web-1',
      'a wait for the end of web-1',
      'a start web-1',
      'a wait web-1',
      'a delete web-2',
    ])
  })

  it('goes on where one ended that was killed before it could write down ports', async () => {
    const { of, deploy, change } = await deployed(['a'], simple)
    change(file => {
      for (const { Ports } of file.Instances) for (const port of Ports ?? []) delete port.External
    })
    of('a').containers.delete('web-2')
    const { file, exitCode } = await deploy('last a')
    expect(exitCode).toBe(0)
    expect(file.Instances.map(({ Ports }) => Ports?.[0]?.External)).toEqual([4000, 4002])
  })

  it('tells with --dry-run what it would do, after a look', async () => {
    const { of, deploy, change, away } = await deployed(['a', 'b'], simple)
    of('a').containers.delete('web-1')
    change(file => Object.assign(file.Containers[0] ?? {}, { Count: 3 }))
    const { out, exitCode } = await deploy('--dry-run last a b')
    expect(out.split('\n').slice(1)).toEqual([
      'install web-1   a       a does not have it',
      'install web-3   a       web has too few instances',
      'link    web-1   a       it has links to web',
      'link    web-3   a       it has links to web',
      'start   web-1   a       it is new here',
      'start   web-3   a       it is new here',
      'wait    web-1   a       all that start here are to run within 300 s',
      'wait    web-3   a       all that start here are to run within 300 s',
      'relink  web-2   b       web-3 is new',
      '',
    ])
    expect(exitCode).toBe(0)
    away.add('b')
    expect(await deploy('--dry-run last a b')).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('The agent at b cannot be reached'),
    })
  })
})

describe('what goes wrong', () => {
  it('on one host of three keeps the other two from nothing, and the next deploy goes on', async () => {
    const { of, away, files, deploy, journal, clear } = world(['a', 'b', 'c'])
    files['mongo.json'] = mongo
    away.add('b')
    const { exitCode, out, err, file } = await deploy('mongo.json a b c')
    expect(exitCode).toBe(1)
    expect(out).toMatch(/a +1 +0 +0 +0 +0 +0 +0\nb +0 +0 +0 +0 +1 +0 +0\nc +1 +0 +0 +0 +0 +0 +0\n/)
    expect(out).toMatch(/db-1 +a +install +done +installed, started, runs\ndb-2 +b +install +not begun +not installed\n/)
    expect(out).toMatch(/\n==> What was done is in mongo/)
    expect(err).toMatch(
      /^Error: b \(db-2\): The agent at b cannot be reached: nobody there \[HOST_UNREACHABLE\].*\nNot everything was done\. To look: gear list-units --all a b c\nWhen the cause is gone: gear deploy mongo\.json\.\S+ a b c\n$/,
    )
    expect(of('a').containers.get('db-1')).toMatchObject({
      state: 'active',
      links: ['192.168.1.1:27017→a:4000', '192.168.1.2:27017→b:0', '192.168.1.3:27017→c:4000'],
    })
    expect(file.Instances).toHaveLength(3)

    away.clear()
    clear()
    expect((await deploy('last a b c')).exitCode).toBe(0)
    expect(journal.slice(0, 4)).toEqual(['b PUT db-2', 'b POST links db-2', 'b start db-2', 'b wait db-2'])
    expect(of('a').containers.get('db-1')?.links).toContain('192.168.1.2:27017→b:4000')
  })

  it('a host that does not exist, or all hosts away, changes nothing anywhere', async () => {
    const { away, files, written, journal, deploy } = world(['a', 'b'])
    files['s.json'] = simple
    expect(await deploy('s.json a nowhere')).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('The agent at nowhere cannot be reached'),
    })
    away.add('a').add('b')
    expect(await deploy('s.json a b')).toMatchObject({ exitCode: 1, err: expect.stringContaining('HOST_UNREACHABLE') })
    expect([journal, written.size]).toEqual([[], 0])
  })

  it('two names of one machine are refused: what moved from one to the other would be deleted where it was installed', async () => {
    const { of, files, deploy, journal, clear } = world(['a', 'alias'])
    Object.assign(of('alias').handlers, of('a').handlers)
    files['s.json'] = simple
    expect(await deploy('s.json a alias')).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('alias is the same machine as another of the hosts'),
    })
    expect((await deploy('s.json a')).exitCode).toBe(0)
    clear()
    expect(await deploy('last alias')).toMatchObject({ exitCode: 1, err: expect.stringContaining('[DEPLOYMENT_INVALID]') })
    expect(journal).toEqual([])
    expect((await deploy('last a')).exitCode).toBe(0)
  })

  it('an interruption before anything was changed says so', async () => {
    const { files, deploy, journal } = world(['a'])
    files['s.json'] = simple
    const signal = AbortSignal.abort(new Interruption('SIGTERM'))
    for (const place of ['s.json', 'http://127.0.0.1:9/s.json'])
      expect(await deploy(`${place} a`, { signal }), place).toMatchObject({ err: 'Interrupted. Nothing was changed.\n', exitCode: 143 })
    expect(journal).toEqual([])
  })

  it('a mistake in the file is told with its place, and asks nobody', async () => {
    const { files, journal, deploy } = world(['a'])
    files['bad.json'] = '{"Containers": [{"Name": "web", "Image": "acme/web", "Count": 1, "Links": [{"To": "db"}]}]}'
    expect(await deploy('bad.json a')).toMatchObject({
      exitCode: 1,
      err: 'Error: bad.json: Containers[0].Links[0].To there is no container "db" [DEPLOYMENT_INVALID]. Correct the place that is named, and deploy again.\n',
    })
    expect((await deploy('none.json a')).err).toContain(
      'Error: The deployment none.json cannot be read: no such file [DEPLOYMENT_UNREADABLE]',
    )
    expect((await deploy('ftp://x/y a')).err).toContain('a deployment may come from a file, http:// or https://, not from ftp://')
    expect(journal).toEqual([])
  })

  it('a key that is misspelt is told of', async () => {
    const { files, deploy } = world(['local'])
    files['typo.json'] =
      '{"comment": 1, "containers": [{"Name": "web", "Image": "acme/web", "PublicPort": [], "count": 1, "Links": [{"to": "web", "Port": [1]}], "PublicPorts": [{"Internal": 1}]}]}'
    expect(await deploy('typo.json')).toMatchObject({
      exitCode: 0,
      err: `\
Warning: typo.json: comment is no key of a deployment, and is passed over
Warning: typo.json: Containers[0].PublicPort is no key of a deployment, and is passed over; did you mean PublicPorts?
Warning: typo.json: Containers[0].Links[0].Port is no key of a deployment, and is passed over; did you mean Ports?
`,
    })
  })

  it('a folder that cannot be written to is noticed before anything is changed', async () => {
    const { files, journal, deploy } = world(['local'])
    files['s.json'] = simple
    const readOnly = new Map<string, string>()
    readOnly.set = () => {
      throw new Error('read-only file system')
    }
    expect(await deploy('s.json', { written: readOnly })).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining(
        'The deployment that was made cannot be written to the current folder: read-only file system [STORAGE_FAILED]',
      ),
    })
    expect(journal).toEqual([])
    expect((await deploy('s.json')).exitCode).toBe(0)
  })

  it('an agent that is restarted meanwhile is waited for', async () => {
    const refusals = { left: 1 }
    const onCall: OnCall = (host, call) => {
      if (host !== 'a' || call !== 'start web-1' || refusals.left-- <= 0) return
      throw new GearError('HOST_UNREACHABLE', 'The agent at a cannot be reached', {
        cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
      })
    }
    const { files, deploy, of } = world(['a'], onCall)
    files['s.json'] = simple
    expect(await deploy('s.json a')).toMatchObject({ exitCode: 0, err: '' })
    expect(of('a').calls).toContain('start web-1')
  })

  it('a wait that breaks off with its agent is begun again', async () => {
    const { files, deploy, of } = world(['a'])
    files['s.json'] = simple
    const wait = of('a').handlers.waitContainer as Handlers['waitContainer']
    const broken = [
      async function* () {
        yield { event: 'state' as const, message: 'activating' }
      },
      async function* () {
        yield { event: 'state' as const, message: 'activating' }
        throw new GearError('HOST_UNREACHABLE', 'The agent of a stopped answering')
      },
    ]
    Object.assign(of('a').handlers, { waitContainer: async (call: Parameters<typeof wait>[0]) => broken.pop()?.() ?? wait(call) })
    expect(await deploy('s.json a')).toMatchObject({ exitCode: 0, err: '' })
    expect(of('a').calls.filter(call => call.startsWith('wait'))).toEqual(['wait web-1', 'wait web-2'])
  })

  it('two deploys at once: one wins, the other is told by whom', async () => {
    const gate = Promise.withResolvers<void>()
    const { files, of, deploy, written } = world(['a', 'b'])
    files['s.json'] = simple
    const install = of('a').handlers.installContainer as Handlers['installContainer']
    const slow: Handlers['installContainer'] = async call => {
      await gate.promise
      return install(call)
    }
    Object.assign(of('a').handlers, { installContainer: slow })
    const first = deploy('s.json a b')
    while (written.size === 0) await new Promise(resolve => setImmediate(resolve))
    const second = await deploy('s.json b a')
    gate.resolve()
    expect(second).toMatchObject({
      exitCode: 1,
      err: expect.stringMatching(
        /^Error: s\.json is being deployed by ann@ops1 since 00:00:00 UTC \(0 s\); its lease ends at 00:00:20 UTC \(in 20 s\).*\[LEASE_HELD\]/,
      ),
    })
    expect((await first).exitCode).toBe(0)
    expect((await deploy('last a b')).exitCode).toBe(0)
  })

  it('waits for another deploy of the same, if that is wished', async () => {
    const { files, of, deploy } = world(['a'])
    files['s.json'] = simple
    const take = of('a').handlers.takeLease as Handlers['takeLease']
    let asked = 0
    const held: Handlers['takeLease'] = call => {
      if (++asked > 2) return take(call)
      return Promise.reject(new GearError('LEASE_HELD', `s.json is being deployed by ben (${asked})`))
    }
    Object.assign(of('a').handlers, { takeLease: held })
    expect((await deploy('s.json a')).err).toContain('by ben (1) [LEASE_HELD]')
    const { exitCode, out, err } = await deploy('s.json a --wait 60')
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    expect(out.match(/^==> Waiting: .*$/gm)).toEqual(['==> Waiting: s.json is being deployed by ben (2)'])
  })

  it('an interruption ends it between two calls, and the written file goes on from there', async () => {
    const interruption = new AbortController()
    const onCall: OnCall = (_, call) => {
      if (call === 'PUT web-2') interruption.abort(new Interruption('SIGINT'))
    }
    const { files, of, deploy, journal, clear } = world(['a'], onCall)
    files['s.json'] = simple
    const { exitCode, err, out, file } = await deploy('s.json a', { signal: interruption.signal })
    expect(exitCode).toBe(130)
    expect(of('a').calls).toEqual(['PUT web-1', 'PUT web-2'])
    expect(err).toMatch(
      /^==> Interrupted: waiting .*\nInterrupted\. What hosts were asked for goes on there\.\nLeft installed, not started: a\/web-1 a\/web-2\nTo look: gear list-units --all a\nTo go on: gear deploy s\.json\.\d{8}-\d{6} a\n$/,
    )
    expect(out).toContain('==> What was done is in s.json.')
    expect(out).toMatch(/^web-1 +a +install +unfinished +installed, not started$/m)
    expect(file.Instances.map(({ Ports }) => Ports?.[0]?.External)).toEqual([4000, 4001])
    clear()
    expect((await deploy('last a')).exitCode).toBe(0)
    expect(journal).toEqual(['a POST links web-1 web-2', 'a start web-1', 'a start web-2', 'a wait web-1', 'a wait web-2'])
  })
})

/** Two of web that change, of which one moves from b to a; an eye that sees web; a db that is new; and an old one that is to go. */
async function readyToChange(onCall: OnCall) {
  const made = world(['a', 'b'], onCall)
  const web = { Name: 'web', Image: 'acme/web', Count: 2, PublicPorts: [{ Internal: 8080 }], Links: [{ To: 'web' }] }
  const seen = { Name: 'eye', Image: 'acme/eye', Count: 1, Links: [{ To: 'web' }], Affinity: 'pack' }
  const gone = { Name: 'old', Image: 'acme/old', Count: 1 }
  made.files['first.json'] = JSON.stringify({ Containers: [web, seen, gone] })
  await made.deploy('first.json a b')
  made.change(file => {
    Object.assign(file.Containers[0] ?? {}, { Image: 'acme/web:2' })
    file.Containers.splice(2, 1, { Name: 'db', Image: 'acme/db', Count: 1 })
  })
  made.clear()
  return made
}

type Ready = Awaited<ReturnType<typeof readyToChange>>

/** As a connection that is closed before the answer. */
const unanswered = () =>
  new GearError('HOST_UNREACHABLE', 'The agent stopped answering', { cause: Object.assign(new Error('closed'), { stage: 'answer' }) })

interface Told {
  readonly instances: readonly { id: string; host: string; change: string; state: string; done: string }[]
  readonly steps: readonly { step: string; ok: boolean; state?: string; error?: object }[]
  readonly stopped?: object
  readonly next?: object
}

/** What may be there when a report has these words for an instance. */
const meanings: Readonly<Record<string, (found: Container | undefined) => boolean>> = {
  'not installed': found => found === undefined,
  'its installation was asked for': () => true,
  'installed, its links were asked for, not started': found => found?.state === 'inactive',
  'installed, not started': found => found?.state === 'inactive',
  'installed, its start was asked for': found => found !== undefined,
  'installed, started, not seen to run': found => found?.state === 'active',
  'installed, started, runs': found => found?.state === 'active',
  'as it was': found => found?.image === 'acme/web' || found?.image === 'acme/eye',
  'its installation was asked for, not restarted': found => found !== undefined,
  'installed again, not restarted': found => found?.image === 'acme/web:2',
  'installed again, its restart was asked for': found => found?.image === 'acme/web:2',
  'installed again, restarted, not seen to run': found => found?.image === 'acme/web:2',
  'installed again, restarted, runs': found => found?.image === 'acme/web:2',
  'has its new links': found => found?.links.every(link => link.includes('→a:')) ?? false,
  'without its new links': found => found?.links.some(link => link.includes('→b:')) ?? false,
  'its new links were asked for': found => found !== undefined,
  deleted: found => found === undefined,
  'still there': found => found !== undefined,
  'its deletion was asked for': () => true,
}

/** Deploys the change, with something that happens at one call, and compares what is told of each instance with what there is. */
async function toldAfter(at: string, happening: (made: Ready, host: string) => void, setup: Setup = {}): Promise<Told> {
  let ready: Ready | undefined
  const made = await readyToChange((host, call) => {
    if (ready !== undefined && `${host} ${call}` === at) happening(ready, host)
  })
  ready = made
  const told = JSON.parse((await made.deploy('last a -o json', setup)).out) as Told
  for (const { id, host, done } of told.instances) {
    const found = made.of(host).containers.get(id)
    expect(meanings[done]?.(found), `${at}: ${id} on ${host} is said to be: ${done}; it is ${JSON.stringify(found)}`).toBe(true)
  }
  return told
}

describe('what is told of each instance', () => {
  /** Every call of the deploy, in turn. */
  async function allCalls(): Promise<readonly string[]> {
    const { journal, deploy } = await readyToChange(() => undefined)
    expect((await deploy('last a')).exitCode).toBe(0)
    expect(journal.length).toBeGreaterThan(12)
    return [...journal]
  }

  it('is so, wherever the user breaks off', async () => {
    for (const at of await allCalls()) {
      const stop = new AbortController()
      const { steps, stopped, next } = await toldAfter(at, () => stop.abort(new Interruption('SIGINT')), { signal: stop.signal })
      expect(stopped).toEqual({ message: 'stopped by SIGINT' })
      if (steps.some(({ ok }) => !ok)) {
        expect(next).toEqual({ look: 'gear list-units --all a b', goOn: expect.stringMatching(/^gear deploy last\.\d{8}-\d{6} a$/) })
      }
      expect(
        steps.filter(({ error }) => error !== undefined),
        at,
      ).toEqual([])
    }
  })

  it('is so, wherever a host breaks off before it has done what was asked', async () => {
    for (const at of await allCalls()) {
      const { steps } = await toldAfter(at, ({ away }, host) => {
        away.add(host)
        throw unanswered()
      })
      expect(steps.map(({ ok }) => ok)).toContain(false)
    }
  })

  it('is so, wherever a host breaks off when it has done what was asked', async () => {
    for (const at of await allCalls()) {
      const { steps } = await toldAfter(at, ({ unheard }, host) => unheard.add(host))
      // A wait is asked again, and heard nothing of.
      expect(steps.map(({ ok }) => ok)).toContain(false)
    }
  })
})
