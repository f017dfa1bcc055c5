/** The life of a container on one host, told with the commands an administrator types. */
import { afterAll, describe, expect, it } from 'vitest'
import { onBothEngines } from '../lab-engine.ts'
import { LabHost } from '../lab-host.ts'

const host = new LabHost('web1')
const page = 'It works: gear'

onBothEngines(host, engine => {
  afterAll(async () => {
    for (const id of ['life', 'life.2', 'later', 'limits', 'failing']) await host.gear('delete', '--all', id)
  })

  describe('a container', () => {
    it('is installed, started and served with one command', async () => {
      const outcome = await host.gear('install', 'gear/httpd', 'life', '--start', '--wait', '-p', '8080:0')
      expect(outcome.stderr).toContain('life: active (running)')
      expect(outcome.stdout).toMatch(/^PortMapping: 8080 -> \d+\n/)
      expect(outcome.exitCode).toBe(0)
      await host.untilPage(await host.port('life'), page)
    })

    it('is a systemd service like any other', async () => {
      const unit = await host.unit('ctr-life.service', 'ActiveState', 'SubState', 'FragmentPath', 'Slice', 'UnitFileState')
      expect(unit).toEqual({
        ActiveState: 'active',
        SubState: 'running',
        FragmentPath: '/etc/systemd/system/ctr-life.service',
        Slice: 'container-small.slice',
        UnitFileState: 'enabled',
      })
      expect(await host.sh('systemd-analyze verify /etc/systemd/system/ctr-life.service 2>&1')).toBe('')
    })

    it('has the layout and modes on disk that other programs read', async () => {
      const base = '/var/lib/containers'
      const stat = (path: string) => host.do(['stat', '-c', '%a %F %h', path])
      expect(await stat(`${base}/units/li/ctr-life.service`)).toBe('664 regular file 2\n')
      const [version = ''] = (await host.do(['ls', `${base}/units/li/life`])).split('\n')
      expect(version).toMatch(/^[A-Za-z0-9_-]{22}$/)
      const port = await host.port('life')
      expect(await host.do(['readlink', `${base}/ports/interfaces/1/${Math.floor(port / 100)}/${port}`])).toBe(
        `${base}/units/li/life/${version}\n`,
      )
      expect(await host.do(['readlink', '/etc/systemd/system/container-active.target.wants/ctr-life.service'])).toBe(
        `${base}/units/li/ctr-life.service\n`,
      )
    })

    it('prints its status as systemctl does, with the unit path where programs look for it', async () => {
      const status = await host.gearDo('status', 'life')
      expect(status).toContain('Loaded: loaded (/var/lib/containers/units/li/ctr-life.service; enabled)')
      expect(status).toContain('Active: active (running)')
    })

    it('is listed', async () => {
      expect(await host.gearDo('list-units')).toMatch(/^ID +SERVER +ACTIVE +SUB +LOAD +TYPE\n(.*\n)*life +local +active +running +loaded/)
    })

    it('keeps its port when it is installed again, and says that it has to be restarted', async () => {
      const before = await host.port('life')
      expect(await host.gearDo('install', 'gear/httpd', 'life', '-p', '8080:0', '--memory', '300m')).toContain('restart it with')
      expect(await host.port('life')).toBe(before)
      const [report] = JSON.parse(await host.gearDo('status', 'life', '--output', 'json')) as { restartNeeded?: boolean }[]
      expect(report).toBeDefined()
    })

    it('is a new process after a restart', async () => {
      const pid = () => engine.pid('life')
      const before = await pid()
      await host.gearDo('restart', 'life', '--wait')
      expect(await pid()).not.toBe(before)
      await host.untilPage(await host.port('life'), page)
    })

    it('is inactive after a stop, and gone from the engine', async () => {
      await host.gearDo('stop', 'life', '--wait')
      expect(await host.unit('ctr-life.service', 'ActiveState', 'Result')).toEqual({ ActiveState: 'inactive', Result: 'success' })
      expect(await engine.containers('life')).toEqual([])
    })

    it('is removed with everything of its own', async () => {
      await host.gearDo('delete', 'life')
      expect(await host.sh('find /var/lib/containers /run/containers /etc/systemd/system -name "*life*"')).toBe('')
      expect(await host.sh('find /var/lib/containers/ports/interfaces -type l')).toBe('')
      expect((await host.unit('ctr-life.service', 'LoadState')).LoadState).toBe('not-found')
      expect((await host.gear('status', 'life')).exitCode).toBe(1)
      expect((await host.gear('delete', 'life')).exitCode).toBe(0)
    })

    it('may have a dot in its id', async () => {
      await host.gearDo('install', 'gear/httpd', 'life.2', '--start', '--wait')
      expect((await host.api('GET', '/container/life.2/status')).body).toContain('Active: active (running)')
    })
  })

  describe('purge', () => {
    it('stops and disables every container, and leaves their files to start them again', async () => {
      await host.gearDo('install', 'gear/httpd', 'purged', '--start', '--wait', '-p', '8080:0')
      await host.gearDo('purge')
      expect(await host.activeState('purged')).toBe('inactive')
      expect(await host.sh('find /etc/systemd/system -name "ctr-*"')).toBe('')
      expect(await host.gearDo('list-units', '--all')).toMatch(/^purged +local +inactive/m)
      await host.gearDo('start', 'purged', '--wait')
      await host.untilPage(await host.port('purged'), page)
      await host.gearDo('delete', 'purged')
    })
  })

  describe('a container that does not run', () => {
    it('says which image is missing and what to do', async () => {
      const outcome = await host.gear('install', '127.0.0.1:1/none', 'failing', '--start', '--wait')
      expect(outcome.exitCode).toBe(1)
      expect(outcome.stderr).toMatch(/the image 127\.0\.0\.1:1\/none could not be pulled/)
      expect(outcome.stderr).toContain(`${engine.name} pull 127`)
    })
  })
})

describe('every kind of unit file', () => {
  it('is clean in the eyes of systemd', async () => {
    const complaints = await host.sh(
      `mkdir -p /run/verify; for golden in /usr/src/gear/test/golden/units/*.service; do
         cp "$golden" /run/verify/ctr-shop-web.1.service; systemd-analyze verify /run/verify/ctr-shop-web.1.service 2>&1 | sed "s|^|$golden: |"
       done`,
    )
    expect(complaints).toBe('')
  })
})
