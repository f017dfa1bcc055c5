import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadConfig, settingsTable, showConfig } from './config.ts'
import { parseListenUrl } from './listeners.ts'

const folder = mkdtempSync(join(tmpdir(), 'gear-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
function file(text: string): string {
  const path = join(folder, `${files++}.json`)
  writeFileSync(path, text)
  return path
}

const empty = file('{}')

test('without anything set, all is as by default', () => {
  const { config, sources } = loadConfig({ environment: {}, file: empty })
  expect(config).toMatchObject({
    listen: ['http://127.0.0.1:43273'],
    socketPath: '/run/gear/gear.sock',
    insecureHttp: false,
    basePath: '/var/lib/containers',
    idleExitMinutes: 0,
  })
  expect(new Set(Object.values(sources))).toEqual(new Set(['default']))
})

test('a flag goes before the environment, that before the file, that before the default', () => {
  const path = file('{"logLevel":"warn","engine":"docker","basePath":"/srv/a"}')
  const { config, sources } = loadConfig({
    flags: { logLevel: 'error', hasEnvFile: undefined },
    environment: { GEARD_LOG_LEVEL: 'debug', GEARD_ENGINE: 'auto', GEARD_RUN_PATH: '' },
    file: path,
  })
  expect(config).toMatchObject({ logLevel: 'error', engine: 'auto', basePath: '/srv/a', runPath: '/var/run/containers' })
  expect(sources).toMatchObject({ logLevel: 'flag', engine: 'GEARD_ENGINE', basePath: path, runPath: 'default' })
})

test('variables are read as lists, numbers and flags', () => {
  const environment = {
    GEARD_LISTEN: 'http://127.0.0.1:1, http://[::1]:2',
    GEARD_IDLE_EXIT_MINUTES: '5',
    GEARD_INSECURE_HTTP: 'yes',
    GEARD_HAS_ENV_FILE: '0',
  }
  const { config } = loadConfig({ environment, file: empty })
  expect(config).toMatchObject({
    listen: ['http://127.0.0.1:1', 'http://[::1]:2'],
    idleExitMinutes: 5,
    insecureHttp: true,
    hasEnvFile: false,
  })
})

test('the file may be named by GEARD_CONFIG', () => {
  expect(loadConfig({ environment: { GEARD_CONFIG: file('{"logFormat":"json"}') } }).config.logFormat).toBe('json')
})

test('every wrong setting is named, with where it was made', () => {
  expect(() =>
    loadConfig({ flags: { listen: [':43273'] }, environment: { GEARD_LOG_LEVEL: 'loud', GEARD_IDLE_EXIT_MINUTES: 'ten' }, file: empty }),
  ).toThrow(
    'listen (flag) must be a list of URLs such as http://127.0.0.1:43273; logLevel (GEARD_LOG_LEVEL) must be one of debug, info, warn, error; idleExitMinutes (GEARD_IDLE_EXIT_MINUTES) must be a number',
  )
})

test('a token and --insecure-http exclude each other', () => {
  expect(() => loadConfig({ environment: {}, flags: { insecureHttp: true, tokenFile: '/etc/gear/token' }, file: empty })).toThrow(
    'must not be set together',
  )
})

describe('a configuration file', () => {
  test.each([
    ['{', 'is not JSON'],
    ['[]', 'must hold a JSON object'],
    ['{"lisen":[]}', 'names "lisen", which is not a setting'],
    ['{"__proto__":{}}', 'names "__proto__", which is not a setting'],
  ])('with %s is refused', (text, why) => {
    expect(() => loadConfig({ environment: {}, file: file(text) })).toThrow(why)
  })

  test('that others may write is refused', () => {
    const path = file('{}')
    chmodSync(path, 0o666)
    expect(() => loadConfig({ environment: {}, file: path })).toThrow('may be written by others')
  })

  test('that was asked for must be there', () => {
    expect(() => loadConfig({ environment: {}, file: '/no/such/file' })).toThrow('/no/such/file cannot be read')
  })
})

test('what is shown names each value and its source', () => {
  const lines = showConfig(loadConfig({ environment: { GEARD_LOG_LEVEL: 'debug' }, file: empty })).split('\n')
  expect(lines[0]).toMatch(/^SETTING +VALUE +FROM$/)
  expect(lines).toContainEqual(expect.stringMatching(/^logLevel +"debug" +GEARD_LOG_LEVEL$/))
  expect(lines).toContainEqual(expect.stringMatching(/^listen +\["http:\/\/127.0.0.1:43273"\] +default$/))
})

test('every setting is described', () => {
  for (const { name, variable, description } of settingsTable()) {
    expect(variable, name).toMatch(/^GEARD_[A-Z_]+$/)
    expect(description, name).toMatch(/^[A-Z].*\.$/)
  }
})

test.each([
  ['http://127.0.0.1:43273', '127.0.0.1', 43273],
  ['http://127.0.0.1', '127.0.0.1', 43273],
  ['http://localhost:80/', 'localhost', 80],
  ['http://[::1]:8080', '::1', 8080],
  ['http://0.0.0.0:0', '0.0.0.0', 0],
])('%s is a URL to listen on', (url, host, port) => {
  expect(parseListenUrl(url)).toEqual({ url, host, port })
})

test.each([
  ':43273',
  'localhost:43273',
  '127.0.0.1:43273',
  'https://localhost:43273',
  'unix:///run/gear.sock',
  'http://:43273',
  'http://localhost:65536',
  'http://localhost:43273/path',
  'http://root@localhost',
  'http://local host',
  '',
])('%j is none', url => {
  expect(parseListenUrl(url)).toBeUndefined()
})
