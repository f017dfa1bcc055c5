import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildTo } from './build.ts'
import { layOutClient } from './dist.ts'
import { type Outcome, outcomeOf } from './outcome.ts'

const run = promisify(execFile)
const node = realpathSync(join(dirname(import.meta.dirname), 'node_modules/.bin/node'))
let folder = ''
let client = ''

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'gear-dist-')))
  client = join(folder, 'gear client')
  await buildTo(join(folder, 'dist'))
  layOutClient(client, join(folder, 'dist'))
  mkdirSync(join(folder, 'bin'))
  symlinkSync(node, join(folder, 'bin/node'))
  symlinkSync(join(client, 'bin/gear'), join(folder, 'bin/gear'))
}, 60_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** As on the other system, as far as a program can tell by what Node says of it. */
function on(platform: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const preload = join(folder, `${platform}.cjs`)
  writeFileSync(
    preload,
    `Object.defineProperty(process, 'platform', { value: '${platform}' })
     if ('${platform}' === 'win32') process.getuid = undefined`,
  )
  return outcomeOf(
    run(node, ['--require', preload, '--', join(client, 'lib/gear.cjs'), ...words], { env: { PATH: '/usr/bin:/bin', ...env } }),
  )
}

/** What spec §2.3 has on these systems, as far as it is there, and what came since. */
const commands = [
  'install',
  'start',
  'stop',
  'restart',
  'status',
  'delete',
  'list-units',
  'purge',
  'set-env',
  'env',
  'add-keys',
  'create-repo',
  'log',
  'top',
  'api',
]

describe.each([
  ['darwin', 'macOS'],
  ['win32', 'Windows'],
])('on %s the client', (platform, name) => {
  test('has the commands that need no Linux, and leaves out the others', async () => {
    const { stderr, code } = await on(platform, ['help'])
    expect(code).toBe(0)
    for (const command of commands) expect(stderr).toMatch(new RegExp(`^ {2}${command}[, ]`, 'm'))
    expect(stderr).not.toMatch(/^ {2}(daemon|init|init-repo) /m)
    expect((await on(platform, ['version'])).stdout).toMatch(/^gear version /)
  })

  test('does nothing locally, and says what to do', async () => {
    const { stdout, stderr, code } = await on(platform, ['start', 'web-1'])
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 })
    expect(stderr).toBe(
      `Error: There are no containers on ${name} itself [LOCAL_UNSUPPORTED]. Name the host: HOST/ID for containers and environments, HOST for list-units, top and purge.\n`,
    )
    expect(await on(platform, ['daemon'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`daemon is for Linux hosts, and this is ${name}`),
    })
  })

  test('calls other hosts', async () => {
    const server = createServer((_, response) => {
      const unit = { Id: 'web-1', ActiveState: 'active', SubState: 'running', LoadState: 'loaded' }
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ Containers: [unit] }))
    })
    const port = await new Promise<number>(resolve => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
    try {
      expect(await on(platform, ['list-units', '-q', `127.0.0.1:${port}`])).toEqual({
        stdout: `127.0.0.1:${port}/web-1\n`,
        stderr: '',
        code: 0,
      })
    } finally {
      server.close()
    }
  })

  test('sends the token of its file, which is where this system has such files', async () => {
    const sent: unknown[] = []
    const server = createServer(({ headers }, response) => {
      sent.push(headers.authorization)
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"Containers": []}')
    })
    const port = await new Promise<number>(resolve => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
    const home = join(folder, `home-${platform}`)
    const settings = platform === 'win32' ? home : join(home, '.config')
    mkdirSync(join(settings, 'gear'), { recursive: true })
    // Windows says 666 of every file.
    writeFileSync(join(settings, 'gear/tokens'), `127.0.0.1:${port} ${'t'.repeat(32)}\n`, { mode: platform === 'win32' ? 0o666 : 0o600 })
    const env = platform === 'win32' ? { APPDATA: home } : { HOME: home }
    try {
      expect(await on(platform, ['list-units', '-q', `127.0.0.1:${port}`], env)).toMatchObject({ stderr: '', code: 0 })
      expect(sent).toEqual([`Bearer ${'t'.repeat(32)}`])
    } finally {
      server.close()
    }
  })

  test('takes the end of a tunnel for the agent of this machine', async () => {
    const { stderr } = await on(platform, ['list-units'], { GEARD_SOCKET: join(folder, 'none.sock') })
    expect(stderr).toContain('[HOST_UNREACHABLE]')
  })
})

test('the client holds no agent, and no compiled code of one V8', () => {
  expect(existsSync(join(client, 'lib/dist/agent.js'))).toBe(false)
  expect(existsSync(join(client, 'lib/dist/cli.cache'))).toBe(false)
  expect(existsSync(join(client, 'man/gear-install.1'))).toBe(true)
})

test('the launcher for shells finds the program through links, and keeps arguments and exit codes as they are', async () => {
  const env = { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, NODE_OPTIONS: '--no-such-option' }
  expect((await outcomeOf(run(join(folder, 'bin/gear'), ['--version'], { env }))).stdout).toMatch(/^gear version /)
  const { stderr, code } = await outcomeOf(run('gear', ['start', 'a b', '--env-file', 'x'], { env }))
  expect(code).toBe(1)
  expect(stderr).toContain('--env-file')
})

test('the launcher for Windows has the line ends that Windows wants, and hands all arguments on', () => {
  const text = readFileSync(join(client, 'bin/gear.cmd'), 'utf8')
  expect(text.split('\r\n').length).toBeGreaterThan(8)
  expect(text.replaceAll('\r\n', '')).not.toContain('\n')
  expect(text).toContain('"%gear_node%" -- "%~dp0..\\lib\\gear.cjs" %*')
})

test('an old Node is told so', async () => {
  const preload = join(folder, 'old.cjs')
  writeFileSync(preload, `Object.defineProperty(process, 'versions', { value: { node: '18.20.0' } })`)
  const { stderr, code } = await outcomeOf(run(node, ['--require', preload, '--', join(client, 'lib/gear.cjs'), 'version']))
  expect({ stderr, code }).toEqual({ stderr: `gear: Node 26 or later is needed, and ${node} is 18.20.0\n`, code: 1 })
})
