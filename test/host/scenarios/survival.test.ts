/** What survives: the agent killed at every step, a reboot, a power cut, a full disk, many callers and two writers at once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LabEngine, onBothEngines } from '../lab-engine.ts'
import { LabHost } from '../lab-host.ts'

const host = new LabHost('web1')
const page = 'It works: gear'
const faultFile = '/run/gear-fault'
const request = JSON.stringify({
  Image: 'gear/httpd',
  Ports: [{ Internal: 8080 }],
  Environment: { Id: 'doomed-env', Variables: [{ Name: 'MODE', Value: 'test' }] },
  NetworkLinks: [{ FromHost: '127.0.0.1', FromPort: 9000 }],
  Started: true,
})

/** A call that the agent may not live to answer. */
async function riskyCall(method: string, path: string, body = ''): Promise<number | 'died'> {
  const outcome = await host.exec(
    [
      'curl',
      '-q',
      '-s',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '-X',
      method,
      '--unix-socket',
      '/run/gear/gear.sock',
      '--data-binary',
      '@-',
      `http://gear${path}`,
    ],
    { input: body },
  )
  return outcome.exitCode === 0 ? Number(outcome.stdout) : 'died'
}

/** Every file, folder and link of gear with its mode and target, and every object of the engine, with what is chance made equal. */
async function inventory(lab: LabEngine): Promise<string> {
  const files = await host.sh(
    `find /var/lib/containers /etc/systemd/system -path /var/lib/containers/storage -prune -o -path '*/ports/interfaces/*' -type d -prune -false -o \\( -name '*doomed*' -o -path '*doomed*' -o -type l -path '*/ports/interfaces/*' \\) -printf '%p %y %m -> %l\\n' | sort`,
  )
  const engine = await lab.list('doomed')
  const requestIds = /[A-Za-z0-9_-]{22}(?= |$)/gm
  return `${files}${engine}`.replace(requestIds, 'REQUEST').replace(/interfaces\/1\/\d+\/\d+/g, 'interfaces/1/BLOCK/PORT')
}

