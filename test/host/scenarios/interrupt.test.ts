/** Ctrl-C: the command ends and says what goes on without it; the work itself is carried through. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')

beforeAll(async () => {
  // It ends only when the engine loses patience, after ten seconds.
  const script = `SCRIPT=trap '' TERM; while :; do sleep 1; done`
  await host.gearDo('install', 'gear/script', 'stubborn', script, '--env-id', 'stubborn-e', '--start', '--wait')
})

afterAll(async () => {
  await host.gear('delete', '--all', 'stubborn')
})

describe('an interrupted stop', () => {
  it('says what goes on and how to look, and ends with 130', async () => {
    await host.sh(
      '(gear stop --wait stubborn >/tmp/stop.out 2>/tmp/stop.err & echo $! >/tmp/stop.pid; wait $! || echo $? >/tmp/stop.code) >/dev/null 2>&1 &',
    )
    await host.untilState('stubborn', 'deactivating')
    await host.sh('kill -INT "$(cat /tmp/stop.pid)"')
    await until('the command has ended', async () =>
      (await host.exec(['test', '-s', '/tmp/stop.code'])).exitCode === 0 ? true : 'it runs',
    )
    expect(await host.do(['cat', '/tmp/stop.code'])).toBe('130\n')
    expect(await host.do(['cat', '/tmp/stop.err'])).toContain(
      'Interrupted.\nThe stop of stubborn on local was asked for; what arrived there goes on. See: gear status stubborn\n',
    )
  })

  it('is carried through all the same', async () => {
    await host.untilState('stubborn', 'inactive')
    expect(await host.do(['docker', 'ps', '-aq', '--filter', 'name=^stubborn$'])).toBe('')
  })
})
