/** systemd itself, over the bus of a real host. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import type { UnitName } from '../../../src/api/index.ts'
import { diskFiles } from '../../../src/host/files/disk.ts'
import { codeOfFailure } from '../../../src/host/suites.ts'
import { systemdUnits } from '../../../src/host/units/systemd.ts'
import { unitsSuite } from '../../../src/host/units/units.suite.ts'

const busSocket = '/run/dbus/system_bus_socket'

describe('units of systemd', () => {
  const units = systemdUnits()
  const files = diskFiles()
  const store = '/var/lib/containers/port-suite-units'

  afterAll(async () => {
    await files.removeTree(store)
    await units.reload()
    await units.close()
  })

  unitsSuite(async () => ({
    units,
    files,
    folder: '/etc/systemd/system',
    store,
    behave: () => {},
    behaveTransient: () => {},
    settle: () => {},
  }))

  test('times are exact: the moment a unit began is that of the clock', async () => {
    const status = await units.status('dbus.service' as UnitName)
    expect(status.activeSinceMs).toBeGreaterThan(Date.now() - 30 * 24 * 3_600_000)
    expect(status.activeSinceMs).toBeLessThanOrEqual(Date.now())
  })
})

test('what a user sends in the words of systemd is not taken for its own', async () => {
  const run = promisify(execFile)
  const units = systemdUnits()
  const abort = new AbortController()
  const seen: UnitName[] = []
  const watching = (async () => {
    for await (const name of units.changes(abort.signal)) seen.push(name)
  })()
  await units.ping()
  const { stdout } = await run('busctl', ['--no-legend', 'list'])
  const names = stdout.split('\n').flatMap(line => (line.split(/\s+/)[1] === String(process.pid) ? [line.split(/\s+/)[0] ?? ''] : []))
  expect(names.length).toBeGreaterThan(0)
  for (const name of names) {
    const forged = [
      '--system',
      '--type=signal',
      `--dest=${name}`,
      '/org/freedesktop/systemd1',
      'org.freedesktop.systemd1.Manager.JobRemoved',
    ]
    const words = ['uint32:1', 'objpath:/org/freedesktop/systemd1/job/1', 'string:forged.service', 'string:done']
    await run('setpriv', ['--reuid=65534', '--clear-groups', 'dbus-send', ...forged, ...words])
  }
  const name = `gear-forged-${process.pid}.service` as UnitName
  await units.runTransient({ name, description: 'true', command: ['/bin/true'], slice: 'system.slice' as UnitName }, abort.signal)
  abort.abort()
  await watching
  expect(seen).toContain(name)
  expect(seen).not.toContain('forged.service')
  await units.close()
})

test('a connection that is lost fails what waits on it, and the next call has a new one', async () => {
  const base = await mkdtemp(join(tmpdir(), 'gear-bus-'))
  const ends: Socket[] = []
  const server = createServer(client => {
    const bus = connect(busSocket)
    ends.push(client, bus)
    client.pipe(bus).pipe(client)
    for (const end of [client, bus]) end.on('error', () => {})
  })
  await new Promise<void>(resolve => server.listen(join(base, 'bus'), resolve))
  const units = systemdUnits({ socketPath: join(base, 'bus') })

  await units.ping()
  const change = units.changes(new AbortController().signal).next()
  await units.ping()
  for (const end of ends) end.destroy()
  expect(await codeOfFailure(change)).toBe('SYSTEMD_UNAVAILABLE')
  await units.ping()

  await units.close()
  for (const end of ends) end.destroy()
  await new Promise(resolve => server.close(resolve))
  await rm(base, { recursive: true })
})