onBothEngines(host, engine => {
  describe('the agent, killed at every step', () => {
    beforeAll(async () => {
      await host.sh(
        `mkdir -p /etc/systemd/system/gear.service.d
         printf '[Service]\\nEnvironment=GEARD_FAULT_FILE=${faultFile}\\nRestartSec=100ms\\nStartLimitIntervalSec=0\\n' > /etc/systemd/system/gear.service.d/fault.conf
         systemctl daemon-reload; systemctl restart gear.service`,
      )
      await host.untilAgentIsUp()
    })
    afterAll(async () => {
      await host.sh(`rm -rf ${faultFile} /etc/systemd/system/gear.service.d; systemctl daemon-reload; systemctl restart gear.service`)
      await host.untilAgentIsUp()
    })

    /** Makes the agent kill itself before the step of this number of the next plan for the container. */
    const killAt = (step: number) => host.sh(`echo 'doomed ${step}' > ${faultFile}`)

    /** Does a call with a kill before each of its steps in turn, and `check` after each repeat; the number of steps. */
    async function atEveryStep(
      prepare: () => Promise<unknown>,
      call: () => Promise<number | 'died'>,
      check: (step: number) => Promise<void>,
    ) {
      for (let step = 0; ; step++) {
        await prepare()
        await killAt(step)
        const answer = await call()
        await host.sh(`rm -f ${faultFile}`)
        if (answer !== 'died') return step
        await host.untilAgentIsUp()
        expect(await call(), `repeated after a kill before step ${step}`).toBeOneOf([202, 204])
        await check(step)
      }
    }

    it('leaves an install that the identical request finishes, with nothing besides', { timeout: 300_000 }, async () => {
      const empty = await inventory(engine)
      const install = () => riskyCall('PUT', '/container/doomed', request)
      const clear = () => riskyCall('DELETE', '/container/doomed?all=1')
      expect(await install()).toBe(204)
      await host.untilState('doomed', 'active')
      const whole = await inventory(engine)
      await clear()
      expect(await inventory(engine)).toBe(empty)

      const steps = await atEveryStep(clear, install, async step => {
        await host.untilState('doomed', 'active')
        expect(await inventory(engine), `after a kill before step ${step}`).toBe(whole)
        await clear()
        expect(await inventory(engine), `deleted after a kill before step ${step}`).toBe(empty)
      })
      expect(steps).toBeGreaterThan(8)
      await clear()
    })

    it('leaves a delete that the identical request finishes, with nothing besides', { timeout: 300_000 }, async () => {
      const empty = await inventory(engine)
      const prepare = async () => {
        expect(await riskyCall('PUT', '/container/doomed', request)).toBe(204)
        await host.untilState('doomed', 'active')
      }
      const remove = () => riskyCall('DELETE', '/container/doomed?all=1')
      const steps = await atEveryStep(prepare, remove, async step => {
        expect(await inventory(engine), `after a kill before step ${step}`).toBe(empty)
        expect((await host.unit('ctr-doomed.service', 'LoadState')).LoadState).toBe('not-found')
      })
      expect(steps).toBeGreaterThan(8)
      await riskyCall('DELETE', '/container/doomed?all=1')
    })
  })

  describe('a delete in the middle of a start', () => {
    it('leaves nothing with the engine, at whatever moment it comes', async () => {
      // An engine that has been told to make a container makes it, though whoever told it is gone.
      const left = await host.sh(
        `call() { curl -q -s -o /dev/null -w '%{http_code}\n' --unix-socket /run/gear/gear.sock "$@"; }
         for moment in 0 0.02 0.04 0.06 0.08 0.1 0.12 0.14 0.16 0.18 0.2 0.25 0.3; do
           call -X PUT http://gear/container/hasty -d '{"Image":"gear/httpd","Started":true,"Ports":[{"Internal":8080}]}'
           sleep $moment
           call -X DELETE 'http://gear/container/hasty?all=1'
           ${engine.name} ps -a --format "after $moment s: {{.Names}} {{.State}}" --filter name=hasty
         done | grep -v '^204$' || :
         ${engine.name} ps -a --format 'in the end: {{.Names}} {{.State}}' --filter name=hasty`,
      )
      expect(left).toBe('')
    })
  })

  describe('the agent', () => {
    it('can be restarted, stopped and killed without anything that runs noticing', async () => {
      await host.gearDo('install', 'gear/httpd', 'steady', '--start', '--wait', '-p', '8080:0')
      const pid = () => engine.pid('steady')
      const before = await pid()
      await host.do(['systemctl', 'restart', 'gear.service'])
      await host.do(['systemctl', 'kill', '-s', 'KILL', 'gear.service'])
      await host.untilAgentIsUp()
      expect(await pid()).toBe(before)
      await host.gearDo('delete', 'steady')
    })
  })

  describe('many callers at once', () => {
    it('start, stop and restart one container in quick succession, and it ends as the last one asked', async () => {
      await host.gearDo('install', 'gear/httpd', 'busy', '--start', '--wait', '-p', '8080:0')
      const call = (verb: string) => `${verb === 'restart' ? 'POST' : 'PUT'} ${verb}`
      const verbs = ['started', 'stopped', 'restart', 'started', 'restart', 'stopped']
      const lines = Array.from({ length: 20 }, (_, index) => call(verbs[index % verbs.length] ?? 'started')).join('\n')
      const answers = await host.sh(
        `xargs -P 20 -L 1 sh -c 'curl -q -s -o /dev/null -w "%{http_code}\\n" -X "$0" --unix-socket /run/gear/gear.sock "http://gear/container/busy/$1"'`,
        { input: `${lines}\n` },
      )
      for (const answer of answers.trim().split('\n')) expect(answer).toBeOneOf(['202', '204', '429'])
      await host.gearDo('stop', 'busy')
      await host.untilState('busy', 'inactive')
      await host.gearDo('start', 'busy', '--wait')
      await host.untilPage(await host.port('busy'), page)
      expect(await engine.containers('busy')).toHaveLength(1)
      await host.gearDo('delete', 'busy')
    })
  })

  describe.each(['reboot', 'crash'] as const)('a %s of the host, the agent removed from the boot', how => {
    it('brings back what was started, with its data, and nothing that was stopped', async () => {
      await host.gearDo('install', 'gear/httpd', 'stays', '--start', '--wait', '-p', '8080:0', '-v', '/data')
      await host.gearDo('install', 'gear/httpd', 'rests', '--start', '--wait', '-p', '8080:0')
      await host.gearDo('stop', 'rests')
      await engine.inside('stays', 'sh', '-c', 'echo kept > /data/file')
      const port = await host.port('stays')
      await host.sh('systemctl disable --now gear.service; systemctl disable --now gear.socket 2>/dev/null || true; sync')

      await host[how]()

      await host.untilPage(port, page)
      expect((await host.exec(['systemctl', 'is-active', 'gear.service'])).stdout.trim()).toBe('inactive')
      expect(await host.activeState('rests')).toBe('inactive')
      expect(await engine.inside('stays', 'cat', '/data/file')).toBe('kept\n')
      await host.sh('systemctl enable --now gear.service')
      await host.untilAgentIsUp()
      for (const id of ['stays', 'rests']) await host.gearDo('delete', '--all', id)
    })
  })
})

