/** Containers that run as an account of their own (spec §7): what they are on the host, in their image, and when an image cannot. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const base = '/var/lib/containers'
const ofHost = '/var/lib/docker/of-1000'
/** Folders of the host at a path of its own, at that of a volume of the image, and below that of another. */
const mounts = ['/srv/of-1000:/mnt', `${ofHost}/at:/data/logs`, `${ofHost}/below:/srv/volume/below`].flatMap(mount => ['-v', mount])

/** Makes an image of one of the lab's: what the script did inside, and the changes of a Dockerfile. */
async function makeImage(name: string, script: string, ...changes: readonly string[]): Promise<void> {
  await host.do(['docker', 'run', '--name', 'image-maker', 'gear/adduser', '/bin/sh', '-euc', script])
  await host.do(['docker', 'commit', ...changes.flatMap(change => ['--change', change]), 'image-maker', name])
  await host.do(['docker', 'rm', '--volumes', 'image-maker'])
}

/** An image of the host's own programs, as Debian's images have them: dash, coreutils, useradd, setpriv. */
async function makeDebian(name: string, programs: string): Promise<void> {
  await host.sh(`
    mkdir -p /tmp/debian/etc && cd /tmp/debian
    for program in ${programs}; do
      file=$(readlink -f "$(command -v $program)")
      { echo "$file"; ldd "$file" | grep -o '/[^ ]*'; } | xargs -n 1 -I {} sh -c 'mkdir -p ".$(dirname {})"; cp -L {} .{}'
      [ "$file" = "$(command -v $program)" ] || cp -L "$file" ".$(command -v $program)"
    done
    mkdir -p usr/bin bin tmp && cp usr/bin/dash bin/sh && cp -r --parents /etc/login.defs /etc/pam.d /etc/nsswitch.conf .
    printf 'root:x:0:0:root:/root:/bin/sh\\n' > etc/passwd
    printf 'root:x:0:\\n' > etc/group
    tar -c . | docker import --change 'CMD ["sh", "-c", "id -u; id -G; echo $HOME; trap \\"exit 0\\" TERM; while :; do sleep 1000 & wait; done"]' - ${name}
    rm -r /tmp/debian`)
}

/** An image on both engines that has a script in the place of its shell. */
async function makeShell(name: string, script: string): Promise<void> {
  await host.sh(
    `
    mkdir -p /tmp/shell/bin && cp /bin/busybox /tmp/shell/bin && cat > /tmp/shell/bin/sh && chmod 755 /tmp/shell/bin/sh
    tar -C /tmp/shell -c . | docker import --change 'CMD ["/bin/busybox", "sleep", "1000"]' - ${name}
    docker save ${name} | podman load --quiet
    rm -r /tmp/shell`,
    { input: `#!/bin/busybox sh\n${script}\n` },
  )
}

beforeAll(async () => {
  // The last two lie on the file system of the volumes.
  await host.sh(`mkdir -p /srv/of-1000 ${ofHost}/at/deep ${ofHost}/below/deep && chown -R 1000:1000 /srv/of-1000 ${ofHost}`)
  const show = `#!/bin/sh
trap 'echo bye; exit 7' TERM
for argument; do printf '<%s>' "$argument"; done
echo
id
ls -lnd /srv/own /srv/own/file /mnt /data
while :; do sleep 1000 & wait; done
`
  await makeImage(
    'isolate/user',
    `mkdir -p /srv/own /data; echo mine > /srv/own/file; chown -R app:app /srv/own; printf %s '${show.replaceAll("'", "'\\''")}' > /show; chmod +x /show`,
    'USER app',
    'VOLUME /data',
    // as it may be written
    'VOLUME /data/logs/',
    'VOLUME /srv/volume',
    `ENTRYPOINT ["/show", "it's", "a  b", "$HOME", "\`id\`", "\\"quoted\\"", "back\\\\slash", "new\\nline", ""]`,
    'CMD ["last *"]',
  )
  await makeDebian('isolate/debian', 'dash id sleep chown find mkdir cat rm useradd groupadd setpriv')
  await makeDebian('isolate/neither', 'dash id sleep chown find mkdir cat rm setpriv')
})

afterAll(async () => {
  for (const id of ['iso-plain', 'iso-user', 'iso-debian', 'iso-neither', 'iso-old', 'iso-podman', 'iso-podman.2', 'iso-flood'])
    await host.gear('delete', '--all', id)
  await host.exec(['docker', 'rmi', 'isolate/user', 'isolate/debian', 'isolate/neither', 'isolate/flood'])
  await host.exec(['podman', 'rmi', 'isolate/user', 'isolate/neither', 'isolate/flood'])
  await host.sh(`rm -rf ${ofHost}`)
})

