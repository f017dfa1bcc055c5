/** Pure cgroup v2 with systemd as its one writer: where containers, what enters them and what is measured of them end up. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onBothEngines } from '../lab-engine.ts'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const wait = 'trap "exit 0" TERM; while :; do sleep 1000 & wait $!; done'

describe('the machine', () => {
  it('is one with a single control group hierarchy, and a Docker that leaves it to systemd', async () => {
    expect(await host.do(['stat', '-f', '-c', '%T', '/sys/fs/cgroup'])).toBe('cgroup2fs\n')
    expect(await host.do(['docker', 'info', '--format', '{{.CgroupVersion}} {{.CgroupDriver}}'])).toBe('2 systemd\n')
  })
})

onBothEngines(host, engine => {
  const unitGroup = '/container.slice/container-small.slice'
  const ownGroup = engine.name === 'docker' ? `${unitGroup}/docker-ID.scope` : `${unitGroup}/ctr-limited.service/libpod-payload-ID`

  /** The control group of a process as the host sees it, the engine's id of a container made equal. */
  const groupOf = async (pid: string) => (await host.do(['cat', `/proc/${pid.trim()}/cgroup`])).replace(/[0-9a-f]{64}/, 'ID')

  /** The control group of the only process of the host with these words for a command line. */
  async function groupOfCommand(words: string): Promise<string> {
    let pid = ''
    await until(`${words} runs`, async () => {
      pid = (await host.exec(['pgrep', '-x', '-f', words])).stdout
      return /^\d+\n$/.test(pid) ? true : pid
    })
    return groupOf(pid)
  }

  beforeAll(async () => {
    await host.gearDo(
      'install',
      'gear/script',
      'limited',
      '--memory',
      '64m',
      '--cpus',
      '0.5',
      '--pids',
      '50',
      '--start',
      '--wait',
      `SCRIPT=${wait}`,
    )
    await host.gearDo('install', 'gear/script', 'unlimited', '--memory', '0', '--start', '--wait', `SCRIPT=${wait}`)
  })
  afterAll(async () => {
    for (const id of ['limited', 'unlimited', 'entered']) await host.gear('delete', '--all', id)
  })

  const limits = async (id: string) =>
    host.sh(`cd /sys/fs/cgroup$(sed s/0::// /proc/${(await engine.pid(id)).trim()}/cgroup); cat memory.max cpu.max pids.max`)

  describe('a container', () => {
    it('has its group in the slice, and its limits are in the files of that group', async () => {
      expect(await groupOf(await engine.pid('limited'))).toMatch(new RegExp(`^0::${ownGroup}(/container)?\n$`))
      expect(await limits('limited')).toBe('67108864\n50000 100000\n50\n')
      expect((await limits('unlimited')).split('\n').slice(0, 2)).toEqual(['max', 'max 100000'])
    })

    it('is measured: its memory and its share of the processors', async () => {
      const current = Number(
        await host.sh(`cat /sys/fs/cgroup$(sed s/0::// /proc/${(await engine.pid('limited')).trim()}/cgroup)/memory.current`),
      )
      const [row] = (JSON.parse(await host.gearDo('top', '--once', '--output', 'json')) as { containers: Record<string, unknown>[] }[])
        .flatMap(({ containers }) => containers)
        .filter(({ id }) => id === 'limited')
      expect(row).toMatchObject({ memoryMaxBytes: 67_108_864, cpuPercent: expect.any(Number) })
      expect(Number(row?.['memoryBytes']) / current).toBeGreaterThan(0.3)
      expect(Number(row?.['memoryBytes']) / current).toBeLessThan(3)
    })

    it('holds whatever enters it: gear exec and switchns are in its group and under its limits', async () => {
      await host.sh('gear exec limited -- sleep 4321 > /dev/null 2>&1 < /dev/null &')
      expect(await groupOfCommand('sleep 4321')).toMatch(new RegExp(`^0::${ownGroup}(/container)?\n$`))
      await host.sh('switchns --container=limited -- /bin/sleep 4322 > /dev/null 2>&1 < /dev/null &')
      expect(await groupOfCommand('/bin/sleep 4322')).toMatch(new RegExp(`^0::${ownGroup}(/container)?\n$`))
      await host.gearDo('stop', 'limited', '--wait')
      expect((await host.exec(['pgrep', '-f', 'sleep 432[12]'])).stdout).toBe('')
      expect(await host.sh(`find /sys/fs/cgroup${unitGroup} -name "*-limited*"; ${engine.name} ps -q --filter name=^limited$`)).toBe('')
    })
  })

  describe('an ssh login', () => {
    it('is in the group of its container', async () => {
      await host.gearDo('install', 'gear/adduser', 'entered', '--isolate', '--start', '--wait', `SCRIPT=${wait}`)
      await host.sh(
        `rm -f /root/key*; ssh-keygen -q -t ed25519 -N '' -f /root/key; gear add-keys entered < /root/key.pub
         ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes -i /root/key ctr-entered@127.0.0.1 \\
           'exec sleep 4323' > /dev/null 2>&1 < /dev/null &`,
      )
      expect(await groupOfCommand('sleep 4323')).toMatch(
        new RegExp(`^0::${ownGroup.replace('ctr-limited', 'ctr-entered')}(/container)?\n$`),
      )
      await host.gearDo('delete', '--all', 'entered')
      expect((await host.exec(['pgrep', '-f', 'sleep 4323'])).stdout).toBe('')
      expect((await host.exec(['id', 'ctr-entered'])).exitCode).toBe(1)
    })
  })
})