describe('the agent', () => {
  it('lets only one writer work: another one is told so, or goes through it', async () => {
    await host.do(['systemctl', 'stop', 'gear.service', 'gear.socket'])
    const outcomes = await Promise.all(['first', 'second', 'third'].map(id => host.gear('install', 'gear/httpd', id, '-p', '8080:0')))
    for (const outcome of outcomes) if (outcome.exitCode !== 0) expect(outcome.stderr).toContain('WRITER_BUSY')
    expect(outcomes.some(outcome => outcome.exitCode === 0)).toBe(true)
    await host.do(['systemctl', 'start', 'gear.service'])
    await host.untilAgentIsUp()
    const ports: number[] = []
    for (const id of ['first', 'second', 'third']) {
      await host.gearDo('install', 'gear/httpd', id, '-p', '8080:0')
      ports.push(await host.port(id))
    }
    expect(new Set(ports).size).toBe(3)
    for (const id of ['first', 'second', 'third']) await host.gearDo('delete', id)
  })
})

describe('many callers at once', () => {
  it('install twenty containers without sharing a port', async () => {
    await host.sh(
      `seq -w 20 | xargs -P 20 -I{} curl -q -sS -o /dev/null -f -X PUT --unix-socket /run/gear/gear.sock -d '{"Image":"gear/httpd","Ports":[{"Internal":8080},{"Internal":8081}]}' http://gear/container/many-{}`,
    )
    const ports = (await host.sh('grep -h ^X-PortMapping /var/lib/containers/units/ma/ctr-many-*.service')).trim().split('\n')
    expect(ports).toHaveLength(40)
    expect(new Set(ports.map(line => line.split(':')[1])).size).toBe(40)
    await host.sh('seq -w 20 | xargs -P 20 -I{} curl -q -sS -f -X DELETE --unix-socket /run/gear/gear.sock http://gear/container/many-{}')
    expect(await host.sh('find /var/lib/containers/ports/interfaces -type l')).toBe('')
  })
})

describe('a full disk', () => {
  it('fails an install with its reason, changes nothing, and the same request works when there is room', async () => {
    const units = '/var/lib/containers/units'
    await host.sh(`mount -t tmpfs -o size=16k,mode=0755 tmpfs ${units}; head -c 1M /dev/zero > ${units}/ballast || true`)
    const body = JSON.stringify({ Image: 'gear/httpd', Ports: [{ Internal: 8080, External: 4777 }] })
    const answer = await host.api('PUT', '/container/cramped', { body })
    expect(answer.status).toBe(500)
    expect(JSON.parse(answer.body)).toMatchObject({ Code: 'DISK_FULL' })
    expect(await host.sh('find /var/lib/containers /etc/systemd/system -name "*cramped*" -o -name 4777')).toBe('')
    await host.sh(`umount ${units}`)
    expect((await host.api('PUT', '/container/cramped', { body })).status).toBe(204)
    await host.gearDo('delete', 'cramped')
  })
})