/** The number of the container's account, and of the user of its first process as the host sees it. */
async function numbers(id: string): Promise<{ account: string; process: string }> {
  const account = await host.do(['id', '-u', `ctr-${id}`])
  const pid = await host.do(['docker', 'inspect', '--format', '{{.State.Pid}}', id])
  return { account, process: await host.sh(`stat -c %u /proc/${pid.trim()}`) }
}

const ownersOfHostFolders = () => host.sh(`find /srv/of-1000 ${ofHost} -printf '%U %G\\n' | sort -u`)

describe('an isolated container', () => {
  it('runs as an account of the host that is made when it starts, whatever user its image has none of', async () => {
    const script =
      'echo $HOME; id -un; touch /data/x /extra/y; echo heard > /dev/stderr; trap "exit 0" TERM; while :; do sleep 1000 & wait; done'
    await host.gearDo('install', 'gear/adduser', 'iso-plain', '--isolate', '--start', '--wait', '-v', '/extra', `SCRIPT=${script}`)
    await until('the command runs', async () => ((await host.gearDo('log', 'iso-plain')).includes('heard') ? true : 'not yet'))
    const { account, process } = await numbers('iso-plain')
    expect(process).toBe(account)
    expect(await host.do(['getent', 'passwd', 'ctr-iso-plain'])).toMatch(
      /^ctr-iso-plain:x:(\d+):\1:Container user:\/var\/lib\/containers\/home\/is\/iso-plain\/home:\/bin\/sh$/m,
    )
    const log = await host.gearDo('log', 'iso-plain')
    for (const line of ['/home/container', 'container']) expect(log).toMatch(new RegExp(`: ${line}$`, 'm'))
    expect(await host.do(['docker', 'exec', 'iso-plain', 'stat', '-c', '%u %g', '/data/x', '/extra/y'])).toBe(
      `${account.trim()} ${account.trim()}\n`.repeat(2),
    )
  })

  it('has the files and modes on the host that other programs rely on', async () => {
    const stat = (path: string) => host.do(['stat', '-c', '%a %U', path])
    expect(await stat(`${base}/home/is/iso-plain/home`)).toBe('700 ctr-iso-plain\n')
    expect(await stat('/var/run/containers/is/iso-plain/container-init.sh')).toBe('700 root\n')
    expect(await stat('/var/run/containers/is/iso-plain/container-cmd.sh')).toBe('705 root\n')
    expect(await host.do(['cat', `${base}/units/is/ctr-iso-plain.service`])).toContain('\nX-ContainerType=isolated\n')
  })

  it('gives the user of its image the number of its account, and runs its entry point and command to the letter', async () => {
    await host.gearDo('install', 'isolate/user', 'iso-user', '--isolate', '--start', '--wait', ...mounts)
    await until('the command runs', async () => ((await host.gearDo('log', 'iso-user')).includes('uid=') ? true : 'not yet'))
    const { account, process } = await numbers('iso-user')
    expect(process).toBe(account)
    const uid = account.trim()
    const log = await host.gearDo('log', 'iso-user')
    expect(log).toContain(`<it's><a  b><$HOME><\`id\`><"quoted"><back\\slash><new`)
    expect(log).toContain('line><><last *>')
    expect(log).toContain(`uid=${uid}(app) gid=${uid}(app)`)
    for (const path of ['/srv/own', '/srv/own/file', '/data']) {
      expect(log).toMatch(new RegExp(` ${uid} +${uid} .* ${path.replaceAll('/', '\\/')}$`, 'm'))
    }
  })

  it('takes a user in every form that images give it, and says which it cannot find', async () => {
    const forms = ['app:root', '4321:5000', 'nosuch']
    const script = 'touch /given; chown 4321:5000 /given'
    const command =
      'CMD ["sh", "-c", "id -u; id -g; stat -c file:%u:%g /given; trap \\"exit 0\\" TERM; while :; do sleep 1000 & wait; done"]'
    for (const [index, form] of forms.entries()) {
      await makeImage(`isolate/form-${index}`, script, `USER ${form}`, command)
      await host.gearDo('install', `isolate/form-${index}`, `iso-form${index}`, '--isolate', '--restart', 'no', '--start')
    }
    for (const [index, form] of forms.entries()) {
      let log = ''
      await until(`the user ${form} is found or not`, async () => {
        log = (await host.gearDo('log', `iso-form${index}`)).replaceAll(/^.*?\]: /gm, '')
        return /file:|cannot run/.test(log) ? true : log
      })
      const uid = (await host.do(['id', '-u', `ctr-iso-form${index}`])).trim()
      if (form === 'nosuch') expect(log).toContain(`cannot run as user ${uid}: the image's user nosuch is not in its /etc/passwd`)
      else expect(log).toContain(`${uid}\n${uid}\nfile:${form === '4321:5000' ? `${uid}:${uid}` : '4321:5000'}\n`)
    }
    await host.gearDo('delete', '--all', ...forms.map((_, index) => `iso-form${index}`))
    await host.do(['docker', 'rmi', ...forms.map((_, index) => `isolate/form-${index}`)])
  })

  it('leaves folders of the host to whom they belong, at the paths of volumes and below them too', async () => {
    expect(await ownersOfHostFolders()).toBe('1000 1000\n')
  })

  it('hears the stop signal as the first process, and its exit code counts', async () => {
    expect(await host.do(['docker', 'exec', 'iso-user', 'cat', '/proc/1/cmdline'])).toContain('/show')
    await host.gearDo('stop', 'iso-user', '--wait')
    expect(await host.gearDo('log', 'iso-user')).toContain('bye')
    expect(await host.activeState('iso-user')).toBe('inactive')
    const status = JSON.parse(await host.gearDo('status', 'iso-user', '--output', 'json')) as { status: { exitCode: number } }[]
    expect(status[0]?.status.exitCode).toBe(7)
  })

  it('is made with useradd where the image has that', async () => {
    await host.gearDo('install', 'isolate/debian', 'iso-debian', '--isolate', '--start', '--wait')
    const { account, process } = await numbers('iso-debian')
    expect(process).toBe(account)
    const uid = account.trim()
    expect(await host.gearDo('log', 'iso-debian')).toMatch(new RegExp(`: ${uid}\n.*: ${uid}\n.*: \\/home\\/container\n`))
    expect(await host.do(['docker', 'top', 'iso-debian', '-o', 'pid,args'])).toMatch(/^PID +COMMAND\n\d+ +sh -c id -u; /)
  })

  it('is refused before it starts when its image has neither useradd nor adduser, and status says so', async () => {
    const outcome = await host.gear('install', 'isolate/neither', 'iso-neither', '--isolate', '--start', '--wait')
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stderr).toContain('the image isolate/neither has no user, and neither useradd nor adduser to make one')
    expect(await host.do(['docker', 'ps', '-aq', '--filter', 'name=^iso-neither$'])).toBe('')
    expect(await host.gearDo('status', 'iso-neither', '--output', 'json')).toContain('neither useradd nor adduser')
  })

  it('is refused when its image has something else for a shell, whatever that prints and minds, and nothing of it stays', async () => {
    await makeShell('isolate/flood', 'trap "" TERM HUP; while :; do echo no end of it; done')
    for (const engine of ['docker', 'podman']) {
      const outcome = await host.gear('install', 'isolate/flood', 'iso-flood', '--engine', engine, '--isolate', '--start', '--wait')
      expect(outcome.stderr).toMatch(/START_FAILED|did not start/)
      const { cause = '' } =
        (JSON.parse(await host.gearDo('status', 'iso-flood', '--output', 'json')) as { status: { cause?: string } }[])[0]?.status ?? {}
      expect(cause).toContain('the image isolate/flood has no shell that runs, and --isolate needs one: no end of it no end of it')
      expect(cause.length).toBeLessThan(3000)
      expect(await host.sh(`${engine} ps -aq --filter ancestor=isolate/flood`)).toBe('')
      await host.gearDo('delete', '--all', 'iso-flood')
    }
  })

  it('gets the same account again at every start, and another if that is gone', async () => {
    const { account } = await numbers('iso-debian')
    await host.gearDo('restart', 'iso-debian', '--wait')
    expect(await numbers('iso-debian')).toEqual({ account, process: account })
    await host.gearDo('stop', 'iso-debian', '--wait')
    await host.do(['userdel', 'ctr-iso-debian'])
    await host.gearDo('start', 'iso-debian', '--wait')
    const again = await numbers('iso-debian')
    expect(again.process).toBe(again.account)
  })

  it('shares its account with nobody, however many start at once', async () => {
    const ids = ['iso-a', 'iso-b', 'iso-c']
    await host.gearDo(
      'install',
      'gear/adduser',
      ...ids,
      '--isolate',
      '--start',
      '--wait',
      'SCRIPT=trap "exit 0" TERM; while :; do sleep 1000 & wait; done',
    )
    const accounts = await Promise.all(ids.map(id => numbers(id)))
    for (const { account, process } of accounts) expect(process).toBe(account)
    expect(new Set(accounts.map(({ account }) => account)).size).toBe(ids.length)
    await host.gearDo('delete', '--all', ...ids)
  })

  it('leaves no script behind when it is installed again as a plain one', async () => {
    await host.gearDo('install', 'isolate/user', 'iso-user', '--start', '--wait', '-v', '/srv/of-1000:/mnt')
    expect(await host.sh('ls /run/containers/is/iso-user')).not.toMatch(/container-(init|cmd)/)
  })

  it('takes its account and its home along when it is deleted', async () => {
    await host.gearDo('delete', 'iso-plain')
    await host.gearDo('delete', 'iso-user')
    expect(await host.sh('grep -o "^ctr-iso[^:]*" /etc/passwd /etc/group | sort')).toBe(
      ['group', 'passwd'].flatMap(file => ['debian', 'neither'].map(id => `/etc/${file}:ctr-iso-${id}\n`)).join(''),
    )
    expect((await host.exec(['ls', `${base}/home/is/iso-plain`])).exitCode).not.toBe(0)
  })
})

