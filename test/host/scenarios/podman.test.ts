/** What is special to Podman: no daemon, many processes at one storage, damage of that storage, two runtimes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabEngine } from '../lab-engine.ts'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web2')
const podman = new LabEngine(host, 'podman')
const ids = new Set<string>()

async function install(id: string, image: string, ...options: readonly string[]): Promise<void> {
  ids.add(id)
  await host.gearDo('install', image, id, '--engine', 'podman', ...options)
}

beforeAll(async () => {
  await host.sh('systemctl stop podman.socket podman.service')
})
afterAll(async () => {
  for (const id of ids) await host.gear('delete', '--all', id)
})

describe('the choice of an engine', () => {
  it('is docker where its socket answers, podman where not, and what was said where something was', async () => {
    ids.add('found')
    await install('said', 'gear/httpd')
    await host.sh('systemctl stop docker.socket docker.service')
    await host.gearDo('install', 'gear/httpd', 'found', '--start', '--wait')
    await host.sh('systemctl start docker.socket docker.service')
    ids.add('usual')
    await host.gearDo('install', 'gear/httpd', 'usual')
    const engineOf = async (id: string) => JSON.parse(await host.gearDo('status', id, '--output', 'json'))[0].status.engine
    expect(await Promise.all(['said', 'found', 'usual'].map(engineOf))).toEqual(['podman', 'podman', 'docker'])
    expect(await podman.containers('found')).toHaveLength(1)
    expect((await host.gear('install', 'gear/httpd', 'found', '--engine', 'docker')).stderr).toContain('ENGINE_DIFFERS')
    expect(await host.gearDo('list-images', '--engine', 'podman')).toContain('localhost/gear/httpd:latest')
    expect(await host.gearDo('list-images')).toContain('gear/httpd:latest')
  })
})

describe('a container on podman', () => {
  it('has conmon for its main process, needs no service of podman, and adds less than 3 MB', async () => {
    await install('lean', 'gear/httpd', '-p', '8080:0', '--start', '--wait')
    const { MainPID } = await host.unit('ctr-lean.service', 'MainPID')
    expect(await host.do(['cat', `/proc/${MainPID}/comm`])).toBe('conmon\n')
    const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(await host.do(['cat', `/proc/${MainPID}/status`]))?.[1])
    expect(kilobytes).toBeLessThan(3072)
    expect((await host.exec(['systemctl', 'is-active', 'podman.service', 'podman.socket'])).stdout).toBe('inactive\ninactive\n')
  })

  it('is limited as it was asked, and no further', async () => {
    await install('tight', 'gear/script', 'SCRIPT=sleep 600', '--env-id', 'tight-e', '--memory', '64m', '--pids', '50', '--start', '--wait')
    await install('loose', 'gear/script', '--env-id', 'tight-e', '--memory', '0', '--start', '--wait')
    const limits = async (id: string) =>
      host.sh(
        `group=$(sed -n "s/^[0-9]*:memory://p" /proc/${await podman.pid(id)}/cgroup)
         cat /sys/fs/cgroup/memory$group/memory.limit_in_bytes /sys/fs/cgroup/pids$group/pids.max /sys/fs/cgroup/pids\${group%/*}/pids.max`,
      )
    expect(await limits('tight')).toBe('67108864\n50\nmax\n')
    expect(await limits('loose')).toMatch(/^9223372036854\d+\nmax\nmax\n$/)
  })

  it('that ignores TERM ends soon after its conmon was killed, and is told to have lost it', async () => {
    await install('deaf', 'gear/script', 'SCRIPT=trap "" TERM; sleep 600', '--env-id', 'deaf-e', '--restart', 'no', '--start', '--wait')
    const pid = await podman.pid('deaf')
    await host.do(['systemctl', 'kill', '--kill-who=main', '-s', 'KILL', 'ctr-deaf.service'])
    await host.untilState('deaf', 'failed')
    expect((await host.exec(['kill', '-0', pid])).exitCode).not.toBe(0)
    expect(await podman.containers('deaf')).toEqual([])
    expect(JSON.parse(await host.gearDo('status', 'deaf', '--output', 'json'))[0].status.cause).toContain(
      'the process that watched it was killed',
    )
  })

  it('leaves its ten lines to the application', async () => {
    await install(
      'brief',
      'gear/script',
      'SCRIPT=i=0; while [ $i -lt 9 ]; do echo line $i; i=$((i+1)); done; trap "exit 0" TERM; sleep 600 & wait',
      '--env-id',
      'brief-e',
    )
    await host.gearDo('start', 'brief', '--wait')
    await host.gearDo('restart', 'brief', '--wait')
    await until('the last lines are those of the application', async () => {
      const text = await host.gearDo('status', 'brief')
      return /line 0\n(.*line \d\n){8}/.test(text) && !/podman\[|container (create|start|init)/.test(text) ? true : text
    })
  })

  it('starts beside twenty others that start at once', async () => {
    const many = Array.from({ length: 20 }, (_, index) => `many-${String(index).padStart(2, '0')}`)
    for (const id of many) ids.add(id)
    await host.gearDo('install', 'gear/httpd', ...many, '--engine', 'podman', '-p', '8080:0')
    await host.sh("seq -f 'ctr-many-%02.0f.service' 0 19 | xargs systemctl start")
    const states = await host.sh("systemctl show -P ActiveState -P NRestarts 'ctr-many-*.service' | grep . | sort | uniq -c")
    expect(states.split('\n').map(line => line.trim())).toEqual(['20 0', '20 active', ''])
    for (const id of [many[0] ?? '', many[19] ?? '']) await host.untilPage(await host.port(id), 'It works: gear')
    await host.gearDo('delete', ...many)
    expect(await podman.list('many')).toBe('')
  })

  it('runs with the other runtime where the first one refuses the cgroups of the host', async () => {
    await host.sh(`printf '#!/bin/sh\\ncase "$*" in *create*) echo "crun: invalid cgroup: no such device" >&2; exit 1; esac\\nexec /root/crun.real "$@"\\n' > /root/crun.refusing
      cp /usr/bin/crun /root/crun.real; chmod +x /root/crun.refusing; mount --bind /root/crun.refusing /usr/bin/crun`)
    try {
      await install('moody', 'gear/httpd', '-p', '8080:0', '--start', '--wait')
      expect(await podman.do('inspect', '-f', '{{.OCIRuntime}}', 'moody')).toBe('runc\n')
      expect(await host.do(['cat', '/run/containers/podman-runtime'])).toBe('runc\n')
      await host.gearDo('restart', 'moody', '--wait')
      await host.untilPage(await host.port('moody'), 'It works: gear')
      await host.gearDo('delete', 'moody')
    } finally {
      await host.sh('umount /usr/bin/crun; rm -f /run/containers/podman-runtime /root/crun.*')
    }
  })
})

describe('storage that a power cut has damaged', () => {
  const registry = '127.0.0.1:5000'
  const storage = '/var/lib/containers/storage'

  beforeAll(async () => {
    const config = 'version: 0.1\nstorage: {filesystem: {rootdirectory: /var/lib/lab-registry}}\nhttp: {addr: "127.0.0.1:5000"}\n'
    await host.sh(
      `cat > /run/registry.yml; systemd-run --quiet --unit=registry docker-registry serve /run/registry.yml
       printf '[[registry]]\\nlocation = "${registry}"\\ninsecure = true\\n' > /etc/containers/registries.conf.d/lab.conf`,
      { input: config },
    )
    await until('the registry answers', async () =>
      (await host.exec(['curl', '-q', '-s', `http://${registry}/v2/`])).exitCode === 0 ? true : 'not yet',
    )
    await host.sh(`docker tag gear/httpd ${registry}/shop; docker push -q ${registry}/shop; docker rmi ${registry}/shop`)
    await install('mended', `${registry}/shop`, '-p', '8080:0', '-v', '/data,/more', '--start', '--wait')
    await podman.inside('mended', 'sh', '-c', 'echo kept > /data/file')
    await untilHeld()
    await install('broken', 'gear/exit0', '--restart', 'on-failure')
  })
  afterAll(() => host.sh(`systemctl stop registry; rm -f /etc/containers/registries.conf.d/lab.conf`))

  /** The data container is made after the start, and anew when it was damaged. */
  const untilHeld = () =>
    until(
      'the data of the container are held',
      async () => (await host.exec(['podman', 'container', 'inspect', 'mended-data'])).exitCode === 0 || 'not yet',
    )
  /** What was written before any damage is there, in the only volumes there are for it, and so it is at the next start. */
  const expectData = async () => {
    const volumesOf = async (id: string) =>
      (await podman.do('inspect', '-f', '{{range .Mounts}}{{println .Destination .Name}}{{end}}', id)).trim().split('\n').sort()
    expect(await podman.inside('mended', 'cat', '/data/file')).toBe('kept\n')
    await untilHeld()
    expect(await volumesOf('mended-data')).toEqual(await volumesOf('mended'))
    expect((await host.gear('restart', 'mended', '--wait')).stderr).not.toContain('damaged')
    expect(await podman.inside('mended', 'cat', '/data/file')).toBe('kept\n')
  }

  it('is fetched anew from the registry, and the container runs', async () => {
    await host.sh('systemctl stop ctr-mended')
    await host.sh(`: > ${storage}/overlay-layers/layers.json`)
    const outcome = await host.gear('start', 'mended', '--wait')
    expect(outcome.stderr).toMatch(/is damaged in podman's storage and is fetched anew/)
    expect(outcome.exitCode).toBe(0)
    await host.untilPage(await host.port('mended'), 'It works: gear')
    await expectData()
  })

  it('of containers: what is left of a run goes, and its successor has its data', async () => {
    await host.sh('systemctl stop ctr-mended')
    await podman.do('create', '--name', 'mended', '--label', 'gear.id=mended', '--volumes-from', 'mended-data', `${registry}/shop`)
    await host.sh(`: > ${storage}/overlay-containers/containers.json`)
    const outcome = await host.gear('start', 'mended', '--wait')
    expect(outcome.stderr).toMatch(/the container of an earlier run is damaged/)
    expect(outcome.stderr).toMatch(/the container that holds its data is damaged in podman's storage; the data are not/)
    expect(outcome.exitCode).toBe(0)
    await expectData()
  })

  it('of containers, which the start of another one has filled again, costs no data', async () => {
    await host.sh(`systemctl stop ctr-mended; : > ${storage}/overlay-containers/containers.json`)
    await install('early', `${registry}/shop`, '--start', '--wait')
    await host.gearDo('start', 'mended', '--wait')
    await expectData()
  })

  it('of a container that runs: it goes on, and nothing of it stays when it is deleted', async () => {
    await install('lost', 'gear/httpd', '-p', '8080:0', '--start', '--wait')
    await host.sh(`: > ${storage}/overlay-containers/containers.json`)
    await host.untilPage(await host.port('lost'), 'It works: gear')
    await host.gearDo('delete', '--all', 'lost')
    await until('it is gone', async () => (await podman.list('lost')) === '' || podman.list('lost'))
  })

  it('that cannot be fetched again is said, and the restarts come to an end', async () => {
    await host.sh(
      'mkdir -p /etc/systemd/system/ctr-broken.service.d; printf "[Unit]\\nStartLimitBurst=3\\n" > /etc/systemd/system/ctr-broken.service.d/limit.conf; systemctl daemon-reload',
    )
    const outcome = await host.gear('start', 'broken', '--wait')
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stderr).toMatch(/storage is damaged: .*could not be fetched anew/)
    await host.untilState('broken', 'failed')
    expect(JSON.parse(await host.gearDo('status', 'broken', '--output', 'json'))[0].status.cause).toMatch(/^it failed too often .*damaged/)
    await host.sh('rm -r /etc/systemd/system/ctr-broken.service.d; systemctl daemon-reload')
  })
})
