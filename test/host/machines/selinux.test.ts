/**
 * SELinux, on the machine booted anew with it. Debian's policy permits and complains here, since its own services are not all clean under it; labels are what
 * gear is for, and they are set and compared all the same. Labels of the machine's own files are not looked at.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabEngine } from '../lab-engine.ts'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const engines = (['docker', 'podman'] as const).map(name => new LabEngine(host, name))
const daemonFile = '/etc/docker/daemon.json'
const wait = 'echo mine > /file; trap "exit 0" TERM; while :; do sleep 1000 & wait $!; done'

async function seLinux(id: string): Promise<string | undefined> {
  return (JSON.parse(await host.gearDo('status', id, '--output', 'json')) as { status: { seLinux?: string } }[])[0]?.status.seLinux
}

const install = (id: string, engine: string) =>
  host.gearDo('install', 'gear/script', id, '--engine', engine, '--start', '--wait', `SCRIPT=${wait}`)

beforeAll(async () => {
  await host.bootWith('selinux=1 security=selinux noautorelabel')
  await host.untilAgentIsUp()
})
afterAll(async () => {
  for (const { name } of engines) for (const number of [1, 2]) await host.gear('delete', '--all', `mcs-${name}-${number}`)
  await host.sh(`rm -f ${daemonFile}`)
  await host.bootWith('')
})

describe('on a host with SELinux', () => {
  it('a docker that is not told of it labels nothing, and status says so', async () => {
    expect((await host.do(['getenforce'])).trim()).toBe('Permissive')
    await install('mcs-docker-1', 'docker')
    await until('status says so', async () => {
      const said = await seLinux('mcs-docker-1')
      return said?.startsWith('not its own: the engine runs it as ') ? true : String(said)
    })
    await host.sh(`mkdir -p /etc/docker; echo '{"selinux-enabled": true}' > ${daemonFile}; systemctl restart docker.service`)
    await host.gearDo('delete', '--all', 'mcs-docker-1')
  })

  it.each(engines)('every container of $name has a level of its own, on its processes and its files, and status tells it', async engine => {
    const levels: string[] = []
    for (const id of [`mcs-${engine.name}-1`, `mcs-${engine.name}-2`]) {
      await install(id, engine.name)
      const pid = (await engine.pid(id)).trim()
      const label = (await host.sh(`tr -d '\\0' < /proc/${pid}/attr/current`)).trim()
      expect(label).toMatch(/:s0:c\d+(,c\d+){7}$/)
      const level = label.slice(label.indexOf(':s0:') + 1)
      expect(await host.sh(`ls -Z /proc/${pid}/root/file`)).toContain(`:${level} `)
      await until('status tells it', async () => ((await seLinux(id)) === level ? true : String(await seLinux(id))))
      levels.push(level)
    }
    expect(levels[0]).not.toBe(levels[1])
    await host.gearDo('restart', `mcs-${engine.name}-1`, '--wait')
    await until('it has the same level as before', async () => ((await seLinux(`mcs-${engine.name}-1`)) === levels[0] ? true : 'another'))
  })
})
