import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { contract, openApiDocument } from '../src/api/index.ts'
import { buildTo, commandFlags } from './build.ts'
import { type Outcome, outcomeOf } from './outcome.ts'

const run = promisify(execFile)
const repository = dirname(import.meta.dirname)
const versionLine = /^gear version \d+\.\d+\.\d+, build \w+(-dirty)?\n$/

let folder = ''
let installed = ''

// As `make install` leaves it, but for the copy of Node.
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'gear-launcher-')))
  const home = join(folder, 'usr/lib/gear')
  installed = join(folder, 'usr/bin/gear')
  for (const path of [join(home, 'bin'), dirname(installed)]) mkdirSync(path, { recursive: true })
  await buildTo(join(home, 'dist'))
  symlinkSync(realpathSync(join(repository, 'node_modules/.bin/node')), join(home, 'bin/node'))
  copyFileSync(join(repository, 'bin/gear'), installed)
}, 60_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the program in an otherwise empty environment. */
function start(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = folder): Promise<Outcome> {
  return outcomeOf(run(program, args, { env: { PATH: '/usr/bin:/bin', ...env }, cwd }))
}

test.each([
  ['by its path', () => installed, '/'],
  ['by a relative path', () => './gear', 'usr/bin'],
  ['by a relative path from above', () => 'bin/gear', 'usr'],
  ['by a symbolic link', () => join(folder, 'link'), '/'],
])('an installed gear runs %s', async (_, program, from) => {
  if (!existsSync(join(folder, 'link'))) symlinkSync(installed, join(folder, 'link'))
  const { stdout } = await start(program(), ['--version'], {}, from === '/' ? from : join(folder, from))
  expect(stdout).toMatch(versionLine)
})

test('a checkout that was not built says so', async () => {
  const launcher = join(folder, 'checkout/bin/gear')
  mkdirSync(dirname(launcher), { recursive: true })
  copyFileSync(join(repository, 'bin/gear'), launcher)
  const { stderr, code } = await start(launcher, ['--version'])
  expect(stderr).toBe(`gear: ${join(folder, 'checkout')} is not built; run make there\n`)
  expect(code).toBe(1)
})

describe('a hostile environment runs nothing', () => {
  let trap = ''
  let file = ''

  beforeAll(() => {
    const script = join(folder, 'trap.cjs')
    trap = join(folder, 'sprung')
    file = join(folder, 'hostile.env')
    writeFileSync(script, `require('node:fs').writeFileSync(${JSON.stringify(trap)}, '')`)
    writeFileSync(file, `NODE_OPTIONS=--require ${script}\n`)
  })

  test('the trap springs for a Node that is started without the launcher', async () => {
    await start(join(folder, 'usr/lib/gear/bin/node'), [join(folder, 'usr/lib/gear/dist/main.cjs'), '--version', '--env-file', file])
    expect(existsSync(trap)).toBe(true)
    rmSync(trap)
  })

  // Nothing listens on port 1, so the first one reads the file as a command does and ends there.
  test.each([
    ['install', '--env-file', 'FILE', 'acme/shop', '127.0.0.1:1/web-1'],
    ['install', 'acme/shop', '127.0.0.1:1/web-1', '--env-file=FILE'],
    ['--env-file=FILE', 'version'],
    ['version', '--', '--env-file', 'FILE'],
    ['daemon', '--env-file', 'FILE', '--show-config'],
    ['version', '--env-file-if-exists=FILE'],
  ])('in a file named by %s %s', async (...args) => {
    const { stderr } = await start(
      installed,
      args.map(word => word.replace('FILE', file)),
    )
    expect(existsSync(trap)).toBe(false)
    expect(stderr).not.toContain('node:')
  })

  test('in NODE_OPTIONS', async () => {
    const { stdout } = await start(installed, ['--version'], { NODE_OPTIONS: `--require ${join(folder, 'trap.cjs')}` })
    expect(stdout).toMatch(versionLine)
    expect(existsSync(trap)).toBe(false)
  })
})

