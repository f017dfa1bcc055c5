import { describe, expect, it } from 'vitest'
import { GearError, type Handlers } from '../api/index.ts'
import { gear, type Setup } from './fake-context.ts'

const container = (id: string) => ({ id, activeState: 'active', subState: 'running', loadState: 'loaded' })
const listContainers =
  (...ids: readonly string[]): Handlers['listContainers'] =>
  async ({ query }) => ({ containers: query.all ? ids.map(container) : [] })

const build = (requestId: string) => ({
  id: '',
  requestId,
  activeState: 'active',
  subState: 'running',
  source: '/src',
  baseImage: 'acme/node',
  tag: 'acme/shop',
  result: 'running',
  startedAt: '2026-01-01T00:00:00Z',
})

const setup: Setup = {
  hosts: {
    local: {
      listContainers: listContainers('web-1', 'web-2', 'db-1'),
      listImages: async () => ({ text: 'acme/shop:latest\nacme/db:7\n' }),
      listEnvironments: async () => ({ environments: [{ id: 'shop-env' }] }),
      listBuilds: async () => ({ builds: [build('build-1')] }),
      listKeys: async () => ({
        keys: [{ fingerprint: 'key-1', sha256: 'SHA256:x', algorithm: 'ssh-ed25519', containers: [], repositories: [] }],
      }),
      listRepositories: async () => ({ repositories: [{ id: 'shop-src', branch: 'main', account: 'git-shop-src' }] }),
    },
    node7: { listContainers: listContainers('web-7') },
    'node8:80': { listContainers: () => Promise.reject(new GearError('HOST_UNREACHABLE', 'away')) },
  },
  variables: { GEAR_HOSTS: 'node7, node8:80' },
}

async function proposed(words: readonly string[], given: Setup = setup): Promise<readonly string[]> {
  const { out, err, exitCode } = await gear(['__complete', ...words], given)
  expect({ err, exitCode }).toEqual({ err: '', exitCode: 0 })
  return out
    .split('\n')
    .slice(0, -1)
    .map(line => line.split('\t')[0] ?? '')
}

