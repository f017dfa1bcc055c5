import { describe, expect, it } from 'vitest'
import type { Handlers, WaitEvent } from '../../api/index.ts'
import { gear, type Setup } from '../fake-context.ts'

type Installed = Parameters<Handlers['installContainer']>[0]

async function install(words: string | readonly string[], setup: Setup = {}) {
  const calls: Installed[] = []
  const installContainer: Handlers['installContainer'] = async call => {
    calls.push(call)
    return { text: `installed ${call.params.id}\n`, sideData: call.body.ports.length === 0 ? {} : { PortMapping: '8080:4000,22:4022' } }
  }
  const hosts = { local: { installContainer }, 'node7:43273': { installContainer }, ...setup.hosts }
  const result = await gear(typeof words === 'string' ? `install ${words}` : ['install', ...words], { ...setup, hosts })
  return { ...result, calls, body: calls[0]?.body }
}

describe('the words of gear install', () => {
  it('send only defaults when nothing more is said', async () => {
    const { body, err } = await install('acme/shop web-1')
    expect(body).toEqual({
      image: 'acme/shop',
      simple: false,
      isolate: false,
      socketActivation: false,
      skipSocketProxy: false,
      ports: [],
      started: false,
      systemdSlice: 'container-small',
      restart: 'on-failure',
    })
    expect(err).toBe('')
  })

  it.each([
    '--start --ports=8080:0,22:4022 --isolate acme/shop web-1',
    'acme/shop web-1 --start --ports=8080:0,22:4022 --isolate',
    'acme/shop --ports 8080:0,22:4022 web-1 --isolate --start',
    '--start=true -p 8080:0,22:4022 --isolate acme/shop web-1',
    '-p=8080:0,22:4022 acme/shop --start web-1 --isolate',
    '-p8080:0,22:4022 --isolate --start acme/shop web-1',
    '-p 8080:0 acme/shop web-1 --ports=22:4022 --start --isolate',
    '--ports=8080:0 --isolate --ports 22:4022 --start -- acme/shop web-1',
  ])('may stand in any order: %s', async words => {
    const { body } = await install(words)
    const ports = [
      { internal: 8080, external: 0 },
      { internal: 22, external: 4022 },
    ]
    expect(body).toMatchObject({ image: 'acme/shop', started: true, isolate: true, ports })
  })

  it('name links and volumes', async () => {
    const { body } = await install(
      'acme/shop web-1 -n 6379:10.1.2.3:4100,127.0.0.2:80:db:5432 --volumes /data,/srv/config:/etc/shop:ro -v /mnt:/media',
    )
    expect(body?.networkLinks).toEqual([
      { fromHost: '127.0.0.1', fromPort: 6379, toHost: '10.1.2.3', toPort: 4100 },
      { fromHost: '127.0.0.2', fromPort: 80, toHost: 'db', toPort: 5432 },
    ])
    expect(body?.volumeConfig).toEqual({
      volumes: [{ path: '/data' }],
      volumeMounts: [
        { path: '/srv/config', hostPath: '/etc/shop', readOnly: true },
        { path: '/mnt', hostPath: '/media', readOnly: false },
      ],
    })
  })

  it('keep stored links apart from none', async () => {
    expect((await install('acme/shop web-1')).body).not.toHaveProperty('networkLinks')
    expect((await install('acme/shop web-1 --net-links=')).body?.networkLinks).toEqual([])
  })

  it('name limits, slice and restart policy', async () => {
    const { body } = await install(
      'acme/shop web-1 --memory 1g --cpus=1.5 --pids 100 --slice container-large --restart no --socket-activated',
    )
    expect(body).toMatchObject({
      memory: 2 ** 30,
      cpus: 1.5,
      pids: 100,
      systemdSlice: 'container-large',
      restart: 'no',
      socketActivation: true,
    })
  })

  it.each([
    ['--ports=8080', '--ports: a port pair must be internal:external, as in 8080:4000, not "8080"'],
    ['--ports=80:0 -p 80:1', '--ports: the port 80 inside the container is named twice'],
    ['--net-links 1:2', '--net-links: a link must be'],
    ['-v relative', '--volumes: the path of a volume must begin with "/"'],
    ['--memory lots', '--memory: a memory size must be'],
    ['--pids many', '--pids: must be a whole number'],
    ['--slice huge', '--slice: must be container, container-small or container-large, not "huge"'],
    ['--env-url ftp://x/', 'Source must be an http or https URL'],
    ['--env-id ../x', 'Environment.Id must be 4 to 24 characters'],
    ['Bad/Image:', 'image'],
  ])('are refused before anything is sent: %s', async (flag, message) => {
    const { calls, err, exitCode } = await install(flag.startsWith('-') ? `acme/shop web-1 ${flag}` : `${flag} web-1`)
    expect({ calls, exitCode }).toEqual({ calls: [], exitCode: 1 })
    expect(err).toContain(message)
  })
})