describe('an isolated container on podman', () => {
  it('is the same', async () => {
    await host.sh('docker save isolate/user isolate/neither | podman load --quiet')
    await host.gearDo('install', 'isolate/user', 'iso-podman', '--isolate', '--engine', 'podman', '--start', '--wait', ...mounts)
    const uid = (await host.do(['id', '-u', 'ctr-iso-podman'])).trim()
    await until('the command runs', async () => ((await host.gearDo('log', 'iso-podman')).includes('uid=') ? true : 'not yet'))
    const log = await host.gearDo('log', 'iso-podman')
    expect(log).toContain(`<it's><a  b><$HOME><\`id\`><"quoted"><back\\slash><new`)
    expect(log).toContain(`uid=${uid}(app) gid=${uid}(app)`)
    for (const path of ['/srv/own/file', '/data'])
      expect(log).toMatch(new RegExp(` ${uid} +${uid} .* ${path.replaceAll('/', '\\/')}$`, 'm'))
    expect(await ownersOfHostFolders()).toBe('1000 1000\n')
    expect(await host.sh('stat -c %u "/proc/$(cat /run/containers/is/iso-podman/pid)"')).toBe(`${uid}\n`)
    await host.gearDo('stop', 'iso-podman', '--wait')
    expect(await host.gearDo('log', 'iso-podman')).toContain('bye')
    expect(await host.gearDo('status', 'iso-podman', '--output', 'json')).toContain('"exitCode":7')
  })

  it('says what its image lacks', async () => {
    const outcome = await host.gear('install', 'isolate/neither', 'iso-podman.2', '--isolate', '--engine', 'podman', '--start', '--wait')
    expect(outcome.stderr).toContain('neither useradd nor adduser to make one')
    expect(outcome.exitCode).toBe(1)
  })
})