test('commands find what the build and Node itself compiled, as the launcher starts them', async () => {
  const [, flags = ''] = /exec "\$node" (--.*) -- "\$main" "\$@" ;;/.exec(readFileSync(installed, 'utf8')) ?? []
  expect(flags.split(' ')).toEqual(commandFlags)
  const dist = join(folder, 'usr/lib/gear/dist')
  const look = join(folder, 'look.cjs')
  writeFileSync(
    look,
    `process.on('exit', () => {
      const { readFileSync } = require('node:fs'), { Script } = require('node:vm')
      const isTaken = name => {
        const cachedData = readFileSync(\`${dist}/\${name}.cache\`)
        return !new Script(readFileSync(\`${dist}/\${name}.js\`, 'latin1'), { cachedData }).cachedDataRejected
      }
      const { compiledWithCache, compiledWithoutCache } = require('internal/test/binding').internalBinding('builtins').getCacheUsage()
      console.log(isTaken('cli'), isTaken('agent'), compiledWithCache.has('net'), compiledWithoutCache.has('net'))
    })`,
  )
  // Nothing listens on port 1.
  const command = [...commandFlags, '--require', look, '--', `${dist}/main.cjs`, 'list-units', '127.0.0.1:1']
  const { stdout } = await run(join(folder, 'usr/lib/gear/bin/node'), command).catch((failed: { readonly stdout: string }) => failed)
  expect(stdout).toBe('true true true false\n')
})

test('the document of the API that the agent serves is the one of the sources', async () => {
  const built = JSON.parse(readFileSync(join(folder, 'usr/lib/gear/dist/openapi.json'), 'utf8')) as {
    readonly info: { readonly version: string }
  }
  expect(built).toEqual(JSON.parse(JSON.stringify(openApiDocument(contract, built.info.version))))
  expect(`gear ${built.info.version}\n`).toMatch(versionLine)
})

describe('a command that ends', () => {
  test('has printed all, however slowly it is read', async () => {
    const { stdout: whole } = await run('sh', ['-c', `${installed} install --help 2>&1`])
    const { stdout: slowly } = await run('sh', ['-c', `${installed} install --help 2>&1 | (sleep 0.3; cat)`])
    expect(slowly).toBe(whole)
    expect(whole).toContain('EXAMPLES')
  })

  test('says that much which no pipe holds at once', async () => {
    const containers = Array.from({ length: 5000 }, (_, number) => ({
      Id: `web-${number}`,
      ActiveState: 'active',
      SubState: 'running',
      LoadState: 'loaded',
    }))
    const server = createServer((_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ Containers: containers }))
    })
    const host = await new Promise<string>(resolve => {
      server.listen(0, '127.0.0.1', () => resolve(`127.0.0.1:${(server.address() as AddressInfo).port}`))
    })
    try {
      const { stdout } = await run('sh', ['-c', `${installed} list-units ${host} | (sleep 0.3; wc -l)`])
      expect(stdout.trim()).toBe('5001')
    } finally {
      server.close()
    }
  })

  test('what cannot be printed is told in one line, and ends with 1', async () => {
    const { stdout } = await run('sh', [
      '-c',
      `${installed} completion bash 2>&1 >/dev/full; echo $?; ${installed} completion bash | head -1`,
    ])
    expect(stdout).toMatch(/^Error: What was to be printed could not be written \(ENOSPC.*\)\n1\n.*\n$/)
  })

  test('explains operations of the API other than the first on their path', async () => {
    for (const { id, method, path } of [contract.installContainer, contract.restartContainer, contract.archiveRepository]) {
      const { stdout } = await run(installed, ['api', '--list', id])
      expect(stdout).toContain(`${id}: ${method} ${path}\n`)
    }
  })

  test('fails when what it had to say was lost', async () => {
    const { stdout } = await run('sh', ['-c', `${installed} install --help 2>/dev/full; echo $?`])
    expect(stdout).not.toBe('0\n')
  })
})
