/** Repositories that git serves in containers of an image (create-repo --githost), with real git and a real sshd, on both engines. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GitUser } from '../git-user.ts'
import { onBothEngines } from '../lab-engine.ts'
import { LabHost, until } from '../lab-host.ts'
import { makePushedSite, type PushedSite } from '../pushed-site.ts'

const host = new LabHost('web1')
const base = '/var/lib/containers'
const work = '/root/githost-work'
let user: GitUser

beforeAll(async () => {
  user = await GitUser.make(host, work, ['writer', 'reader'])
})
afterAll(() => user.leave())

onBothEngines(host, engine => {
  const id = `house-${engine.name}`
  const url = `git-${id}@localhost:~`
  const containers = () => engine.do('ps', '-aq', '--filter', `label=gear.repository=${id}`)
  /** A session that waits for its client to speak, and the container it is served by. */
  const linger = async () => {
    const fifo = `open-${engine.name}`
    const session = user.as(
      'reader',
      `rm -f ${fifo}; mkfifo ${fifo}; exec 3<>${fifo}; $GIT_SSH_COMMAND git-${id}@localhost "git-upload-pack '~'" <&3 & client=$!; echo $client > client; wait $client`,
    )
    await until('git runs in a container', async () => ((await containers()) === '' ? 'there is none' : true))
    const container = (await containers()).trim()
    await until('the container runs', async () => (['', '0'].includes(await engine.pid(container)) ? 'it does not yet' : true))
    return { session, container }
  }

  beforeAll(async () => {
    await host.gearDo('create-repo', id, '--githost', 'gear/githost')
    await user.letIn('writer', id, 'write')
    await user.letIn('reader', id, 'read')
  })
  afterAll(async () => {
    await host.gear('delete-repo', id)
  })

  it('is pushed to, cloned and fetched from, and packed, also while the agent is stopped', async () => {
    await host.do(['systemctl', 'stop', 'gear.service'])
    await user.doAs(
      'writer',
      `git init -q -b trunk ${id}; cd ${id}; git remote add origin ${url}; echo one > file; git add .; git commit -q -m one; git push -q origin trunk`,
    )
    await user.doAs('reader', `git clone -q --depth 1 ${url} read-${id}; test "$(cat read-${id}/file)" = one`)
    await user.doAs('writer', `cd ${id}; echo two > file; git commit -q -a -m two; git push -q origin trunk`)
    await user.doAs(
      'reader',
      `cd read-${id}; git pull -q; test "$(cat file)" = two; git archive --remote ${url} trunk | tar xO file | grep -q two`,
    )
    await host.do(['systemctl', 'start', 'gear.service'])
    await host.untilAgentIsUp()
    expect(await host.sh(`curl -q -sSf http://localhost:43273/repository/${id}/archive/trunk.tar.gz | tar xzO file`)).toBe('two\n')
    expect(await host.gearDo('list-repos')).toMatch(new RegExp(`^${id} +local +trunk +git-${id} .*gear/githost`, 'm'))
    expect(await containers()).toBe('')
  })

  it('is not pushed to by a key that may read, nor asked for anything but what git serves', async () => {
    const push = await user.as('reader', `cd read-${id}; git push origin HEAD:refs/heads/other`)
    expect(push.stderr).toContain('this key may read the repository, not push to it')
    const account = ['runuser', '-u', `git-${id}`, '--', 'sudo', '-n', '/usr/lib/gear/libexec/githost-run']
    for (const words of [['git-shell', '2'], ['git-upload-pack', '3'], ['git-upload-pack', '2', '--help'], ['git-upload-pack'], []]) {
      expect((await host.exec([...account, ...words])).stderr, words.join(' ')).toMatch(/password is required|not allowed/)
    }
  })

  it('is served by a container that has nothing but the repository, and ends when its client is gone', async () => {
    const { session, container } = await linger()
    const pid = await engine.pid(container)
    const uid = (await host.do(['id', '-u', `git-${id}`])).trim()
    const status = await host.do(['cat', `/proc/${pid}/status`])
    expect(status).toMatch(new RegExp(`^Uid:\\s+${uid}\\s+${uid}`, 'm'))
    expect(status).toMatch(/^CapEff:\s+0+$/m)
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m)
    expect((await host.sh(`nsenter -t ${pid} -n ls /sys/class/net; tail -n +3 /proc/${pid}/net/dev`)).match(/: /g)).toHaveLength(1)
    const mounts = (await host.do(['cat', `/proc/${pid}/mountinfo`])).split('\n')
    expect(mounts.find(line => line.includes(' /repository '))).toMatch(/ \/repository ro,/)
    expect(mounts.filter(line => / \S*\.sock /.test(line))).toEqual([])
    expect(mounts.find(line => line.includes(' / / ') || / \S+ \/ r[ow]/.test(line))).toMatch(/ \/ ro,/)
    await host.sh(`kill -9 $(cat ${work}/client)`)
    await session
    await until('the container is gone', async () => ((await containers()) === '' ? true : 'it is there'))
  })

  it('is served to several at once', async () => {
    const clones = ['a', 'b', 'c'].map(name => user.doAs('reader', `git clone -q ${url} ${name}-${id}; cat ${name}-${id}/file`))
    expect(await Promise.all(clones)).toEqual(['two\n', 'two\n', 'two\n'])
  })

  if (engine.name === 'podman')
    it('clears away what a power cut left of git, and nothing of an image that calls itself git as well', async () => {
      const left = `git-${id}-0c1f7d1e-8b1a-4a3e-9f63-5f6a7b8c9d0e`
      for (const name of [left, 'keeper-data'])
        await engine.do('create', '--name', name, '--label', `gear.repository=${id}`, 'gear/busybox', 'true')
      await host.do(['rm', '-f', '/run/containers/githost-swept'])
      await user.doAs('reader', `git ls-remote ${url}`)
      const names = (await engine.do('ps', '-a', '--format', '{{.Names}}')).split('\n')
      expect([names.includes(left), names.includes('keeper-data')]).toEqual([false, true])
      await engine.do('rm', 'keeper-data')
    })

  describe('whose pushes are built', () => {
    const [source, container, image] = [`site-${engine.name}`, `page-${engine.name}`, `lab/page-${engine.name}`]
    let site: PushedSite
    let port = 0

    beforeAll(async () => {
      await host.gearDo('create-repo', source, '--githost', 'gear/githost', '--build', 'gear/httpd', '--tag', image, '--restart', container)
      site = await makePushedSite(host, source, `/root/pushed-${engine.name}`)
    })
    afterAll(async () => {
      await host.gear('delete-repo', source)
      await host.gear('delete', '--all', container)
      await engine.do('rmi', '-f', image)
      await host.sh(`rm -rf /root/pushed-${engine.name}`)
    })

    it('shows the build to the pusher, and gives an image that serves', async () => {
      const { exitCode, stderr } = await site.pushPage('version one')
      expect(exitCode).toBe(0)
      expect(stderr).toMatch(/^remote: assembling version one/m)
      await host.gearDo('install', image, container, '--start', '--wait', '-p', '8080:0')
      port = await host.port(container)
      await host.untilPage(port, 'version one')
    })

    it('is deployed by the next push, on the same port', async () => {
      const { exitCode, stderr } = await site.pushPage('version two')
      expect(exitCode).toBe(0)
      expect(stderr).toMatch(new RegExp(`^remote: \\w{10} runs as ${container}`, 'm'))
      await host.untilPage(port, 'version two')
      expect(await host.port(container)).toBe(port)
    })

    it('leaves what runs as it is when the build fails, and tells the pusher why', async () => {
      const pid = await engine.pid(container)
      const { exitCode, stderr } = await site.pushPage('version three', 'touch broken;')
      expect(exitCode).toBe(0)
      expect(stderr).toMatch(/^remote: .*cannot find module left-pad/m)
      expect(stderr).toMatch(/^remote: Error: .*BUILD_FAILED/m)
      expect(await host.page(port)).toContain('version two')
      expect(await engine.pid(container)).toBe(pid)
    })

    it('deploys two pushes at once one after the other, and the last one stays', async () => {
      const first = site.pushPage('version four, slowly', 'git rm -q broken;')
      await site.untilBuilding()
      const second = await site.pushPage('version five')
      expect((await first).stderr).toContain('assembling version four, slowly')
      expect(second.stderr).toContain('Waiting for the build of pushes before this one')
      expect(second.stderr).toContain('assembling version five')
      await host.untilPage(port, 'version five')
    })
  })

  it('is not made with an image that is not there or has no git, and nothing is left', async () => {
    for (const [image, refusal] of [
      ['localhost:1/none', 'localhost:1/none'],
      ['gear/busybox', 'REPOSITORY_CREATE_FAILED'],
    ] as const) {
      const outcome = await host.gear('create-repo', `none-${engine.name}`, '--githost', image)
      expect(outcome.exitCode, image).toBe(1)
      expect(outcome.stderr).toContain(refusal)
      expect(
        await host.sh(`find ${base}/git ${base}/git-home -name '*none-${engine.name}*'; grep none-${engine.name} /etc/passwd || true`),
      ).toBe('')
    }
  })

  it('goes with those that are being served', async () => {
    const { session } = await linger()
    await host.gearDo('delete-repo', id)
    expect((await session).exitCode).not.toBe(0)
    expect(await containers()).toBe('')
  })
})