describe('a unit of the original', () => {
  const unit = `[Unit]
Description=Container iso-old
[Service]
Type=simple
ExecStartPre=/usr/bin/gear init --pre "iso-old" "gear/adduser"
ExecStart=/usr/bin/docker run --rm --name "iso-old" "--env=SCRIPT=sleep 1000" -a stdout -a stderr -v /var/run/containers/is/iso-old:/.container.init:ro -u root "gear/adduser" /.container.init/container-init.sh
ExecStartPost=-/usr/bin/gear init --post "iso-old" "gear/adduser"
ExecStop=-/usr/bin/docker stop -t 1 "iso-old"
[Install]
WantedBy=container.target
X-ContainerId=iso-old
X-ContainerType=isolated
`

  it('finds its account, its scripts and its links with gear init', async () => {
    await host.sh(`mkdir -p ${base}/units/is ${base}/ports/links/is && cat > ${base}/units/is/ctr-iso-old.service`, { input: unit })
    await host.sh(`printf '127.0.0.1\\t7000\\t8080\\t10.1.2.3\\n' > ${base}/ports/links/is/iso-old`)
    await host.do(['systemctl', 'link', `${base}/units/is/ctr-iso-old.service`])
    await host.do(['systemctl', 'start', 'ctr-iso-old.service'])
    await until('its links are in', async () => {
      const rules = await host.sh('nsenter -n -t $(docker inspect --format "{{.State.Pid}}" iso-old) iptables-save -t nat')
      return rules.includes('--to-destination 10.1.2.3:8080') ? true : rules
    })
    expect(await host.do(['id', '-un', 'ctr-iso-old'])).toBe('ctr-iso-old\n')
    expect(await host.do(['docker', 'exec', 'iso-old', 'cat', '/etc/passwd'])).toContain('container:x:')
  })

  it('fails to start when that fails', async () => {
    expect(await host.gear('init', '--pre', 'iso-gone', 'gear/adduser')).toMatchObject({ exitCode: 2 })
    expect(await host.gear('init', '--pre', 'x', 'gear/adduser')).toMatchObject({ exitCode: 1 })
    const outcome = await host.gear('init', '--pre', 'iso-old', 'isolate/neither')
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toContain('neither useradd nor adduser')
  })
})
