/** The clock of the machine is set by a day, ahead and back, under containers that run and an agent that works. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabEngine } from '../lab-engine.ts'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const engines = (['docker', 'podman'] as const).map(name => new LabEngine(host, name))
const ticking = 'trap "exit 0" TERM; i=0; while :; do i=$((i+1)); echo tick $i; sleep 1 & wait $!; done'
const lease = (token: string) => ({ Token: token.repeat(22), Holder: `${token}@ops`, Containers: ['tick-docker'], Seconds: 600 })

let steady = ''

/** Which processes everything is, and how often it was restarted. */
async function look(): Promise<string> {
  const pids = await Promise.all(engines.map(engine => engine.pid(`tick-${engine.name}`)))
  return `${pids.join(' ')} ${await host.sh('systemctl show -P MainPID -P NRestarts -P ActiveState gear.service ctr-tick-docker.service ctr-tick-podman.service')}`
}

const lastTick = async (file: string) =>
  Number((await host.exec(['sh', '-c', `grep -o 'tick [0-9]*$' ${file} | tail -n 1`])).stdout.slice(5))

async function untilTicksGoOn(): Promise<void> {
  for (const { name } of engines) {
    const before = await lastTick(`/tmp/followed-${name}`)
    await until(`the log of ${name} goes on`, async () => {
      const now = await lastTick(`/tmp/followed-${name}`)
      return now > before + 2 ? true : `${before}, then ${now}`
    })
  }
}

async function takeLease(token: string): Promise<number> {
  return (await host.api('PUT', '/lease/clock.json', { body: JSON.stringify(lease(token)) })).status
}

beforeAll(async () => {
  for (const { name } of engines) {
    await host.gearDo('install', 'gear/script', `tick-${name}`, '--engine', name, '--start', '--wait', `SCRIPT=${ticking}`)
    await host.sh(`systemd-run --quiet --unit=follow-${name} sh -c 'exec gear log -f --lines 1 tick-${name} > /tmp/followed-${name} 2>&1'`)
  }
  await untilTicksGoOn()
  steady = await look()
})
afterAll(async () => {
  await host.sh('systemctl stop follow-docker follow-podman; rm -f /tmp/followed-*')
  for (const id of ['tick-docker', 'tick-podman', 'tick-new']) await host.gear('delete', '--all', id)
})

describe('with the clock set', () => {
  it.each([
    { how: 'a day ahead', seconds: 86_400 },
    { how: 'back again', seconds: -86_400 },
    { how: 'a day back', seconds: -86_400 },
    { how: 'ahead again', seconds: 86_400 },
  ])('$how nothing restarts, logs that are followed go on, a lease lasts, and everything can be done', async ({ seconds }) => {
    expect(await takeLease('a')).toBe(200)
    await host.sh(`date -s "@$(($(date +%s) + ${seconds}))"`)

    await untilTicksGoOn()
    expect(await takeLease('b')).toBe(409)
    expect(await takeLease('a')).toBe(200)
    expect(await look()).toBe(steady)

    const outcome = await host.gear('install', 'gear/script', 'tick-new', '--start', '--wait', `SCRIPT=echo once; ${ticking}`)
    expect(outcome.exitCode, outcome.stderr).toBe(0)
    await until('its log can be read', async () =>
      (await host.gearDo('log', 'tick-new', '--lines', '100')).includes('tick 2') ? true : 'no tick',
    )
    await host.gearDo('restart', 'tick-new', '--wait')
    await host.gearDo('stop', 'tick-new', '--wait')
    await host.gearDo('delete', '--all', 'tick-new')
    expect(await host.gearDo('status', 'tick-docker')).toContain('Active: active (running) since ')
    expect(await look()).toBe(steady)
  })

  it('back, a wait tells nothing of what was logged in the day that is to come', async () => {
    await host.sh('date -s "@$(($(date +%s) + 86400))"; logger hello; sleep 2; date -s "@$(($(date +%s) - 86400))"')
    const outcome = await host.gear('restart', 'tick-docker', '--wait')
    expect(outcome.exitCode).toBe(0)
    expect(outcome.stderr.match(/tick \d+/g) ?? []).not.toContain('tick 3')
  })
})
