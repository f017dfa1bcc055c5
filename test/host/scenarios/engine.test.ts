/** What can go wrong with a container and its engine, and what the unit makes of it (design of units on Docker), each tried for real. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { LabEngine, onBothEngines } from '../lab-engine.ts'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const ids = new Set<string>()

/** Installs and starts a container that does what a line of shell says. */
async function script(id: string, line: string, ...options: readonly string[]): Promise<void> {
  ids.add(id)
  await host.gearDo('install', 'gear/script', id, `SCRIPT=${line}`, '--env-id', `${id}-e`, '--start', ...options)
}

interface Report {
  readonly ActiveState: string
  readonly ExitCode?: number
  readonly OomKilled?: boolean
  readonly Cause?: string
  readonly Next?: string
  readonly Lines?: readonly string[]
}

const report = async (id: string): Promise<Report> =>
  JSON.parse((await host.api('GET', `/container/${id}/status?lines=20`, { headers: ['Accept: application/json'] })).body)

/** Also of the next engine, on which the same names are used. */
async function cleanUp(): Promise<void> {
  for (const id of ids) await host.gear('delete', '--all', id)
  ids.clear()
}

onBothEngines(host, engine => {
  afterAll(cleanUp)

  describe('the end of a container', () => {
    it('by an exit code is a failure that says so, with its last words', async () => {
      await script('ends', 'echo some last words; exit 3', '--restart', 'no')
      await host.untilState('ends', 'failed')
      expect(await host.unit('ctr-ends.service', 'Result', 'ExecMainStatus')).toEqual({ Result: 'exit-code', ExecMainStatus: '3' })
      expect(await report('ends')).toMatchObject({ ActiveState: 'failed', ExitCode: 3, Cause: 'its process ended with exit code 3' })
      await until('the log has the last words', async () =>
        (await host.gearDo('log', 'ends')).includes('some last words') ? true : 'it has not',
      )
      expect(await host.gearDo('status', 'ends').catch(String)).toContain('some last words')
      expect(await engine.containers('ends')).toEqual([])
    })

    it('by exit code 0 is an end, not a failure', async () => {
      await script('done', 'exit 0')
      await host.untilState('done', 'inactive')
      expect((await host.unit('ctr-done.service', 'Result')).Result).toBe('success')
    })

    it('on request is inactive, though the application ends with 143; the same code unasked is a failure', async () => {
      const line = 'trap "exit 143" TERM; while :; do sleep 1 & wait $!; done'
      await script('asked', line, '--restart', 'no', '--wait')
      await host.do(['systemctl', 'stop', 'ctr-asked.service'])
      expect(await host.unit('ctr-asked.service', 'ActiveState', 'Result')).toEqual({ ActiveState: 'inactive', Result: 'success' })
      await host.gearDo('start', 'asked', '--wait')
      await engine.do('kill', '-s', 'TERM', 'asked')
      await host.untilState('asked', 'failed')
      expect((await report('asked')).Cause).toMatch(/signal SIGTERM .*143/)
    })

    it('for want of memory is told with the limit', async () => {
      await script('hungry', 'x=aaaaaaaa; while :; do x=$x$x; done', '--memory', '20m', '--restart', 'no')
      await host.untilState('hungry', 'failed')
      expect(await report('hungry')).toMatchObject({
        OomKilled: true,
        Cause: 'it was killed because it needed more than its memory limit of 20 MiB',
      })
    })

    it('again and again is followed by longer and longer waits, and at last by giving up, which a requested start forgets', async () => {
      await host.sh(
        'mkdir -p /etc/systemd/system/ctr-loops.service.d; printf "[Unit]\\nStartLimitBurst=4\\n" > /etc/systemd/system/ctr-loops.service.d/limit.conf',
      )
      await script('loops', 'exit 1')
      await until('systemd has given up', async () => {
        const state = await host.activeState('loops')
        return state === 'failed' ? true : state
      })
      expect((await report('loops')).Cause).toMatch(/^it failed too often .* exit code 1$/)
      expect(await host.sh('journalctl -u ctr-loops --no-pager -o cat | grep "in a row" | head -1')).toMatch(/next start in 1 s/)
      await host.gearDo('set-env', 'loops-e', 'SCRIPT=sleep 600')
      await host.gearDo('start', 'loops', '--wait')
      expect(await host.activeState('loops')).toBe('active')
      await host.sh('rm -r /etc/systemd/system/ctr-loops.service.d; systemctl daemon-reload')
    })

    it('of its waiter alone does not leave two of it', async () => {
      await script('watched', 'sleep 600', '--wait')
      const before = await engine.pid('watched')
      const { MainPID } = await host.unit('ctr-watched.service', 'MainPID')
      await host.do(['kill', '-KILL', MainPID])
      await until('it was started anew', async () => {
        const { NRestarts, ActiveState } = await host.unit('ctr-watched.service', 'NRestarts', 'ActiveState')
        return NRestarts === '1' && ActiveState === 'active' ? true : `${NRestarts} ${ActiveState}`
      })
      expect(await engine.containers('watched')).toHaveLength(1)
      expect(await engine.pid('watched')).not.toBe(before)
    })
  })

  describe('a start that fails', () => {
    it('because a program has its port says which reason it was', async () => {
      ids.add('ported')
      await host.gearDo('install', 'gear/httpd', 'ported', '-p', '8080:4888', '--restart', 'no')
      await host.sh('systemd-run --quiet --unit=occupier busybox nc -ll -p 4888 -e true; sleep 0.2')
      const outcome = await host.gear('start', 'ported', '--wait')
      expect(outcome.exitCode).toBe(1)
      expect(outcome.stderr).toMatch(/external port is used by another program/)
      const conflict = await host.gear('install', 'gear/httpd', 'ported2', '-p', '8080:4888')
      expect(conflict.stderr).toMatch(/4888.*PORT_TAKEN/s)
      await host.sh('systemctl stop occupier')
      await host.gearDo('start', 'ported', '--wait')
    })

    it('because the name is taken leaves the foreign container alone', async () => {
      ids.add('foreign')
      await host.gearDo('install', 'gear/httpd', 'foreign', '--restart', 'no')
      await engine.do('run', '-d', '--name', 'foreign', 'gear/busybox')
      const before = await engine.pid('foreign')
      const outcome = await host.gear('start', 'foreign', '--wait')
      expect(outcome.stderr).toMatch(/that gear did not make/)
      await host.gearDo('delete', 'foreign')
      expect(await engine.pid('foreign')).toBe(before)
      const refused = await host.gear('install', 'gear/httpd', 'foreign')
      expect(refused.stderr).toContain('NAME_TAKEN')
      await engine.do('rm', '-f', 'foreign')
    })
  })

  describe('data', () => {
    it('outlives restarts, stops and a killed host process, in volumes that were asked for or that the image declares', async () => {
      ids.add('keeper')
      await engine.makeImage('keeps/declared', 'VOLUME ["/declared"]', 'CMD ["sh","-c","trap exit TERM; while :; do sleep 1 & wait; done"]')
      await host.gearDo('install', 'keeps/declared', 'keeper', '-v', '/asked', '--start', '--wait')
      await engine.inside('keeper', 'sh', '-c', 'echo one > /asked/file; echo two > /declared/file')
      await until('ID-data holds the volumes', async () => ((await engine.containers('keeper-data')).length === 1 ? true : 'no'))
      await host.gearDo('restart', 'keeper', '--wait')
      await host.gearDo('stop', 'keeper')
      await host.gearDo('start', 'keeper', '--wait')
      expect(await engine.inside('keeper', 'cat', '/asked/file', '/declared/file')).toBe('one\ntwo\n')
      await host.gearDo('delete', 'keeper')
      expect(await engine.containers('keeper-data')).toHaveLength(1)
      await host.gearDo('install', 'keeps/declared', 'keeper', '-v', '/asked', '--start', '--wait')
      expect(await engine.inside('keeper', 'cat', '/asked/file')).toBe('one\n')
      const volumes = await engine.do('volume', 'ls', '-q')
      await host.gearDo('delete', '--all', 'keeper')
      expect(await engine.containers('keeper')).toEqual([])
      expect(await engine.containers('keeper-data')).toEqual([])
      expect(volumes.split('\n')).toHaveLength((await engine.do('volume', 'ls', '-q')).split('\n').length + 2)
    })

    it('goes with --all also where the container had no time to leave it, or went before', async () => {
      ids.add('brief')
      const volumes = () => engine.do('volume', 'ls', '-q')
      const before = await volumes()
      const install = () => host.gearDo('install', 'gear/httpd', 'brief', '-v', '/kept', '--start')
      for (let turn = 0; turn < 3; turn++) {
        await install()
        await host.gearDo('delete', '--all', 'brief')
        expect(await volumes()).toBe(before)
      }
      await install()
      await until('it has a volume', async () => ((await volumes()) === before ? 'not yet' : true))
      await host.gearDo('delete', 'brief')
      expect(await engine.containers('brief-data')).toHaveLength(1)
      await host.gearDo('delete', '--all', 'brief')
      expect(await engine.containers('brief-data')).toEqual([])
      expect(await volumes()).toBe(before)
    })

    it.each(['/x:y', '/p\\nq'])('of an image with a volume path %s could not be kept, so it is not started', async path => {
      ids.add('oddly')
      await engine.makeImage('odd/volumes', `VOLUME ["${path}"]`, 'CMD ["sleep","600"]')
      const outcome = await host.gear('install', 'odd/volumes', 'oddly', '--start', '--wait', '--restart', 'no')
      expect(outcome).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/could not be kept.*VOLUME.*START_FAILED/s) })
      expect(await engine.containers('oddly')).toEqual([])
      await host.gearDo('delete', 'oddly')
    })

    it('of an image whose volume path is made to look like a mount of the host gives it nothing of the host', async () => {
      ids.add('escape')
      await engine.makeImage('evil/volumes', 'VOLUME ["/x\\n/:/host"]', 'CMD ["sleep","600"]')
      expect((await host.gear('install', 'evil/volumes', 'escape', '--start', '--wait', '--restart', 'no')).stderr).toContain('line break')
      expect((await host.gear('restart', 'escape', '--wait')).stderr).toContain('line break')
      expect(
        await host.sh(
          "docker ps -aq --filter name=escape | xargs -r docker inspect -f '{{.HostConfig.Binds}}{{range .Mounts}}{{.Type}} {{end}}'",
        ),
      ).not.toMatch(/bind|:\/host/)
    })
  })

  describe('the journal', () => {
    it('keeps every line of a quiet container beside one that chatters', async () => {
      await script(`chatter-${engine.name}`, 'i=0; while [ $i -lt 60000 ]; do echo chatter $i; i=$((i+1)); done; sleep 600', '--wait')
      await script(`quietly-${engine.name}`, 'i=0; while [ $i -lt 20 ]; do echo quiet $i; i=$((i+1)); sleep 0.2; done; sleep 600', '--wait')
      const lines = (id: string, word: string) => host.sh(`journalctl -u ctr-${id} --no-pager -o cat | grep -c "^${word} " || true`)
      await until('all lines are there', async () => {
        const seen = `${(await lines(`quietly-${engine.name}`, 'quiet')).trim()} ${(await lines(`chatter-${engine.name}`, 'chatter')).trim()}`
        return seen === '20 60000' ? true : seen
      })
    })
  })

  describe('a link', () => {
    it('makes a port of another container look local, inside an image without any tool', async () => {
      for (const id of ['target', 'source']) ids.add(id)
      await host.gearDo('install', 'gear/httpd', 'target', '--start', '--wait', '-p', '8080:0')
      const port = await host.port('target')
      await host.gearDo('install', 'gear/busybox', 'source', '--start', '--wait', '-n', `127.0.0.1:9000:localhost:${port}`)
      expect(await engine.inside('source', 'wget', '-q', '-O', '-', 'http://127.0.0.1:9000/')).toContain('It works: gear')
      const pid = await engine.pid('source')
      expect(await host.do(['nsenter', '-t', pid, '-n', 'iptables', '-t', 'nat', '-L', '-n'])).toMatch(
        new RegExp(`dpt:9000 to:\\S+:${port}`),
      )
    })
  })

  describe('an id that was deleted', () => {
    it('starts its new image when it is installed again, also after a reload and a reboot held the old unit', async () => {
      ids.add('reborn')
      await host.gearDo('install', 'gear/exit0', 'reborn', '--start', '--wait')
      await host.reboot()
      await host.untilState('reborn', 'active')
      await host.gearDo('delete', 'reborn')
      await host.do(['systemctl', 'daemon-reload'])
      await host.gearDo('install', 'gear/httpd', 'reborn', '--start', '--wait')
      expect(await engine.imageOf('reborn')).toBe('gear/httpd')
    })
  })
})

