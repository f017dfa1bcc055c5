/**
 * Engines that hang, for real: dockerd stopped in its tracks, the locks of podman's storage held by somebody who does not let go. Nobody is kept waiting,
 * what needs no engine goes on, and once the engine is back nothing of what it missed is left.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EngineName, onBothEngines } from '../lab-engine.ts'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const ids = ['hung-stays', 'hung-stop', 'hung-delete', 'hung-start', 'hung-new']

/** Lock files of podman's storage are locked as fcntl(2) does it. */
const locker =
  'use Fcntl; open my $file, "+<", $ARGV[0] or die; my $lock = pack("s s l! l! i", F_WRLCK, 0, 0, 0, 0); fcntl($file, F_SETLKW, $lock) or die; system "systemd-notify --ready"; sleep 600'
const lockFile = '/var/lib/containers/storage/overlay-containers/containers.lock'

const hang: Readonly<Record<EngineName, { readonly begin: string; readonly end: string }>> = {
  docker: { begin: 'kill -STOP "$(cat /run/docker.pid)"', end: 'kill -CONT "$(cat /run/docker.pid)"' },
  podman: {
    begin: `systemd-run --quiet --unit=locker --service-type=notify --property=NotifyAccess=all perl -e '${locker}' ${lockFile}`,
    end: 'systemctl stop locker.service',
  },
}

onBothEngines(host, engine => {
  beforeAll(async () => {
    if (engine.name === 'podman') await host.sh('docker save gear/httpd | podman load --quiet')
    await Promise.all(['hung-stays', 'hung-stop', 'hung-delete'].map(id => host.gearDo('install', 'gear/httpd', id, '--start', '--wait')))
    await host.gearDo('install', 'gear/httpd', 'hung-start')
    await host.gearDo('status', '--output', 'json', 'hung-stays')
    await host.sh(hang[engine.name].begin)
  })
  afterAll(async () => {
    await host.exec(['sh', '-c', hang[engine.name].end])
    for (const id of ids) await host.gear('delete', '--all', id)
  })

  describe('an engine that hangs', () => {
    it('keeps nobody waiting for ever, and is named; reports and logs come as ever', async () => {
      const away = {
        exitCode: expect.any(Number),
        stderr: expect.stringMatching(/does not answer on .*: .*1[0-9]+ ?m?s.*ENGINE_UNAVAILABLE.*ps -fC podman/s),
      }
      const waiting = {
        images: host.gear('list-images'),
        exec: host.gear('exec', 'hung-stays', '--', 'true'),
        copy: host.gear('cp', 'hung-stays:/etc/passwd', '-'),
        delete: host.gear('delete', 'hung-delete'),
        deleteAll: host.gear('delete', '--all', 'hung-stop'),
        stop: host.gear('stop', 'hung-stop', '--wait'),
        install: host.gear('install', 'gear/httpd', 'hung-new'),
      }
      expect(await host.gearDo('list')).toMatch(/hung-stays +local +active/)
      expect(await host.gearDo('status', 'hung-stays')).toContain('active (running)')
      expect(await host.gearDo('status', '--output', 'json', 'hung-stays')).toContain('"activeState":"active"')
      expect(await host.gearDo('log', '--lines', '1', 'hung-stays')).toContain('hung-stays')
      for (const outcome of [waiting.images, waiting.exec, waiting.copy, waiting.delete, waiting.deleteAll])
        expect(await outcome).toMatchObject(away)
      expect(await waiting.install).toMatchObject({ exitCode: 0 })
      expect(await host.gearDo('list')).toMatch(/hung-delete +local +active.*\nhung-stays +local +active/)
      // Podman is given 25 s for a stop: by then this has ended, too, and the next one has begun.
      const purge = host.gear('purge')
      // The one that a delete has left as it was is stopped without its engine, as all are.
      expect(await waiting.stop).toMatchObject({ exitCode: 0 })
      expect(await purge).toEqual({ exitCode: 0, stdout: 'Stopped and disabled every container of local\n', stderr: '' })
      expect(await host.gearDo('list')).not.toContain('hung-')
    })

    it('takes new work, which is done when it is back', async () => {
      await host.gearDo('start', 'hung-new', 'hung-start', 'hung-stays')
      expect((await host.unit('ctr-hung-new.service', 'ActiveState')).ActiveState).toBe('activating')
    })

    it('is caught up with when it is back, and nothing half done stays', async () => {
      await host.sh(hang[engine.name].end)
      for (const id of ['hung-start', 'hung-new', 'hung-stays']) await host.untilState(id, 'active')
      await host.gearDo('delete', 'hung-delete')
      await host.untilState('hung-stop', 'inactive')
      await until('what was stopped is gone from the engine', async () => {
        const names = (await engine.list('hung')).trim().split('\n').sort().join(', ')
        return names === 'hung-new running, hung-start running, hung-stays running' || names
      })
      await until('nobody looks after it any more', async () => {
        const units = await host.sh('systemctl list-units --all --no-legend "gear-tidy-*"')
        return units === '' || units
      })
      await host.gearDo('purge')
      await host.gearDo('delete', '--all', 'hung-stop')
      expect(await engine.list('hung')).toBe('')
    })
  })
})
