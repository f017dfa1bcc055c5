/** What containers may do by default, and what an install can take from them or give them, on both engines. */
import { afterAll, describe, expect, it } from 'vitest'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')

afterAll(async () => {
  for (const id of ['hard', 'hard.d', 'hard.p', 'hard-ro', 'hard-soft', 'hard-calls', 'hard-quota']) await host.gear('delete', '--all', id)
  await host.sh('rm -f /etc/gear-calls.json /usr/sbin/setquota /tmp/setquota.log')
})

const wait = 'trap "exit 0" TERM; while :; do sleep 1000 & wait; done'

/** Installs gear/script under the id, and gives what the script printed by the time it said done. */
async function run(id: string, script: string, ...flags: readonly string[]): Promise<string> {
  await host.gearDo('install', 'gear/script', id, '--start', '--wait', `SCRIPT=${script}; echo done; ${wait}`, ...flags)
  let log = ''
  await until('the script has run', async () => {
    log = (await host.gearDo('log', id)).replaceAll(/^.*?\]: /gm, '')
    return log.includes('\ndone\n') ? true : log
  })
  return log
}

const rights = 'grep -E "CapBnd|NoNewPrivs" /proc/self/status | tr -s "\\t" " "'

describe('a container', () => {
  it('has the same rights on both engines, and gets no more by running a program', async () => {
    for (const engine of ['docker', 'podman']) {
      const log = await run(`hard.${engine.charAt(0)}`, rights, '--engine', engine)
      expect(log).toContain('CapBnd: 00000000800405fb\nNoNewPrivs: 1\n')
    }
  })

  it('can do what the entry points of usual images do: take over a volume, become a user, listen below 1024', async () => {
    const script = 'chown app /data; touch /data/x; su -s /bin/sh app -c "id -un; touch /data/y"; httpd -p 80 -h / && echo listens'
    expect(await run('hard', script, '-v', '/data')).toMatch(/^app$(?:.*\n)*listens$/m)
  })

  it('says in its status that the host is without SELinux', async () => {
    const [{ status } = { status: undefined }] = JSON.parse(await host.gearDo('status', 'hard', '--output', 'json')) as {
      status: { seLinux: string }
    }[]
    expect(status?.seLinux).toBe('off')
    expect(await host.do(['docker', 'inspect', '--format', '{{.HostConfig.SecurityOpt}}', 'hard'])).toMatch(/label=level:s0:c\d+/)
  })

  it('writes nowhere but in memory when its file system is read-only, with no capability but those it is given', async () => {
    for (const engine of ['docker', 'podman']) {
      const script = `touch /x /etc/x; touch /tmp/x /run/x && echo written; ${rights}`
      const log = await run('hard-ro', script, '--read-only', '--cap-drop', 'ALL', '--cap-add', 'cap_kill', '--engine', engine)
      expect(log).toContain('touch: /x: Read-only file system')
      // The two outputs come to the journal each by itself.
      expect(log).toContain('\nwritten\n')
      expect(log).toContain('\nCapBnd: 0000000000000020\n')
      await host.gearDo('delete', 'hard-ro')
    }
  })

  it('gets more when that is asked for', async () => {
    expect(await run('hard-soft', rights, '--new-privileges', '--cap-add', 'NET_RAW,NET_ADMIN')).toContain(
      'CapBnd: 00000000800435fb\nNoNewPrivs: 0\n',
    )
  })

  it('may make the system calls of a profile only, which has to be there', async () => {
    expect((await host.gear('install', 'gear/script', 'hard-calls', '--seccomp-profile', '/etc/gear-calls.json')).stderr).toContain(
      'there is no /etc/gear-calls.json',
    )
    const profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }],
    }
    await host.sh('cat > /etc/gear-calls.json', { input: JSON.stringify(profile) })
    const log = await run('hard-calls', 'mkdir /tmp/x', '--seccomp-profile', '/etc/gear-calls.json')
    expect(log).toContain("mkdir: can't create directory '/tmp/x': Operation not permitted")
  })
})

describe('a quota', () => {
  it('that cannot be enforced is said so, in the journal and in the status', async () => {
    await host.gearDo('install', 'gear/adduser', 'hard-quota', '--isolate', '--quota', '10g', '--start', '--wait', `SCRIPT=${wait}`)
    expect(await host.gearDo('log', 'hard-quota')).toContain('its quota is not enforced: ')
    expect(await host.gearDo('status', 'hard-quota', '--output', 'json')).toMatch(/"quota":"not enforced: [^"]{10}/)
  })

  // No kernel of a lab has quotas, so that what setquota is asked is all that can be seen.
  it('is set for the account on each of the file systems that its files are on', async () => {
    await host.sh(`printf '#!/bin/sh\\necho "$@" >> /tmp/setquota.log\\n' > /usr/sbin/setquota && chmod +x /usr/sbin/setquota`)
    await host.gearDo('restart', 'hard-quota', '--wait')
    const uid = (await host.do(['id', '-u', 'ctr-hard-quota'])).trim()
    const mounts = await host.sh('stat -c %m /var/lib/docker /var/lib/containers | uniq')
    expect(await host.sh('cat /tmp/setquota.log')).toBe(mounts.replaceAll(/^(.*)\n/gm, `-u ${uid} 0 10485760 0 0 $1\n`))
    expect(await host.gearDo('status', 'hard-quota', '--output', 'json')).toContain('"quota":"enforced"')
  })
})