describe('the environment of gear install', () => {
  it('takes variables from anywhere, after those of the file, and draws an id', async () => {
    const files = { 'shop.env': '# comment\nMODE=dev\nLEVEL=3\nexport BAD=1\n' }
    const { body, err } = await install('MODE=prod acme/shop A=B web-1 --env-file shop.env', { files })
    expect(body?.environment?.variables).toEqual([
      { name: 'MODE', value: 'dev' },
      { name: 'LEVEL', value: '3' },
      { name: 'MODE', value: 'prod' },
      { name: 'A', value: 'B' },
    ])
    expect(body?.environment?.id).toMatch(/^[A-Za-z0-9][\w-]{21}$/)
    expect(err).toBe(
      `Warning: shop.env: line 4 is no variable: the name holds a space\nThe environment gets the id ${body?.environment?.id}\n`,
    )
  })

  it('keeps the id that was given, also without variables', async () => {
    const { body, err } = await install('acme/shop web-1 --env-id shop-env')
    expect(body?.environment).toEqual({ variables: [], source: '', id: 'shop-env' })
    expect(err).toBe('')
  })

  it('may come from a URL', async () => {
    const { body } = await install('acme/shop web-1 --env-url http://config/shop --env-id shop-env')
    expect(body?.environment).toEqual({ variables: [], source: 'http://config/shop', id: 'shop-env' })
  })

  it('is shared by all names', async () => {
    const { calls } = await install('acme/shop web-1 node7:43273/web-2 A=B')
    expect(new Set(calls.map(({ body }) => body.environment?.id)).size).toBe(1)
  })

  it('is read before anything is sent', async () => {
    const { calls, err } = await install('acme/shop web-1 --env-file missing')
    expect(calls).toEqual([])
    expect(err).toBe('gear install: --env-file: missing cannot be read (no such file) (see: gear install --help)\n')
  })
})

describe('what gear install prints', () => {
  it('begins with the ports that were reserved', async () => {
    expect(await install('acme/shop web-1 -p 8080:0')).toMatchObject({
      out: 'PortMapping: 8080 -> 4000, 22 -> 4022\ninstalled web-1\n',
      err: '',
      exitCode: 0,
    })
  })

  it('has the host before each line when there are several names', async () => {
    const { out } = await install('acme/shop node7:43273/web-2 web-1 -p 8080:0')
    expect(out).toBe(
      'node7:43273 PortMapping: 8080 -> 4000, 22 -> 4022\nnode7:43273 installed web-2\nlocal PortMapping: 8080 -> 4000, 22 -> 4022\nlocal installed web-1\n',
    )
  })

  it('is one document on request', async () => {
    const { out } = await install('acme/shop web-1 -p 8080:0 --output json --env-id shop-env')
    expect(JSON.parse(out)).toEqual([
      {
        host: 'local',
        id: 'web-1',
        ok: true,
        ports: [
          { internal: 8080, external: 4000 },
          { internal: 22, external: 4022 },
        ],
        environment: 'shop-env',
        lines: ['PortMapping: 8080 -> 4000, 22 -> 4022', 'installed web-1'],
      },
    ])
  })
})

describe('gear install --start --wait', () => {
  function withEvents(...events: readonly WaitEvent[]): NonNullable<Setup['hosts']> {
    const installContainer: Handlers['installContainer'] = async () => ({ text: 'is starting\n' })
    const waitContainer: Handlers['waitContainer'] = async () => list(events)
    return { local: { installContainer, waitContainer } }
  }

  async function* list(events: readonly WaitEvent[]) {
    yield* events
  }

  const progress = [
    { event: 'state', message: 'activating' },
    { event: 'log', message: 'Pulling\u001b[2J layer' },
  ] as const

  it('shows what happens in plain lines on stderr, and the result on stdout', async () => {
    const hosts = withEvents(...progress, { event: 'reached', message: 'active (running)' })
    expect(await install('acme/shop web-1 --start --wait', { hosts })).toMatchObject({
      out: 'is starting\nweb-1: active (running)\n',
      err: 'web-1: activating\nweb-1: Pulling\u001b[2J layer\n',
      exitCode: 0,
    })
  })

  it('writes over a line for each container on a terminal, on which foreign text moves nothing', async () => {
    const hosts = withEvents(...progress, { event: 'reached', message: 'active (running)' })
    const { err } = await install('acme/shop web-1 --start --wait', { hosts, isTerminal: true, columns: 18 })
    expect(err).toBe('| web-1: activati\r\u001b[J/ web-1: Pulling \r\u001b[J')
  })

  it('fails with the cause and what to do', async () => {
    const failed = {
      event: 'failed',
      message: 'The image acme/shop does not exist',
      code: 'START_FAILED',
      next: 'Check its name.',
    } as const
    expect(await install('acme/shop web-1 --start --wait', { hosts: withEvents(failed) })).toMatchObject({
      out: 'is starting\n',
      err: 'Error: The image acme/shop does not exist [START_FAILED]. Check its name.\n',
      exitCode: 1,
    })
  })

  it('fails when the agent stops reporting', async () => {
    expect(await install('acme/shop web-1 --start --wait', { hosts: withEvents(...progress) })).toMatchObject({
      err: expect.stringContaining('Error: The agent stopped reporting before web-1 had started [WAIT_TIMEOUT]'),
      exitCode: 1,
    })
  })

  it('gives the failure in the document, and nothing on stderr', async () => {
    const failed = { event: 'failed', message: 'It ended with exit code 3', code: 'START_FAILED', next: 'See its log.' } as const
    const { out, err, exitCode } = await install('acme/shop web-1 --start --wait -o json', { hosts: withEvents(...progress, failed) })
    expect({ err, exitCode }).toEqual({ err: '', exitCode: 1 })
    expect(JSON.parse(out)).toEqual([
      {
        host: 'local',
        id: 'web-1',
        ok: false,
        error: { code: 'START_FAILED', message: 'It ended with exit code 3', next: 'See its log.' },
        lines: ['is starting'],
      },
    ])
  })
})
