/** Repositories that git serves in containers of an image (create-repo --githost), with real git and a real sshd, on both engines. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { onBothEngines } from '../lab-engine.ts'
import { LabHost, type Outcome, until } from '../lab-host.ts'

const host = new LabHost('web1')
const base = '/var/lib/containers'
const work = '/root/githost-work'

/** A line of shell as somebody with this key. */
const as = (key: string, line: string): Promise<Outcome> =>
  host.exec([
    '/usr/bin/env',
    '-i',
    'PATH=/usr/bin:/bin',
    `HOME=${work}`,
    `GIT_SSH_COMMAND=ssh -i ${work}/${key} -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`,
    ...['AUTHOR', 'COMMITTER'].flatMap(who => [`GIT_${who}_NAME=n`, `GIT_${who}_EMAIL=n@example`]),
    '/bin/sh',
    '-euc',
    `cd ${work}; ${line}`,
  ])

async function doAs(key: string, line: string): Promise<string> {
  const outcome = await as(key, line)
  if (outcome.exitCode !== 0) throw new Error(`${line}\nended with ${outcome.exitCode}: ${outcome.stdout}${outcome.stderr}`)
  return outcome.stdout
}

beforeAll(async () => {
  await host.sh(`rm -rf ${work}; mkdir -p ${work}; for key in writer reader; do ssh-keygen -q -t ed25519 -N "" -f ${work}/$key; done`)
})
afterAll(async () => {
  await host.sh(`rm -rf ${work}`)
})

onBothEngines(host, engine => {
  const id = `house-${engine.name}`
  const url = `git-${id}@localhost:~`
  const containers = () => engine.do('ps', '-aq', '--filter', `label=gear.repository=${id}`)
  /** A session that waits for its client to speak, and the container it is served by. */
  const linger = async () => {
    const fifo = `open-${engine.name}`
    const session = as(
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
    await host.gearDo('add-keys', `repo://${id}`, '--write', '--key-file', `${work}/writer.pub`)
    await host.gearDo('add-keys', `repo://${id}`, '--key-file', `${work}/reader.pub`)
  })
  afterAll(async () => {
    for (const each of [id, `site-${engine.name}`]) await host.gear('delete-repo', each)
  })

  it('is pushed to, cloned and fetched from, and packed, also while the agent is stopped', async () => {
    await host.do(['systemctl', 'stop', 'gear.service'])
    await doAs(
      'writer',
      `git init -q -b trunk ${id}; cd ${id}; git remote add origin ${url}; echo one > file; git add .; git commit -q -m one; git push -q origin trunk`,
    )
    await doAs('reader', `git clone -q --depth 1 ${url} read-${id}; test "$(cat read-${id}/file)" = one`)
    await doAs('writer', `cd ${id}; echo two > file; git commit -q -a -m two; git push -q origin trunk`)
    await doAs(
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
    const push = await as('reader', `cd read-${id}; git push origin HEAD:refs/heads/other`)
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
    const clones = ['a', 'b', 'c'].map(name => doAs('reader', `git clone -q ${url} ${name}-${id}; cat ${name}-${id}/file`))
    expect(await Promise.all(clones)).toEqual(['two\n', 'two\n', 'two\n'])
  })

  it('may be one whose pushes are built: the pusher sees the build', async () => {
    const site = `site-${engine.name}`
    await host.gearDo('create-repo', site, '--githost', 'gear/githost', '--build', 'gear/missing', '--tag', 'gear/never')
    await host.gearDo('add-keys', `repo://${site}`, '--write', '--key-file', `${work}/writer.pub`)
    const push = await as('writer', `cd ${id}; git push git-${site}@localhost:~ trunk`)
    expect(push.exitCode).toBe(0)
    expect(push.stderr).toMatch(/^remote: Building \w{10} into gear\/never/m)
    expect(push.stderr).toMatch(/^remote: .*gear\/missing/m)
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