describe('completion', () => {
  it('proposes commands, with a few words about each', async () => {
    expect(await proposed(['sto'])).toEqual(['stop'])
    const { out } = await gear(['__complete', 'list'], setup)
    expect(out).toMatch(/^list-units\tList the containers of hosts\n/)
    expect(out).toMatch(/\nlist\tThe same as list-units\n$/)
    expect(await proposed(['help', 'restar'])).toEqual(['restart'])
    expect(await proposed(['--output', 'json', 'purg'])).toEqual(['purge'])
  })

  it('proposes the containers of this machine, and hosts to look further on', async () => {
    expect(await proposed(['stop', ''])).toEqual(['web-1', 'web-2', 'db-1', 'node7/', 'node8:80/'])
    expect(await proposed(['stop', '--no-wait', 'web-1', 'w'])).toEqual(['web-2'])
    expect(await gear(['__complete', 'stop', 'd'], setup)).toMatchObject({ out: 'db-1\tactive (running)\n' })
  })

  it('proposes the containers of the host that was begun with', async () => {
    expect(await proposed(['status', 'node7/'])).toEqual(['node7/web-7'])
  })

  it.each([
    ['a host that does not answer', 'node8:80/'],
    ['a host there is not', 'node9/'],
    ['what is no host', 'a b/'],
  ])('proposes nothing of %s', async (_, partial) => {
    expect(await proposed(['status', partial])).toEqual([])
  })

  it('proposes images first and containers then, where an image is installed', async () => {
    expect(await proposed(['install', 'acme/'])).toEqual(['acme/shop', 'acme/db:7'])
    expect(await proposed(['install', '-p', '80:0', 'acme/shop', 'db'])).toEqual(['db-1'])
  })

  it.each([
    [
      ['env', ''],
      ['shop-env', 'node7/', 'node8:80/'],
    ],
    [['set-env', 'shop'], ['shop-env']],
    [['delete-repo', 'shop'], ['shop-src']],
    [
      ['list-units', 'node'],
      ['node7', 'node8:80'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['version', ''], []],
    [['no-such-command', ''], []],
  ])('proposes names of the kind that is wanted: %j', async (words, expected) => {
    expect(await proposed(words)).toEqual(expected)
  })

  it('proposes flags, but none that is kept quiet about, and each once', async () => {
    const flags = await proposed(['start', '--'])
    expect(flags).toContain('--wait')
    expect(flags).toContain('--token-file')
    expect(flags).not.toContain('--transport')
    expect(flags).not.toContain('--')
    expect(await proposed(['start', '--wait', '--w'])).toEqual(['--with'])
    expect(await proposed(['start', '--', '--w'])).toEqual([])
  })

  it('proposes the values of a flag', async () => {
    expect(await proposed(['start', '--output', ''])).toEqual(['text', 'json'])
    expect(await proposed(['start', '--output=j'])).toEqual(['--output=json'])
    expect(await proposed(['start', '-o', 't'])).toEqual(['text'])
    expect(await proposed(['install', '--slice', 'container-'])).toEqual(['container-small', 'container-large'])
    expect(await proposed(['install', '--memory', ''])).toEqual([])
  })

  it.each([
    [['install', '--env-file', ''], ':files'],
    [['set-env', '--env-file=sho'], ':files'],
    [['start', '--token-file', ''], ':files'],
    [['daemon', '--base-path', ''], ':folders'],
    [['deploy', 'sho'], ':files'],
  ])('leaves paths to the shell: %j', async (words, expected) => {
    expect(await proposed(words)).toEqual([expected])
  })

  it('knows hosts from the files of the system where nothing else is said', async () => {
    const files = {
      '/etc/hosts': '127.0.0.1 localhost\n::1 ip6-localhost\n10.0.0.7 node7 node7.example # old\nff02::1 ip6-allnodes\n',
      '/root/.ssh/known_hosts': 'build1,10.0.0.9 ssh-ed25519 AAAA\n|1|hashed ssh-ed25519 AAAA\n[node8]:2222 ssh-rsa AAAA\n',
    }
    expect(await proposed(['purge', ''], { files, variables: { HOME: '/root' } })).toEqual(['node7', 'node7.example', 'build1', '10.0.0.9'])
    expect(await proposed(['purge', ''], {})).toEqual([])
  })

  it('proposes no name that could break its lines, or be more than a name to a shell', async () => {
    const names = [
      'evil\tname',
      'evil\u001b[2J',
      'evil;reboot',
      'evil$(reboot)',
      'evil`reboot`',
      "evil'",
      'evil"',
      'evil\\',
      'evil>x',
      'evil&',
      'evil*',
      'evil!',
    ]
    const local = { listImages: async () => ({ text: [...names, 'good/one:1'].join('\n') }), listContainers: listContainers(...names) }
    expect(await proposed(['install', ''], { hosts: { local } })).toEqual(['good/one:1'])
    expect(await proposed(['status', ''], { hosts: { local } })).toEqual([])
  })

  it.each([
    [
      ['builds', ''],
      ['list', 'log', 'stop'],
    ],
    [
      ['builds', 'log', ''],
      ['build-1', 'node7/', 'node8:80/'],
    ],
    [['builds', 'list', 'node7'], ['node7']],
    [['keys', 're'], ['remove']],
    [
      ['keys', 'remove', 'web'],
      ['web-1', 'web-2'],
    ],
    [['keys', 'remove', 'web-1', '--fingerprint', ''], ['key-1']],
    [['deployment', ''], ['show']],
    [['deployment', 'show', 'x'], [':files']],
    [
      ['exec', 'we'],
      ['web-1', 'web-2'],
    ],
    [['exec', 'web-1', '--', 'l'], []],
    [['shell', 'db'], ['db-1']],
    [
      ['cp', 'we'],
      ['web-1:', 'web-2:'],
    ],
    [
      ['cp', 'no'],
      ['node7/', 'node8:80/'],
    ],
    [['cp', 'node7/'], ['node7/web-7:']],
    [['cp', './we'], [':files']],
    [['cp', 'folder/we'], [':files']],
    [['cp', 'web-1:/etc', '/tm'], [':files']],
    [['build', '.', 'acme/d'], ['acme/db:7']],
    [
      ['build', '.', 'acme/db:7', 'acme/shop', '--host', 'node'],
      ['node7', 'node8:80'],
    ],
    [['install', 'acme/shop', 'web-9', '--env-id', 'sh'], ['shop-env']],
    [['install', '--env-id=sh'], ['--env-id=shop-env']],
    [['install', '--cap-drop', 'SETUID,SETG'], ['SETUID,SETGID']],
    [
      ['list', '--state', 'act'],
      ['active', 'activating'],
    ],
    [
      ['list', '--state', 'active,fail'],
      ['active,failed', 'active,failed-before-auto-restart'],
    ],
    [
      ['create-repo', 'src-1', '--restart', 'web'],
      ['web-1', 'web-2'],
    ],
  ])('knows what goes where: %j', async (words, expected) => {
    expect(await proposed(words)).toEqual(expected)
  })
})

describe('gear completion', () => {
  it.each(['bash', 'zsh', 'fish'])('prints the script for %s', async shell => {
    const { out, exitCode } = await gear(`completion ${shell}`)
    expect(out).toContain('__complete')
    expect(exitCode).toBe(0)
  })

  it.each(['', 'tcsh', 'bash gear sti'])('knows three shells, one at a time: gear completion %s', async words => {
    expect(await gear(`completion ${words}`)).toMatchObject({ out: '', exitCode: 1, err: expect.stringContaining('name one shell') })
  })

  it('completes gear, and sti when that is named', async () => {
    expect((await gear('completion bash sti')).out).toContain('complete -F _sti sti')
    expect((await gear('completion bash')).out).toContain('complete -F _gear gear')
    expect(await gear('completion bash zsh')).toMatchObject({
      out: '',
      err: expect.stringContaining('zsh is neither gear nor sti'),
      exitCode: 1,
    })
  })
})
