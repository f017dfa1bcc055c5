/** What containers may do by default, and what an install can take from them or give them, as it is felt inside, on both engines. */
import { afterAll, describe, expect, it } from 'vitest'
import { onBothEngines } from '../lab-engine.ts'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const wait = 'trap "exit 0" TERM; while :; do sleep 1000 & wait; done'

/** Installs gear/script under the id, and gives what the script printed by the time it said done. */
async function run(id: string, script: string, ...flags: readonly string[]): Promise<string> {
  const since = (await host.do(['date', '+%F %T'])).trim()
  await host.gearDo('install', 'gear/script', id, '--start', '--wait', `SCRIPT=exec 2>&1; ${script}; echo done; ${wait}`, ...flags)
  let log = ''
  await until('the script has run', async () => {
    log = (await host.gearDo('log', id, '--since', since)).replaceAll(/^.*? systemd\[1\]: .*\n|^.*?\]: /gm, '')
    return /^done$/m.test(log) ? true : log
  })
  return log
}

const rights = 'grep -E "CapBnd|NoNewPrivs|Seccomp:" /proc/self/status | tr -s "\\t" " "'
/** A set-user-id program of root, run by somebody else: busybox says when it did not become root. */
const becomeRoot = 'mkdir /x; cp /bin/busybox /x/su; chmod 4755 /x/su; su -s /bin/sh app -c "/x/su root -c true < /dev/null"'

onBothEngines(host, engine => {
  afterAll(async () => {
    for (const id of ['hard', 'hard-usual', 'hard-ro', 'hard-soft', 'hard-calls', 'hard-quota']) await host.gear('delete', '--all', id)
    await host.sh('rm -f /etc/gear-calls.json /usr/sbin/setquota /tmp/setquota.log')
  })

  describe('a container', () => {
    it('has the same rights on both engines, and gets no more by running a program', async () => {
      const log = await run('hard', `${rights}; mknod /null c 1 3; ${becomeRoot}`)
      expect(log).toContain('CapBnd: 00000000800405fb\nNoNewPrivs: 1\nSeccomp: 2\n')
      expect(log).toContain('mknod: /null: Operation not permitted')
      expect(log).toContain('must be suid to work properly')
    })

    it('can do what the entry points of usual images do: take over a volume, become a user, listen below 1024', async () => {
      const script = 'chown app /data; touch /data/x; su -s /bin/sh app -c "id -un; touch /data/y"; httpd -p 80 -h / && echo listens'
      expect(await run('hard-usual', script, '-v', '/data')).toMatch(/^app$(?:.*\n)*listens$/m)
    })

    it('says in its status that the host is without SELinux, and has its level for hosts that have it', async () => {
      const [{ status } = { status: undefined }] = JSON.parse(await host.gearDo('status', 'hard', '--output', 'json')) as {
        status: { seLinux: string }
      }[]
      expect(status?.seLinux).toBe('off')
      expect(await host.do(['cat', '/etc/systemd/system/ctr-hard.service'])).toMatch(/label=level:s0:c\d+/)
    })

    it('writes nowhere but in memory when its file system is read-only, with no capability but those it is given', async () => {
      const script = `touch /x; touch /etc/x; touch /tmp/x /run/x && echo written; cp /bin/busybox /tmp/run; /tmp/run true; kill -0 1 && ${rights}; chown app /tmp/x`
      const log = await run('hard-ro', script, '--read-only', '--cap-drop', 'ALL', '--cap-add', 'cap_kill')
      expect(log).toContain('touch: /x: Read-only file system\ntouch: /etc/x: Read-only file system\nwritten\n')
      expect(log).toContain('/tmp/run: Permission denied')
      expect(log).toContain('\nCapBnd: 0000000000000020\n')
      expect(log).toContain('chown: /tmp/x: Operation not permitted')
    })

    it('gets more when that is asked for', async () => {
      const flags = ['--new-privileges', '--cap-add', 'NET_RAW,NET_ADMIN,MKNOD', '--seccomp-profile', 'unconfined']
      const log = await run(
        'hard-soft',
        `${rights}; mknod /null c 1 3 && echo made; ip link add name dum0 type dummy; ${becomeRoot}`,
        ...flags,
      )
      expect(log).toContain('CapBnd: 00000000880435fb\nNoNewPrivs: 0\nSeccomp: 0\n')
      expect(log).toContain('\nmade\n')
      expect(log).not.toContain('must be suid to work properly')
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
      const log = await run(
        'hard-calls',
        `mkdir /tmp/x; touch /tmp/y && echo touched; ${rights}`,
        '--seccomp-profile',
        '/etc/gear-calls.json',
      )
      expect(log).toContain("mkdir: can't create directory '/tmp/x': Operation not permitted\ntouched\n")
      expect(log).toContain('\nNoNewPrivs: 1\nSeccomp: 2\n')
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
      const storage = engine.name === 'docker' ? '/var/lib/docker' : '/var/lib/containers/storage'
      const mounts = await host.sh(`stat -c %m ${storage} /var/lib/containers | uniq`)
      expect(await host.sh('cat /tmp/setquota.log')).toBe(mounts.replaceAll(/^(.*)\n/gm, `-u ${uid} 0 10485760 0 0 $1\n`))
      expect(await host.gearDo('status', 'hard-quota', '--output', 'json')).toContain('"quota":"enforced"')
    })
  })
})