describe('docker', () => {
  const engine = new LabEngine(host, 'docker')
  const patient = 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done'
  beforeAll(() => script('patient', patient, '--wait'))
  afterAll(cleanUp)
  afterEach(async () => {
    await host.sh('systemctl reset-failed docker.service docker.socket; systemctl start docker.socket docker.service')
  })

  async function comesBack(before: string): Promise<void> {
    await until('the container runs anew', async () => {
      const { ActiveState } = await host.unit('ctr-patient.service', 'ActiveState')
      const pid = (await host.exec(['docker', 'inspect', '-f', '{{.State.Pid}}', 'patient'])).stdout.trim()
      return ActiveState === 'active' && pid !== '' && pid !== '0' && pid !== before ? true : `${ActiveState} ${pid}`
    })
    expect(await engine.containers('patient')).toHaveLength(1)
  }

  it('that is restarted has its containers started again, also one that ends with 0 on TERM', async () => {
    const before = await engine.pid('patient')
    await host.do(['systemctl', 'restart', 'docker.service'])
    await comesBack(before)
  })

  it('that is killed has its containers started again', async () => {
    const before = await engine.pid('patient')
    await host.sh('kill -KILL $(cat /run/docker.pid)')
    await comesBack(before)
  })

  it('that an administrator stops stays stopped, and its containers come back with it', async () => {
    const before = await engine.pid('patient')
    await host.sh('systemctl stop docker.service')
    await host.sh('sleep 4')
    expect((await host.exec(['systemctl', 'is-active', 'docker.service'])).stdout.trim()).not.toBe('active')
    await host.do(['systemctl', 'start', 'docker.service'])
    await comesBack(before)
  })

  it('with live-restore may be restarted and killed under its containers: nothing restarts', async () => {
    await host.sh(
      'systemctl reset-failed docker.service; mkdir -p /etc/docker; echo "{\\"live-restore\\": true}" > /etc/docker/daemon.json; systemctl reload docker.service',
    )
    const before = await engine.pid('patient')
    await host.do(['systemctl', 'restart', 'docker.service'])
    expect(await engine.pid('patient')).toBe(before)
    await host.sh('systemctl reset-failed docker.service')
    await host.sh('kill -KILL $(cat /run/docker.pid); sleep 1; systemctl start docker.service')
    expect(await engine.pid('patient')).toBe(before)
    expect(await host.unit('ctr-patient.service', 'ActiveState', 'NRestarts')).toMatchObject({ ActiveState: 'active' })
    await engine.do('kill', '-s', 'KILL', 'patient')
    await comesBack(before)
    await host.sh('rm /etc/docker/daemon.json; systemctl restart docker.service')
    await until('it runs again', async () => ((await host.activeState('patient')) === 'active' ? true : 'not yet'))
  })
})
