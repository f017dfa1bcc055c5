/** Looking at what containers are and need: filters, a list that is watched, the table of top. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')

beforeAll(async () => {
  await host.gearDo('install', 'gear/httpd', 'watch-1', 'watch-2', '--start', '--wait', '--memory', '64m')
})

afterAll(async () => {
  await host.gear('delete', '--all', 'watch-1', 'watch-2')
})

describe('gear top', () => {
  it('shows what each container needs, on every host it is asked for', async () => {
    const table = await host.gearDo('top', 'local', '127.0.0.1')
    expect(table).toMatch(/^ID +SERVER +STATE +CPU +MEMORY +LIMIT +RESTARTS\n/)
    expect(table).toMatch(/^watch-1 +local +active +\d+\.\d% +[\d.]+[KM] +64M +0$/m)
    expect(table).toMatch(/^watch-2 +127\.0\.0\.1 +active +\d+\.\d% +[\d.]+[KM] +64M +0$/m)
  })
})

describe('gear list-units', () => {
  it('shows containers by pattern and state', async () => {
    await host.gearDo('stop', 'watch-2', '--wait')
    expect(await host.gearDo('list', '-q', 'watch-*', '--state', 'inactive')).toBe('watch-2\n')
    expect(await host.gearDo('list', '-q', '127.0.0.1/watch-[!2]')).toBe('127.0.0.1/watch-1\n')
  })

  it('is not kept waiting by a host that does not answer, and says so of it', async () => {
    const silent = "require('net').createServer(() => undefined).listen(5999, '127.0.0.1')"
    await host.sh(`systemd-run --quiet --unit=silent /usr/lib/gear/bin/node -e "${silent}"
      until ss -Hltn src 127.0.0.1:5999 | grep -q .; do sleep 0.05; done`)
    const pid = (await host.sh('gear list watch-* local 127.0.0.1:5999 --watch >/tmp/silent 2>&1 & echo $!')).trim()
    const seen = () => host.do(['cat', '/tmp/silent'])
    await until('the others are shown', async () => {
      const text = await seen()
      return /^watch-1 .*\n(.*\n)*127\.0\.0\.1:5999: no answer yet\n/m.test(text) ? true : text
    })
    await until('it is given up', async () => {
      const text = await seen()
      return text.includes('The agent at 127.0.0.1:5999 has not answered within 5 s [HOST_UNREACHABLE]') ? true : text
    })
    await host.sh(`kill ${pid}; systemctl stop silent`)
  })

  it('shows what becomes of them while it is watched', async () => {
    const pid = await host.sh('gear list -q watch-* --all --state active --watch --interval 0.2 >/tmp/watched 2>&1 & echo $!')
    const page = (text: string) =>
      until(`the list says ${text}`, async () => {
        const seen = await host.do(['cat', '/tmp/watched'])
        return seen.endsWith(text) ? true : seen
      })
    await page('watch-1\n')
    await host.gearDo('start', 'watch-2', '--wait')
    await page('\nwatch-1\nwatch-2\n')
    await host.do(['kill', '-TERM', pid.trim()])
    await until('the watch has ended', async () => ((await host.exec(['kill', '-0', pid.trim()])).exitCode === 0 ? 'it runs' : true))
  })
})
