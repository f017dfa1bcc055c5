import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { UnitName } from '../../api/index.ts'
import { FakeClock } from '../clock/fake.ts'
import { FakeFiles } from '../files/fake.ts'
import { codeOfFailure } from '../suites.ts'
import { FakeUnits } from './fake.ts'
import { escapePath, systemdUnits, unescapePath } from './systemd.ts'
import { transientCommands, unitsSuite } from './units.suite.ts'

const folder = '/etc/systemd/system'
const name = 'ctr-web-1.service' as UnitName

function fakes(): { units: FakeUnits; files: FakeFiles } {
  const clock = new FakeClock()
  const files = new FakeFiles(clock)
  files.putFolder(folder)
  return { files, units: new FakeUnits({ files, clock, folder }) }
}

describe('fake units', () => {
  unitsSuite(async () => {
    const { files, units } = fakes()
    return {
      units,
      files,
      folder,
      store: '/var/lib/units',
      behave: (unit, service) => {
        if (service === 'slowToStart') units.behave(unit, { start: 'pending' })
        if (service === 'slowToStop') units.behave(unit, { stop: 'pending' })
        if (service === 'failing') units.behave(unit, { start: 'failed' })
        if (service === 'killed') units.behave(unit, { start: { signal: 9 } })
      },
      behaveTransient: (unit, command) => units.behave(unit, { transient: transientCommands[command].behaviour }),
      settle: unit => {
        units.behave(unit, { stop: 'inactive' })
        units.finishJob(unit)
      },
    }
  })

  test('a bus that is away makes every call fail, and is back when it is back', async () => {
    const { units } = fakes()
    units.isAway = true
    expect(await codeOfFailure(units.status(name))).toBe('SYSTEMD_UNAVAILABLE')
    expect(await codeOfFailure(units.reload())).toBe('SYSTEMD_UNAVAILABLE')
    units.isAway = false
    expect(await codeOfFailure(units.status(name))).toBe('none')
  })

  test('a deleted unit that something wants is remembered with its old file until a reload', async () => {
    const { units, files } = fakes()
    files.put('/store/old', '[Service]\n')
    files.putLink('/store/old', `${folder}/${name}`)
    files.putLink('/store/old', `${folder}/container.target.wants/${name}`)
    await units.reboot()
    await files.remove(`${folder}/${name}`)
    await files.remove(`${folder}/container.target.wants/${name}`)
    expect(await units.status(name)).toMatchObject({ loadState: 'loaded', needsReload: true })
    await units.reload()
    expect(await units.status(name)).toMatchObject({ loadState: 'not-found', needsReload: false })
  })

  test('a pending job ends as a test says', async () => {
    const { units, files } = fakes()
    files.put(`${folder}/${name}`, '[Service]\n')
    units.behave(name, { start: 'pending' })
    await units.queueStart(name, 'replace')
    units.finishJob(name, 'timeout')
    expect(await units.status(name)).toMatchObject({ activeState: 'failed', result: 'timeout', hasJob: false })
  })

  test('a call can be held and let go', async () => {
    const { units } = fakes()
    const letGo = units.hold('status')
    let isDone = false
    const status = units.status(name).then(() => {
      isDone = true
    })
    await units.ping()
    expect(isDone).toBe(false)
    letGo()
    await status
  })
})

describe('systemd over a bus that does not work', () => {
  test('no bus at all is told as such, with the reason', async () => {
    const units = systemdUnits({ socketPath: '/nonexistent/bus' })
    await expect(units.status(name)).rejects.toMatchObject({ code: 'SYSTEMD_UNAVAILABLE' })
    await expect(units.stop(name, { mode: 'replace', signal: AbortSignal.timeout(5000) })).rejects.toMatchObject({
      code: 'SYSTEMD_UNAVAILABLE',
    })
    await expect(units.changes(AbortSignal.timeout(5000)).next()).rejects.toMatchObject({ code: 'SYSTEMD_UNAVAILABLE' })
    await units.close()
  })

  test('a bus that never answers is given up on in time, and a new connection is made for the next call', async () => {
    const base = await mkdtemp(join(tmpdir(), 'gear-bus-'))
    let connections = 0
    const server = createServer(socket => {
      connections++
      socket.on('error', () => {}).resume()
    })
    await new Promise<void>(resolve => server.listen(join(base, 'bus'), resolve))
    const units = systemdUnits({ socketPath: join(base, 'bus'), callMs: 30 })
    expect(await codeOfFailure(units.ping())).toBe('SYSTEMD_UNAVAILABLE')
    expect(await codeOfFailure(units.ping())).toBe('SYSTEMD_UNAVAILABLE')
    expect(connections).toBe(2)
    await units.close()
    await new Promise(resolve => server.close(resolve))
    await rm(base, { recursive: true })
  })
})

test.each([
  ['ctr-a_b.c.service', 'ctr_2da_5fb_2ec_2eservice'],
  ['0aé', '_30a_c3_a9'],
])('the object path of %s is escaped byte by byte', (plain, escaped) => {
  expect(escapePath(plain)).toBe(escaped)
})

test('an escaped path gives the name back', () => {
  expect(unescapePath(escapePath('ctr-a_b.c@1.service'))).toBe('ctr-a_b.c@1.service')
})
