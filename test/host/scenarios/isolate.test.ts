/** Containers that run as an account of their own (spec §7): what they are on the host, in their image, and when an image cannot. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onBothEngines } from '../lab-engine.ts'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const base = '/var/lib/containers'
/** Folders of the host, on the file system of the volumes of either engine. */
const ofHost = '/srv/of-1000 /var/lib/docker/of-1000 /var/lib/containers/storage/of-1000'
const stays = 'trap "exit 0" TERM; while :; do sleep 1000 & wait; done'

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

/** An image that has a script in the place of its shell. */
async function makeShell(name: string, script: string): Promise<void> {
  await host.sh(
    `
    mkdir -p /tmp/shell/bin && cp /bin/busybox /tmp/shell/bin && cat > /tmp/shell/bin/sh && chmod 755 /tmp/shell/bin/sh
    tar -C /tmp/shell -c . | docker import --change 'CMD ["/bin/busybox", "sleep", "1000"]' - ${name}
    rm -r /tmp/shell`,
    { input: `#!/bin/busybox sh\n${script}\n` },
  )
}

/** What images may have in the place of /etc/passwd, how it is made in the root folder of one, and why that is refused. */
const oddFiles = [
  { name: 'fifo', make: 'mkfifo etc/passwd', odd: 'a fifo in the place of its /etc/passwd' },
  { name: 'groups', make: 'cp old etc/passwd; rm etc/group; mkfifo etc/group', odd: 'a fifo in the place of its /etc/group' },
  { name: 'proc', make: 'ln -s /proc/kmsg etc/passwd', odd: 'a link to nothing in the place of its /etc/passwd' },
  { name: 'device', make: 'mknod etc/passwd c 1 5', odd: 'a device in the place of its /etc/passwd' },
  { name: 'folder', make: 'mkdir etc/passwd', odd: 'a directory in the place of its /etc/passwd' },
  { name: 'sparse', make: 'truncate -s 64M etc/passwd', odd: 'an /etc/passwd of 67108864 bytes, and 1048576 are read at most' },
  {
    name: 'rows',
    make: "yes 'a:x:1:1::/:' | head -c 10M > etc/passwd",
    odd: 'an /etc/passwd of 10485760 bytes, and 1048576 are read at most',
  },
] as const

/** Images of the lab's with such a file, and one with a link to a file. */
async function makeOdd(): Promise<void> {
  const makes = [...oddFiles, { name: 'link', make: 'mkdir store; cp old store/rows; ln -s ../store/rows etc/passwd' }]
  await host.sh(`
    docker create --name image-maker gear/adduser > /dev/null
    ${makes
      .map(
        ({ name, make }) => `
    mkdir /tmp/odd && cd /tmp/odd && docker export image-maker | tar -x && mv etc/passwd old
    ${make}
    tar -c . | docker import --change 'CMD ["sh", "-c", "trap \\"exit 0\\" TERM; while :; do sleep 1000 & wait; done"]' - isolate/${name} > /dev/null
    cd / && rm -r /tmp/odd`,
      )
      .join('')}
    docker rm --volumes image-maker > /dev/null`)
}

/** Entry points as images have them, and what comes of each: what it prints, or the exit code of what is not there. */
const entries = [
  { name: 'relative', changes: ['WORKDIR /srv', 'ENTRYPOINT ["./entry"]', 'CMD ["a b"]'], printed: 'entered ./entry with a b' },
  { name: 'blanks', changes: ['ENTRYPOINT ["/srv/my entry"]', 'CMD [""]'], printed: 'entered /srv/my entry with ' },
  { name: 'empty', changes: ['ENTRYPOINT [""]', 'CMD ["/srv/entry"]'], printed: undefined },
] as const

/** Images with these, of one container. */
async function makeEntries(): Promise<void> {
  const commits = entries.map(
    ({ name, changes }) => `docker commit ${changes.map(change => `--change '${change}'`).join(' ')} image-maker isolate/entry-${name}`,
  )
  const script = `#!/bin/sh\necho "entered $0 with $1"; ${stays}\n`
  await host.sh(
    `docker run --interactive --name image-maker gear/adduser /bin/sh -euc 'mkdir -p /srv; cat > /srv/entry; chmod 755 /srv/entry; cp -p /srv/entry "/srv/my entry"'
     { ${commits.join('; ')}; docker rm --volumes image-maker; } > /dev/null`,
    { input: script },
  )
}

