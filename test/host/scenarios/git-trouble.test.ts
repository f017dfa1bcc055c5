/** Repositories when something goes wrong: a full disk, an agent that is killed, two who want the same, a removal in the midst of a push; and who calls helpers by hand. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GitUser } from '../git-user.ts'
import { LabHost, type Outcome, until } from '../lab-host.ts'
import { makePushedSite } from '../pushed-site.ts'

const host = new LabHost('web1')
const base = '/var/lib/containers'
const work = '/root/git-trouble'
const helpers = '/usr/lib/gear/libexec'
const ids = ['full-src', 'gated-src', 'twice-src', 'gone-src', 'plain-src', 'built-src']
let user: GitUser

/** What of a repository is on the host. */
const traces = (id: string) =>
  host.sh(
    `cd ${base}; find git git-home access/git keys -name '*${id}*'; grep '^git-${id}:' /etc/passwd || :; pgrep -a -u git-${id} 2>/dev/null || :`,
  )

beforeAll(async () => {
  user = await GitUser.make(host, work, ['key'])
  await user.doAs('key', 'git init -q -b main source; cd source; echo one > file; git add .; git commit -q -m one')
  await host.sh(`mkdir -p /srv/git; rm -rf /srv/git/gated.git; git clone -q --bare ${work}/source /srv/git/gated.git
    printf '#!/bin/sh\\nwhile [ ! -e /run/go ]; do sleep 0.1; done\\nexec git daemon --inetd --export-all --base-path=/srv/git\\n' > ${work}/gate; chmod 755 ${work}/gate
    systemd-run --quiet --unit=lab-gate busybox nc -ll -p 8128 -e ${work}/gate`)
})

afterAll(async () => {
  for (const id of ids) await host.gear('delete-repo', id)
  await host.sh('systemctl stop lab-gate.service; rm -rf /srv/git/gated.git /run/go')
  await user.leave()
})

describe('a push to a disk that is full', () => {
  const repository = `${base}/git/full-src`

  beforeAll(async () => {
    await host.gearDo('create-repo', 'full-src')
    await user.letIn('key', 'full-src', 'write')
    await host.sh(`cp -a ${repository} ${work}/kept
      mount -t tmpfs -o size=8m,mode=700,uid=$(id -u git-full-src),gid=$(id -g git-full-src) tmpfs ${repository}; cp -a ${work}/kept/. ${repository}`)
    await user.doAs('key', 'cp -R source full; cd full; git push -q git-full-src@localhost:~ main')
  })
  afterAll(() => host.sh(`umount ${repository}`))

  it('fails, says why, and leaves nothing of it', async () => {
    const free = () => host.sh(`stat -f -c '%a' ${repository}`)
    const before = await free()
    const push = await user.as(
      'key',
      'cd full; head -c 20000000 /dev/urandom > blob; git add .; git commit -q -m large; git push git-full-src@localhost:~ main',
    )
    expect(push.exitCode).not.toBe(0)
    expect(push.stderr).toContain('No space left on device')
    expect(await host.sh(`ls ${repository}/objects`)).not.toMatch(/incoming|tmp/)
    expect(await free()).toBe(before)
  })

  it('takes nothing from what was there, and from who pushes less', async () => {
    await user.doAs(
      'key',
      'cd full; git reset -q --hard HEAD~1; echo two > file; git commit -q -a -m two; git push -q git-full-src@localhost:~ main',
    )
    expect(await user.doAs('key', 'git clone -q git-full-src@localhost:~ full-copy; cat full-copy/file')).toBe('two\n')
  })
})

describe('a clone that takes its time', () => {
  let creating: Promise<Outcome>

  it('is of one who asked first: others are told, and cannot delete it', async () => {
    creating = host.gear('create-repo', 'gated-src', 'git://127.0.0.1:8128/gated.git')
    await until('it is being cloned', async () =>
      (await host.exec(['test', '-d', `${base}/git/.unfinished-gated-src`])).exitCode === 0 ? true : 'it is not',
    )
    expect((await host.gear('create-repo', 'gated-src')).stderr).toMatch(/is being created already \[REPOSITORY_EXISTS\]/)
    expect((await host.gear('delete-repo', 'gated-src')).stderr).toMatch(/is being created \[REPOSITORY_BUSY\]/)
    const byHand = await host.gear('init-repo', 'gated-src')
    expect([byHand.exitCode, byHand.stderr]).toEqual([2, expect.stringContaining('is being made or removed by another process')])
    expect((await host.api('GET', '/repository/gated-src')).status).toBe(404)
  })

  it('goes on when the agent is killed, and is told to its end to the one who waits', async () => {
    await host.do(['systemctl', 'kill', '--signal=KILL', 'gear.service'])
    await host.do(['touch', '/run/go'])
    const { exitCode, stdout, stderr } = await creating
    expect([exitCode, stdout], stderr).toEqual([0, expect.stringContaining('asking the next one')])
    expect(await host.gearDo('list-repos')).toMatch(/^gated-src +local +main/m)
    await host.gearDo('delete-repo', 'gated-src')
    await host.do(['rm', '/run/go'])
  })

  it('is joined by who asks for it by the same request', async () => {
    await host.untilAgentIsUp()
    const name = 'zWJ2s4o0QnuNn2iTfyQ3dg'
    const ask = () =>
      host.api('PUT', '/repository/gated-src?source=git://127.0.0.1:8128/gated.git', {
        headers: ['Accept: text/plain;stream=true', `X-Request-Id: ${name}`],
      })
    const [first, second] = [ask(), ask()]
    await until('it is being cloned', async () =>
      (await host.exec(['test', '-d', `${base}/git/.unfinished-gated-src`])).exitCode === 0 ? true : 'it is not',
    )
    await host.do(['touch', '/run/go'])
    for (const answer of await Promise.all([first, second])) {
      expect([answer.status, answer.body]).toEqual([202, expect.stringContaining('Repository gated-src is created')])
    }
  })
})

