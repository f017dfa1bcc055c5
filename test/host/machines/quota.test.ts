/** Quotas that a file system enforces: what a container writes past its limit fails inside it. The lab's kernel has none, a machine's has. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabEngine } from '../lab-engine.ts'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const folders = '/var/lib/docker /var/lib/containers'
const services = 'gear.service docker.socket docker.service podman.socket'
const image = '/var/adduser.tar'

/** Writes 20 MB to a volume, to the file system of the container, and once more after a file was removed. */
const script = [
  'for file in /data/file /tmp/file',
  `do dd if=/dev/zero of=$file bs=1M count=20 2>&1 | grep -o "quota exceeded\\|20.0MB" | sed "s|^|$file: |"`,
  'rm -f $file',
  'done',
  'echo done',
  'trap "exit 0" TERM; while :; do sleep 1000 & wait; done',
].join('; ')

async function quotaOf(id: string): Promise<string | undefined> {
  return (JSON.parse(await host.gearDo('status', id, '--output', 'json')) as { status: { quota?: string } }[])[0]?.status.quota
}

const clear = async () => {
  for (const id of ['full-docker', 'full-podman']) await host.gear('delete', '--all', id)
}

describe.each(['ext4', 'xfs'])('on %s with user quotas', kind => {
  /** What both engines and gear keep is on disks of its own meanwhile. */
  beforeAll(async () => {
    const make = kind === 'xfs' ? 'mkfs.xfs -q' : 'mke2fs -q -t ext4 -O quota'
    await host.sh(
      `modprobe -a quota_v2 ${kind} 2> /dev/null || true
       [ -e ${image} ] || docker save -o ${image} gear/adduser
       systemctl stop ${services}
       umount /var/lib/containers/storage/overlay || true # podman takes what is hidden below another mount for its own
       for folder in ${folders}; do
         truncate -s 1G /var/quota-\${folder##*/}; ${make} /var/quota-\${folder##*/}; mount -o loop,usrquota /var/quota-\${folder##*/} $folder
       done
       systemctl start ${services}; docker load -qi ${image}; podman load -qi ${image}`,
    )
    await host.untilAgentIsUp()
  })
  afterAll(async () => {
    await clear()
    await host.sh(
      `systemctl stop ${services} containerd.service
       for folder in ${folders}; do umount -R $folder; rm /var/quota-\${folder##*/}; done
       systemctl start containerd.service ${services}`,
    )
    await host.untilAgentIsUp()
  })

  it.each((['docker', 'podman'] as const).map(name => new LabEngine(host, name)))(
    'a container of $name cannot write more',
    async ({ name }) => {
      const id = `full-${name}`
      await host.gearDo(
        'install',
        'gear/adduser',
        id,
        '--engine',
        name,
        '--isolate',
        '--quota',
        '10m',
        '--start',
        '--wait',
        `SCRIPT=${script}`,
      )
      let log = ''
      await until('it has written', async () => {
        log = (await host.gearDo('log', id)).replaceAll(/^.*?\]: /gm, '')
        return log.includes('\ndone\n') ? true : log
      })
      expect(log).toContain('/data/file: quota exceeded\n/tmp/file: quota exceeded\n')
      expect(await quotaOf(id)).toBe('enforced')
    },
  )
})

describe('on a file system without quotas', () => {
  it('it is said, and the container runs', async () => {
    const id = 'full-docker'
    await host.gearDo('install', 'gear/adduser', id, '--isolate', '--quota', '10m', '--start', '--wait', `SCRIPT=${script}`)
    expect(await quotaOf(id)).toMatch(/^not enforced: .*(quota|not found)/i)
    await clear()
  })
})