/** Users as images name them, and what becomes of each: the owner of the file `/given` of the image, 4321:5000 at first; or why not. */
const users = [
  { name: 'app:root', file: '4321:5000' },
  { name: '4321:5000', file: 'own:own' },
  // Root, as engines read it.
  { name: '00', file: '4321:5000' },
  { name: '04321:05000', file: 'own:own' },
  { name: '4294967296', refusal: "the image's user has the number '4294967296', which nobody can have" },
  { name: 'nosuch', refusal: "the image's user nosuch is not in its /etc/passwd" },
] as const
const images = [
  'user',
  'debian',
  'neither',
  'flood',
  'deaf',
  'link',
  ...oddFiles.map(({ name }) => name),
  ...entries.map(({ name }) => `entry-${name}`),
  ...users.map((_, index) => `form-${index}`),
].map(name => `isolate/${name}`)

beforeAll(async () => {
  await host.sh(`for folder in ${ofHost}; do mkdir -p $folder/at/deep $folder/below/deep; chown -R 1000:1000 $folder; done`)
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
  await makeOdd()
  await makeEntries()
  await makeShell('isolate/deaf', 'trap "" TERM HUP; while :; do busybox sleep 1000; done')
  await makeShell('isolate/flood', 'trap "" TERM HUP; while :; do echo no end of it; done')
  const command = `CMD ["sh", "-c", "id -u; id -g; stat -c file:%u:%g /given; ${stays.replaceAll('"', '\\"')}"]`
  for (const [index, { name }] of users.entries())
    await makeImage(`isolate/form-${index}`, 'touch /given; chown 4321:5000 /given', `USER ${name}`, command)
  await host.sh(`docker save ${images.join(' ')} | podman load --quiet`)
})

afterAll(async () => {
  for (const engine of ['docker', 'podman']) await host.exec([engine, 'rmi', ...images])
  await host.sh(`rm -rf ${ofHost}`)
})