describe('two who make a repository of one name at once', () => {
  it('are told apart: one has made it, the other finds it taken', async () => {
    const answers = await Promise.all([1, 2].map(() => host.api('PUT', '/repository/twice-src')))
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409])
    expect(await host.gearDo('list-repos')).toMatch(/^twice-src /m)
  })
})

describe('a repository that is deleted', () => {
  it('in the midst of a push ends that, and is gone with all that had come of it', async () => {
    await host.gearDo('create-repo', 'gone-src')
    await user.letIn('key', 'gone-src', 'write')
    const push = user.as('key', `mkfifo open; exec 3<>open; ${user.ssh('key')} git-gone-src@localhost "git-receive-pack '~'" <&3`)
    await until('git waits for what is pushed', async () =>
      (await host.exec(['pgrep', '-u', 'git-gone-src', 'git'])).exitCode === 0 ? true : 'nobody is there',
    )
    await host.gearDo('delete-repo', 'gone-src')
    expect((await push).exitCode).not.toBe(0)
    expect(await traces('gone-src')).toBe('')
  })

  it('while what was pushed is built ends the push, restarts nothing, and leaves nothing of either', async () => {
    await host.gearDo('install', 'gear/httpd', 'never', '--start', '--wait')
    const started = (await host.unit('ctr-never.service', 'ActiveEnterTimestampMonotonic')).ActiveEnterTimestampMonotonic
    await host.gearDo('create-repo', 'built-src', '--build', 'gear/httpd', '--tag', 'lab/never', '--restart', 'never')
    const site = await makePushedSite(host, 'built-src', `${work}/built`)
    const push = site.pushPage('a page that comes slowly')
    await site.untilBuilding()
    await host.gearDo('delete-repo', 'built-src')
    expect((await push).stderr).not.toContain('runs as never')
    await until('the build has ended', async () =>
      (await host.sh('systemctl list-units --plain --no-legend "build-*"')) === '' ? true : 'it has not',
    )
    await until('nothing is left', async () => (await traces('built-src')) || true)
    await until('nobody waits for it', async () => (await host.exec(['pgrep', '-f', 'deploy-repo'])).exitCode !== 0 || 'deploy-repo runs')
    expect((await host.unit('ctr-never.service', 'ActiveEnterTimestampMonotonic')).ActiveEnterTimestampMonotonic).toBe(started)
    await host.gearDo('delete', 'never')
    await host.exec(['docker', 'rmi', '-f', 'lab/never'])
  })
})

describe('a helper that somebody calls by hand', () => {
  beforeAll(() => host.gearDo('create-repo', 'plain-src'))
  const asAccount = ['runuser', '-u', 'git-plain-src', '--']

  it.each<[string, readonly string[], number, string]>([
    ['git-serve by another account', ['runuser', '-u', 'nobody', '--', `${helpers}/git-serve`, 'rw'], 2, 'not that of a repository'],
    ['git-serve by root', [`${helpers}/git-serve`, 'rw'], 2, 'not that of a repository'],
    ['git-deploy with a word', [`${helpers}/git-deploy`, 'plain-src'], 2, 'takes no arguments'],
    ['git-deploy by root', [`${helpers}/git-deploy`], 2, 'not that of a repository'],
    ['githost-run for another verb', [`${helpers}/githost-run`, 'git-shell', '2'], 2, 'only what git serves is run here'],
    ['githost-run by root', [`${helpers}/githost-run`, 'git-upload-pack', '2'], 2, 'not that of a repository'],
    [
      'githost-run without a container',
      [...asAccount, 'sudo', '-n', `${helpers}/githost-run`, 'git-upload-pack', '2'],
      2,
      'git does not run in a container for plain-src',
    ],
    ['githost-git for another account', [`${helpers}/githost-git`, 'root', '/root', 'status'], 2, 'is for the account of a repository'],
    [
      'githost-git without a container',
      [`${helpers}/githost-git`, 'git-plain-src', `${base}/git/plain-src`, 'status'],
      2,
      'git does not run in a container for plain-src',
    ],
    ['deploy-repo for what is not built', ['gear', 'deploy-repo', 'plain-src'], 1, 'REPOSITORY_WITHOUT_BUILD'],
    ['deploy-repo for what is not there', ['gear', 'deploy-repo', 'never-src'], 1, 'REPOSITORY_UNKNOWN'],
  ])('refuses: %s', async (_, command, exitCode, refusal) => {
    const outcome = await host.exec(command)
    expect([outcome.exitCode, outcome.stderr]).toEqual([exitCode, expect.stringContaining(refusal)])
  })

  it('finds a repository that root has moved away gone, and an archive of an empty one has nothing', async () => {
    expect((await host.api('GET', '/repository/plain-src/archive/main')).status).toBe(404)
    await host.sh(`mv ${base}/git/plain-src ${base}/git/.elsewhere`)
    const served = await host.exec([...asAccount, 'env', "SSH_ORIGINAL_COMMAND=git-upload-pack '~'", `${helpers}/git-serve`, 'ro'])
    await host.sh(`mv ${base}/git/.elsewhere ${base}/git/plain-src`)
    expect([served.exitCode, served.stderr]).toEqual([128, expect.stringContaining('the repository does not exist any more')])
  })
})