onBothEngines(host, engine => {
  // The container of the same name on the other engine has printed much the same.
  let since = ''
  beforeAll(async () => {
    since = (await host.do(['date', '+%F %T'])).trim()
  })
  afterAll(async () => {
    for (const id of [
      'iso-plain',
      'iso-user',
      'iso-debian',
      'iso-neither',
      'iso-flood',
      'iso-deaf',
      'iso-odd-link',
      ...oddFiles.map(({ name }) => `iso-odd-${name}`),
      ...entries.map(({ name }) => `iso-entry-${name}`),
    ])
      await host.gear('delete', '--all', id)
  })

  /** The number of the container's account, and of the user of its first process as the host sees it. */
  async function numbers(id: string): Promise<{ account: string; process: string }> {
    const account = await host.do(['id', '-u', `ctr-${id}`])
    return { account: account.trim(), process: (await host.sh(`stat -c %u /proc/${await engine.pid(id)}`)).trim() }
  }

  /** What the container and its helpers have printed on this engine, once it has the text. */
  async function logWith(id: string, text: string): Promise<string> {
    let log = ''
    await until(`${id} prints ${text}`, async () => {
      log = (await host.gearDo('log', id, '--since', since)).replaceAll(/^.*? systemd\[1\]: .*\n|^.*?\]: /gm, '')
      return log.includes(text) ? true : log
    })
    return log
  }

  const ownersOfHostFolders = () => host.sh(`find ${ofHost} -printf '%U %G\\n' | sort -u`)
  const storage = engine.name === 'docker' ? '/var/lib/docker' : '/var/lib/containers/storage'
  /** Folders of the host at a path of its own, at that of a volume of the image, and below that of another. */
  const mounts = ['/srv/of-1000:/mnt', `${storage}/of-1000/at:/data/logs`, `${storage}/of-1000/below:/srv/volume/below`].flatMap(mount => [
    '-v',
    mount,
  ])

  describe('an isolated container', () => {
    it('runs as an account of the host that is made when it starts, whatever user its image has none of', async () => {
      const script = `echo $HOME; id -un; touch /data/x /extra/y; echo heard > /dev/stderr; ${stays}`
      await host.gearDo('install', 'gear/adduser', 'iso-plain', '--isolate', '--start', '--wait', '-v', '/extra', `SCRIPT=${script}`)
      const log = await logWith('iso-plain', 'heard')
      const { account, process } = await numbers('iso-plain')
      expect(process).toBe(account)
      expect(await host.do(['getent', 'passwd', 'ctr-iso-plain'])).toMatch(
        /^ctr-iso-plain:x:(\d+):\1:Container user:\/var\/lib\/containers\/home\/is\/iso-plain\/home:\/bin\/sh$/m,
      )
      for (const line of ['/home/container', 'container']) expect(log).toMatch(new RegExp(`^${line}$`, 'm'))
      expect(await engine.inside('iso-plain', 'stat', '-c', '%u %g', '/data/x', '/extra/y')).toBe(`${account} ${account}\n`.repeat(2))
    })

    it('has no right beyond those of its user', async () => {
      const rights = await host.sh(
        `grep -E '^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs)' /proc/${await engine.pid('iso-plain')}/status | tr -s '\\t' ' '`,
      )
      expect(rights).toBe(
        ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']
          .map(name => `${name}: 0000000000000000\n`)
          .join('')
          .concat('NoNewPrivs: 1\n'),
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
      const log = await logWith('iso-user', 'uid=')
      const { account: uid, process } = await numbers('iso-user')
      expect(process).toBe(uid)
      expect(log).toContain(`<it's><a  b><$HOME><\`id\`><"quoted"><back\\slash><new`)
      expect(log).toContain('line><><last *>')
      expect(log).toContain(`uid=${uid}(app) gid=${uid}(app)`)
      await logWith('iso-user', ' /data')
      for (const path of ['/srv/own', '/srv/own/file', '/data']) {
        expect(await logWith('iso-user', ` ${path}\n`)).toMatch(new RegExp(` ${uid} +${uid} .* ${path.replaceAll('/', '\\/')}$`, 'm'))
      }
    })

    it('runs an entry point of any name, and says when there is none of that name', async () => {
      await Promise.all(
        entries.map(({ name }) =>
          host.gear('install', `isolate/entry-${name}`, `iso-entry-${name}`, '--isolate', '--restart', 'no', '--start', '--wait'),
        ),
      )
      for (const { name, printed } of entries) {
        if (printed !== undefined) await logWith(`iso-entry-${name}`, `${printed}\n`)
        else {
          await host.untilState(`iso-entry-${name}`, 'failed')
          expect(await host.gearDo('status', `iso-entry-${name}`, '--output', 'json')).toMatch(/its process ended with exit code 12[67]/)
        }
      }
      await host.gearDo('delete', '--all', ...entries.map(({ name }) => `iso-entry-${name}`))
    })

    it('takes a user in every form that images give it, and says which it cannot find', async () => {
      const id = (index: number) => `iso-form${index}`
      await Promise.all(
        users.map((_, index) => host.gearDo('install', `isolate/form-${index}`, id(index), '--isolate', '--restart', 'no', '--start')),
      )
      for (const [index, user] of users.entries()) {
        const log = await logWith(id(index), 'refusal' in user ? user.refusal : 'file:')
        const uid = (await host.do(['id', '-u', `ctr-${id(index)}`])).trim()
        if ('refusal' in user) expect(log).toContain(`cannot run as user ${uid}: ${user.refusal}`)
        else expect(log).toContain(`${uid}\n${uid}\nfile:${user.file.replaceAll('own', uid)}\n`)
      }
      await host.gearDo('delete', '--all', ...users.map((_, index) => id(index)))
    })

    it('leaves folders of the host to whom they belong, at the paths of volumes and below them too', async () => {
      expect(await ownersOfHostFolders()).toBe('1000 1000\n')
    })

    it('hears the stop signal as the first process, and its exit code counts', async () => {
      expect(await engine.inside('iso-user', 'cat', '/proc/1/cmdline')).toContain('/show')
      await host.gearDo('stop', 'iso-user', '--wait')
      await logWith('iso-user', 'bye')
      expect(await host.activeState('iso-user')).toBe('inactive')
      const status = JSON.parse(await host.gearDo('status', 'iso-user', '--output', 'json')) as { status: { exitCode: number } }[]
      expect(status[0]?.status.exitCode).toBe(7)
    })

    it('is made with useradd where the image has that', async () => {
      await host.gearDo('install', 'isolate/debian', 'iso-debian', '--isolate', '--start', '--wait')
      const log = await logWith('iso-debian', '/home/container')
      const { account, process } = await numbers('iso-debian')
      expect(process).toBe(account)
      expect(log).toContain(`${account}\n${account}\n/home/container\n`)
      expect(await host.sh(`tr '\\0' ' ' < /proc/${await engine.pid('iso-debian')}/cmdline`)).toMatch(/^sh -c id -u; /)
    })

    it.each([
      ['has neither useradd nor adduser', 'neither', 'the image isolate/neither has no user, and neither useradd nor adduser to make one'],
      [
        'has something else for a shell, whatever that prints and minds',
        'flood',
        'the image isolate/flood has no shell that runs, and --isolate needs one: no end of it no end of it',
      ],
    ])('is refused before it starts when its image %s, status says so, and nothing of it stays', async (_, name, reason) => {
      const outcome = await host.gear('install', `isolate/${name}`, `iso-${name}`, '--isolate', '--start', '--wait')
      expect(outcome.exitCode).toBe(1)
      expect(outcome.stderr).toMatch(/START_FAILED|did not start/)
      const { cause = '' } =
        (JSON.parse(await host.gearDo('status', `iso-${name}`, '--output', 'json')) as { status: { cause?: string } }[])[0]?.status ?? {}
      expect(cause).toContain(reason)
      expect(cause.length).toBeLessThan(3000)
      await host.gearDo('stop', `iso-${name}`, '--wait')
      expect(await host.sh(`${engine.name} ps -aq --filter ancestor=isolate/${name}`)).toBe('')
      await host.gearDo('delete', '--all', `iso-${name}`)
    })

    it('is refused before anything of its image runs when that has something odd for the rows of its users, and the engine answers as before', async () => {
      const ids = oddFiles.map(({ name }) => `iso-odd-${name}`)
      await Promise.all(
        oddFiles.map(({ name }) =>
          host.gear('install', `isolate/${name}`, `iso-odd-${name}`, '--isolate', '--restart', 'no', '--start', '--wait'),
        ),
      )
      const reports = JSON.parse(await host.gearDo('status', ...ids, '--output', 'json')) as { status: { cause?: string } }[]
      expect(reports.map(({ status }) => status.cause)).toEqual(
        oddFiles.map(({ name, odd }) => `its image was refused before anything of it ran: the image isolate/${name} has ${odd}`),
      )
      expect(await engine.do('ps', '--all', '--format', '{{.Names}}', '--filter', 'name=tools-')).toBe('')
      await engine.do('info', '--format', '-')
      await host.gearDo('delete', '--all', ...ids)
    })

    it('may have them behind a link', async () => {
      await host.gearDo('install', 'isolate/link', 'iso-odd-link', '--isolate', '--start', '--wait')
      const { account, process } = await numbers('iso-odd-link')
      expect(process).toBe(account)
      await host.gearDo('delete', '--all', 'iso-odd-link')
    })

    it('leaves nothing of its image when it is killed while that is asked for its tools', async () => {
      await host.gearDo('install', 'isolate/deaf', 'iso-deaf', '--isolate', '--restart', 'no', '--start')
      const asked = () => engine.do('ps', '--all', '--format', '{{.Names}} {{.Image}} {{.State}}', '--filter', 'name=tools-')
      await until('its image is asked', async () => /isolate\/deaf\S* (running|Up)/i.test(await asked()) || (await asked()))
      await host.do(['systemctl', 'kill', '--signal', 'KILL', 'ctr-iso-deaf'])
      await host.untilState('iso-deaf', 'failed')
      expect(await asked()).toBe('')
      await host.gearDo('delete', '--all', 'iso-deaf')
    })

    it('gets the same account again at every start and after every install, and another if that is gone', async () => {
      const { account } = await numbers('iso-debian')
      await host.gearDo('restart', 'iso-debian', '--wait')
      expect(await numbers('iso-debian')).toEqual({ account, process: account })
      await host.gearDo('install', 'isolate/user', 'iso-debian', '--isolate')
      await host.gearDo('restart', 'iso-debian', '--wait')
      expect(await numbers('iso-debian')).toEqual({ account, process: account })
      await host.gearDo('stop', 'iso-debian', '--wait')
      await host.do(['userdel', 'ctr-iso-debian'])
      await host.gearDo('start', 'iso-debian', '--wait')
      const again = await numbers('iso-debian')
      expect(again.process).toBe(again.account)
    })

    it('shares its account with nobody, however many start at once', async () => {
      const ids = ['iso-a', 'iso-b', 'iso-c', 'iso-d']
      await host.gearDo('install', 'gear/adduser', ...ids, '--isolate', '--start', '--wait', `SCRIPT=${stays}`)
      const accounts = await Promise.all(ids.map(id => numbers(id)))
      for (const { account, process } of accounts) expect(process).toBe(account)
      expect(new Set(accounts.map(({ account }) => account)).size).toBe(ids.length)
      await host.gearDo('delete', '--all', ...ids)
    })

    it('leaves no script behind when it is installed again as a plain one', async () => {
      await host.gearDo('install', 'isolate/user', 'iso-user', '--start', '--wait', '-v', '/srv/of-1000:/mnt')
      expect(await host.sh('ls /run/containers/is/iso-user')).not.toMatch(/container-(init|cmd)/)
    })

    it('takes its account and its home along when it is deleted, and leaves its data to the next one of its name', async () => {
      const { account: before } = await numbers('iso-plain')
      await host.gearDo('delete', 'iso-plain')
      await host.gearDo('delete', 'iso-user')
      expect(await host.sh('grep -o "^ctr-iso[^:]*" /etc/passwd /etc/group | sort')).toBe(
        ['group', 'passwd'].map(file => `/etc/${file}:ctr-iso-debian\n`).join(''),
      )
      expect((await host.exec(['ls', `${base}/home/is/iso-plain`])).exitCode).not.toBe(0)
      // Somebody else has its number meanwhile.
      await host.do(['useradd', '--uid', before, '--user-group', 'iso-other'])
      try {
        await host.gearDo('install', 'gear/adduser', 'iso-plain', '--isolate', '--start', '--wait', '-v', '/extra', `SCRIPT=${stays}`)
        const { account, process } = await numbers('iso-plain')
        expect(account).not.toBe(before)
        expect(process).toBe(account)
        expect(await engine.inside('iso-plain', 'stat', '-c', '%u %g', '/data/x', '/extra/y')).toBe(`${account} ${account}\n`.repeat(2))
      } finally {
        await host.do(['userdel', 'iso-other'])
      }
    })
  })
})

describe('a unit of the original', () => {
  const id = 'iso-old'
  const image = 'gear/httpd-user'
  const page = 'It works: gear'
  // As the spec has it (§6.2): a data container, its own way of running, and gear init before and after.
  const unit = `[Unit]
Description=Container ${id}

[Service]
Type=simple
TimeoutStartSec=5m
Slice=container-small.slice
ExecStartPre=/bin/sh -c '/usr/bin/docker inspect --format="Reusing {{.Id}}" "${id}-data" || exec /usr/bin/docker run --name "${id}-data" -v /data --entrypoint /bin/true "${image}"'
ExecStartPre=-/usr/bin/docker rm "${id}"
ExecStartPre=/usr/bin/gear init --pre "${id}" "${image}"
ExecStart=/usr/bin/docker run --rm --name "${id}" --volumes-from "${id}-data" -a stdout -a stderr -p 4512:8080 \
  -v /var/run/containers/is/${id}:/.container.init:ro -u root "${image}" /.container.init/container-init.sh
ExecStartPost=-/usr/bin/gear init --post "${id}" "${image}"
ExecReload=-/usr/bin/docker stop "${id}"
ExecReload=-/usr/bin/docker rm "${id}"
ExecStop=-/usr/bin/docker stop "${id}"

[Install]
WantedBy=container.target
X-ContainerId=${id}
X-ContainerImage=${image}
X-ContainerUserId=
X-ContainerRequestId=AAAAAAAAAAAAAAAAAAAAAA
X-ContainerType=isolated
X-PortMapping=8080:4512
`

  afterAll(async () => {
    await host.gear('delete', '--all', id)
    await host.exec(['docker', 'rm', '--volumes', `${id}-data`])
  })

  const stat = (path: string) => host.do(['stat', '-c', '%a %U', path])
  const account = () => host.do(['getent', 'passwd', `ctr-${id}`])
  async function untilItRuns(): Promise<string> {
    await host.untilPage(4512, page)
    const pid = (await host.do(['docker', 'inspect', '--format', '{{.State.Pid}}', id])).trim()
    await until('its links are in', async () => {
      const rules = await host.sh(`nsenter -n -t ${pid} iptables-save -t nat`)
      return rules.includes('--to-destination 10.1.2.3:8080') ? true : rules
    })
    return host.sh(`stat -c %u /proc/${pid}`)
  }

  it('has its account, its scripts and its links by gear init', async () => {
    await host.sh(
      `mkdir -p ${base}/units/is/${id} ${base}/ports/links/is; cat > ${base}/units/is/ctr-${id}.service
       printf '127.0.0.1\\t7000\\t8080\\t10.1.2.3\\n' > ${base}/ports/links/is/${id}
       systemctl enable --quiet ${base}/units/is/ctr-${id}.service
       ln -s ${base}/units/is/ctr-${id}.service /etc/systemd/system/container-active.target.wants/
       systemctl start ctr-${id}.service`,
      { input: unit },
    )
    expect(await untilItRuns()).toBe(await host.do(['id', '-u', `ctr-${id}`]))
    expect(await account()).toMatch(new RegExp(`^ctr-${id}:x:(\\d+):\\1:Container user:${base}/home/is/${id}/home:/bin/sh$`, 'm'))
    expect(await stat(`${base}/home/is/${id}/home`)).toBe(`700 ctr-${id}\n`)
    expect(await stat(`/var/run/containers/is/${id}/container-init.sh`)).toBe('700 root\n')
    expect(await stat(`/var/run/containers/is/${id}/container-cmd.sh`)).toBe('705 root\n')
  })

  it('comes back after a reboot as the same account, with its data', async () => {
    const before = await account()
    await host.do(['docker', 'exec', id, 'sh', '-c', 'echo kept > /data/file'])
    await host.reboot()
    expect(await untilItRuns()).toBe(await host.do(['id', '-u', `ctr-${id}`]))
    expect(await account()).toBe(before)
    expect(await host.do(['docker', 'exec', id, 'cat', '/data/file'])).toBe('kept\n')
  })

  it('fails to start when that fails', async () => {
    expect(await host.gear('init', '--pre', 'iso-gone', image)).toMatchObject({ exitCode: 2 })
    expect(await host.gear('init', '--pre', 'x', image)).toMatchObject({ exitCode: 1 })
    const outcome = await host.gear('init', '--pre', id, 'isolate/neither')
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toContain('neither useradd nor adduser')
  })

  it('goes with all that it had, but for what the engine keeps of it without a label of gear', async () => {
    await host.gearDo('delete', '--all', id)
    expect((await host.exec(['id', `ctr-${id}`])).exitCode).toBe(1)
    expect(await host.sh(`find ${base} /run/containers /etc/systemd/system -name '*${id}*' -not -path '*/storage/*'`)).toBe('')
    expect(await host.do(['docker', 'ps', '-a', '--format', '{{.Names}}', '--filter', `name=${id}`])).toBe(`${id}-data\n`)
  })
})
