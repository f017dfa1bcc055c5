/** Repositories on a real host, with real git and a real sshd: what works, and everything that is refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GitUser } from '../git-user.ts'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const base = '/var/lib/containers'
const work = '/root/git-work'
let user: GitUser
const ids = ['all-src', 'shop-src', 'cloned-src', 'web-src', 'bigrepo', 'otherrepo', 'stalled']

const exists = async (path: string): Promise<boolean> => (await host.exec(['test', '-e', path])).exitCode === 0

/** Whether anything of a repository is on the host. */
async function traces(id: string): Promise<string> {
  return host.sh(`find ${base}/git ${base}/git-home ${base}/access/git -name "*${id}*"; grep "^git-${id}:" /etc/passwd /etc/group || true`)
}

beforeAll(async () => {
  user = await GitUser.make(host, work, ['writer', 'reader', 'stranger'])
  await host.sh(`
    rm -rf /srv/git/source.git /srv/git/link; mkdir -p /srv/git
    git init -q -b main ${work}/source
    cd ${work}/source
    mkdir www; echo "It works: pushed" > www/index.html
    git add .; git -c user.name=n -c user.email=n@example commit -q -m first
    git branch feature/one; git tag v1.0
    git clone -q --bare . /srv/git/source.git
    printf '#!/bin/sh\\ntouch /tmp/owned\\n' > /srv/git/source.git/hooks/post-receive; chmod 755 /srv/git/source.git/hooks/post-receive
    git -C /srv/git/source.git update-server-info
    ln -s /root /srv/git/link
    rm -f /tmp/owned
  `)
})

afterAll(async () => {
  for (const id of ids) await host.gear('delete-repo', id)
  await host.exec(['systemctl', 'stop', 'lab-http.service', 'lab-stall.service'])
  await user.leave()
  await host.sh(`rm -rf /srv/git/source.git /srv/git/big.git /srv/git/link`)
})

describe('an empty repository', () => {
  it('is created with an account of its own, once', async () => {
    expect(await host.gearDo('create-repo', 'shop-src')).toContain('git clone git-shop-src@HOST:~')
    expect(await host.do(['stat', '-c', '%U %a', `${base}/git/shop-src`])).toBe('git-shop-src 700\n')
    expect(await host.do(['getent', 'passwd', 'git-shop-src'])).toContain(`:Repository user:${base}/git-home/sh/shop-src/home:`)
    const again = await host.gear('create-repo', 'shop-src')
    expect(again.exitCode).toBe(1)
    expect(again.stderr).toContain('REPOSITORY_EXISTS')
    expect((await host.api('PUT', '/repository/shop-src')).status).toBe(409)
  })

  it('is cloned, pushed to and fetched from over SSH', async () => {
    await user.letIn('writer', 'shop-src', 'write')
    await user.letIn('reader', 'shop-src', 'read')
    await user.doAs('writer', 'git clone -q git-shop-src@localhost:~ mine 2>/dev/null; cd mine; git checkout -q -b trunk')
    await user.doAs('writer', 'cd mine; echo one > file; git add .; git commit -q -m one; git push -q origin trunk')
    await user.doAs('reader', 'git clone -q git-shop-src@localhost:~ theirs; cd theirs; test "$(cat file)" = one')
    await user.doAs('writer', 'cd mine; echo two > file; git commit -q -a -m two; git push -q origin trunk')
    await user.doAs('reader', 'cd theirs; git pull -q; test "$(cat file)" = two; git fetch -q ssh://git-shop-src@localhost/~ trunk')
  })

  it('has the branch that was pushed first as the one that clones check out', async () => {
    expect(await host.gearDo('list-repos')).toMatch(/^shop-src +local +trunk +git-shop-src/m)
    expect(JSON.parse((await host.api('GET', '/repository/shop-src')).body)).toEqual({
      Id: 'shop-src',
      Branch: 'trunk',
      Account: 'git-shop-src',
    })
  })

  it('has master as that, when it is pushed together with others', async () => {
    await host.gearDo('create-repo', 'all-src')
    await user.letIn('writer', 'all-src', 'write')
    await user.doAs(
      'writer',
      'cd mine; git push -q git-all-src@localhost:~ trunk:refs/heads/earlier trunk:refs/heads/master trunk:refs/heads/next',
    )
    expect(await host.gearDo('list-repos')).toMatch(/^all-src +local +master +git-all-src/m)
    await host.gearDo('delete-repo', 'all-src')
  })

  it('is served while the agent is stopped', async () => {
    await host.do(['systemctl', 'stop', 'gear.service'])
    try {
      await user.doAs('reader', 'git clone -q git-shop-src@localhost:~ without-agent')
    } finally {
      await host.do(['systemctl', 'start', 'gear.service'])
    }
  })
})

describe('a key', () => {
  it('that may read can not push', async () => {
    const push = await user.as('reader', 'cd theirs; echo three > file; git commit -q -a -m three; git push origin HEAD:trunk')
    expect(push.exitCode).not.toBe(0)
    expect(push.stderr).toContain('this key may read the repository, not push to it')
    expect(await user.doAs('writer', 'git ls-remote git-shop-src@localhost:~ trunk | cut -f1')).toBe(
      await user.doAs('writer', 'cd mine; git rev-parse trunk'),
    )
  })

  it('that may push deletes branches, but not the one that clones check out, and names none like an option of git', async () => {
    await user.doAs('writer', 'cd mine; git push -q origin trunk:refs/heads/passing; git push -q origin :passing')
    const push = await user.as('writer', 'cd mine; git push origin :trunk')
    expect([push.exitCode, push.stderr]).toEqual([1, expect.stringContaining('refusing to delete the current branch')])
    await user.as('writer', 'cd mine; git push origin trunk:refs/heads/--upload-pack=x')
    expect((await host.api('GET', '/repository/shop-src/archive/--upload-pack=x')).status).toBe(400)
    expect(await user.doAs('writer', 'git ls-remote git-shop-src@localhost:~ HEAD | wc -l')).toBe('1\n')
  })

  it('of nobody is not let in', async () => {
    expect((await user.as('stranger', 'git clone git-shop-src@localhost:~ x')).stderr).toContain('Permission denied (publickey)')
  })

  it.each([
    ['a shell', 'git-shop-src@localhost', 'there is no shell here'],
    ['a command', 'git-shop-src@localhost id', 'only git fetch, git push and git archive'],
    ['a second command', `git-shop-src@localhost "git-upload-pack '~'; id"`, 'there is no other repository here'],
    ['an option of git', `git-shop-src@localhost "git-upload-pack --help"`, 'there is no other repository here'],
    ['a repository elsewhere', `git-shop-src@localhost "git-upload-pack '/srv/git/source.git'"`, 'there is no other repository here'],
    ['a way up', `git-shop-src@localhost "git-upload-pack '~/../otherrepo'"`, 'there is no other repository here'],
    ['cvs', 'git-shop-src@localhost "cvs server"', 'only git fetch'],
  ])('gives no %s', async (_, words, refusal) => {
    const outcome = await user.as('writer', `${user.ssh('writer')} ${words}`)
    expect(outcome.exitCode).not.toBe(0)
    expect(outcome.stdout).toBe('')
    expect(outcome.stderr).toContain(refusal)
  })

  it('gives no terminal and no file transfer', async () => {
    // A terminal has one stream for all; a subsystem has none for messages.
    const terminal = await user.as('writer', `${user.ssh('writer')} -tt git-shop-src@localhost`)
    expect(terminal.stdout).toContain('there is no shell here')
    const transfer = await user.as('writer', `${user.ssh('writer')} -s git-shop-src@localhost sftp`)
    expect(transfer.stdout).toBe('')
    for (const { exitCode } of [terminal, transfer]) expect(exitCode).toBe(128)
  })

  it('forwards no port and no socket, in neither direction', async () => {
    for (const forward of ['-L 9998:127.0.0.1:43273', '-R 9997:127.0.0.1:43273', '-L /tmp/forwarded:/run/gear/gear.sock']) {
      const outcome = await user.as(
        'writer',
        `${user.ssh('writer')} -N -o ExitOnForwardFailure=yes ${forward} git-shop-src@localhost & pid=$!
        code=7
        while [ $code = 7 ] && kill -0 $pid 2>/dev/null; do
          code=0; curl -q -s -m 2 ${forward.includes('/tmp') ? '--unix-socket /tmp/forwarded ' : ''}http://127.0.0.1:9998/version || code=$?; sleep 0.1
        done
        [ $code = 0 ] || echo none; kill $pid 2>/dev/null || :`,
      )
      expect(outcome.stdout.trim()).toBe('none')
    }
  })

  it('of one repository does not open another', async () => {
    await host.gearDo('create-repo', 'otherrepo')
    expect((await user.as('writer', 'git clone git-otherrepo@localhost:~ x')).stderr).toContain('Permission denied (publickey)')
    const across = await user.as('writer', `git clone git-shop-src@localhost:${base}/git/otherrepo x`)
    expect(across.stderr).toContain('there is no other repository here')
  })
})

describe('a clone', () => {
  it('has the branches and tags of its source, but not its hooks', async () => {
    expect(await host.gearDo('create-repo', 'cloned-src', '/srv/git/source.git')).toContain('Cloning into')
    await user.letIn('writer', 'cloned-src', 'write')
    expect(await user.doAs('writer', 'git ls-remote -q git-cloned-src@localhost:~ | cut -f2')).toBe(
      'HEAD\nrefs/heads/feature/one\nrefs/heads/main\nrefs/tags/v1.0\n',
    )
    expect(await exists(`${base}/git/cloned-src/hooks`)).toBe(false)
  })

  it('comes over HTTP, with the address in the query or in the body', async () => {
    await host.do(['systemd-run', '-q', '--unit=lab-http', 'busybox', 'httpd', '-f', '-p', '127.0.0.1:8123', '-h', '/srv/git'])
    const url = 'http://127.0.0.1:8123/source.git'
    const streaming = ['Accept: application/json;stream=true']
    await until('the source is served', async () =>
      (await host.exec(['curl', '-q', '-sf', `${url}/HEAD`])).exitCode === 0 ? true : 'nothing answers',
    )
    const answer = await host.api('PUT', '/repository/web-src', { body: JSON.stringify({ CloneUrl: url }), headers: streaming })
    expect(answer).toMatchObject({ status: 202, body: expect.stringContaining('Repository web-src is created') })
    await host.gearDo('delete-repo', 'web-src')
    expect((await host.api('PUT', `/repository/web-src?source=${url}`)).status).toBe(204)
    expect(await host.gearDo('list-repos')).toMatch(/^web-src +local +main/m)
  })

  it('runs no hook that somebody put into the repository', async () => {
    await host.sh(`mkdir ${base}/git/cloned-src/hooks
      for hook in pre-receive update post-receive post-update reference-transaction; do
        printf '#!/bin/sh\\ntouch /tmp/owned\\n' > ${base}/git/cloned-src/hooks/$hook; chmod 755 ${base}/git/cloned-src/hooks/$hook
      done`)
    await user.doAs('writer', 'git clone -q git-cloned-src@localhost:~ hooked; cd hooked; git commit -q --allow-empty -m x; git push -q')
    expect(await exists('/tmp/owned')).toBe(false)
  })

  it.each([
    ['ext::sh -c touch% /tmp/owned', 'clone URL'],
    ['ext::/usr/bin/touch', 'must not name a remote helper'],
    ['fd::17', 'must not name a remote helper'],
    ['--upload-pack=touch /tmp/owned', 'clone URL'],
    ['--config=core.fsmonitor=touch', 'clone URL'],
    ['ssh://-oProxyCommand=touch%20/tmp/owned/x', 'must name a host'],
    ['-oProxyCommand=touch:x', 'must name a host'],
    ['https://user:secret@localhost/x', 'must not hold a password'],
    ['/etc', 'must be below /srv/git'],
    ['/srv/git/../../root', 'without . and ..'],
    ['file:///root/git-work/source', 'must be below /srv/git'],
    ['/srv/git/link/git-work/source', 'is not below /srv/git'],
    ['/srv/git/missing.git', 'Could not find /srv/git/missing.git'],
    ['http://127.0.0.1:1/x', 'Could not run git clone'],
  ])('of %s is refused, and nothing of it is left', async (url, refusal) => {
    const outcome = await host.exec(['gear', 'create-repo', 'stalled', '--', url])
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stderr).toContain(refusal)
    expect(outcome.stderr).not.toContain('secret')
    expect(await traces('stalled')).toBe('')
    expect(await exists('/tmp/owned')).toBe(false)
  })

  it('that fails is a failure on the wire too', async () => {
    const answer = await host.api('PUT', '/repository/stalled?source=http://127.0.0.1:1/x')
    expect(answer.status).toBe(500)
    expect(JSON.parse(answer.body)).toMatchObject({
      Code: 'REPOSITORY_CREATE_FAILED',
      Message: expect.stringContaining('Could not run git clone'),
    })
    const streaming = { headers: ['Accept: text/plain;stream=true'] }
    const streamed = await host.api('PUT', '/repository/stalled?source=http://127.0.0.1:1/x', streaming)
    expect(streamed.body).toMatch(/^Error: Repository stalled could not be created: Could not run git clone: fatal: .*$/m)
  })

  it('that was broken off is a failure, leaves nothing that hinders, and can be made again', async () => {
    await host.do(['systemd-run', '-q', '--unit=lab-stall', 'busybox', 'nc', '-ll', '-p', '8124', '-e', '/bin/sleep', '600'])
    const creating = host.gear('create-repo', 'stalled', 'git://127.0.0.1:8124/x')
    const unit = await host.sh(
      'until unit=$(systemctl list-units --plain --no-legend "job-create-repo-*" | grep -o "^job[^ ]*"); do sleep 0.1; done; until grep -q "^git-stalled:" /etc/passwd; do sleep 0.1; done; echo $unit',
      { timeoutMs: 20_000 },
    )
    expect((await host.gear('create-repo', 'stalled')).stderr).toContain('is being created already')
    await host.do(['systemctl', 'kill', '--signal=KILL', unit.trim()])
    const outcome = await creating
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stderr).toContain('REPOSITORY_CREATE_FAILED')
    expect(await host.gearDo('create-repo', 'stalled')).toContain('Repository stalled is created')
  })
})

describe('init-repo', () => {
  it('ends with 1 for wrong arguments, and with 2 for a failure', async () => {
    expect((await host.gear('init-repo', '../x')).exitCode).toBe(1)
    expect((await host.gear('init-repo', 'a')).exitCode).toBe(1)
    expect((await host.gear('init-repo', 'shop-src')).exitCode).toBe(2)
  })
})

describe('an archive', () => {
  const archive = (path: string, ...more: readonly string[]) =>
    host.do([
      'curl',
      '-q',
      '-sS',
      '-w',
      '%{http_code} %{content_type}',
      ...more,
      `http://localhost:43273/repository/cloned-src/archive/${path}`,
    ])

  it('is a zip of any branch, tag or commit', async () => {
    const commit = (await user.doAs('writer', 'cd source; git rev-parse main')).trim()
    for (const ref of ['feature/one', 'v1.0', commit, 'main.zip', 'master', 'HEAD', 'main~1', 'main%5E']) {
      expect(await archive(ref, '-o', '/tmp/archive'), ref).toBe('200 application/zip')
      expect(await host.do(['unzip', '-l', '/tmp/archive']), ref).toContain('www/index.html')
    }
  })

  it('is a compressed tar when that is asked for', async () => {
    for (const [path, ...more] of [['v1.0.tar.gz'], ['main?format=tar.gz'], ['main', '-H', 'Accept: application/gzip']] as const) {
      expect(await archive(path, '-o', '/tmp/archive', ...more), path).toBe('200 application/gzip')
      expect(await host.do(['tar', 'tzf', '/tmp/archive']), path).toContain('www/index.html')
    }
  })

  it('comes as a stream of text for clients of the original, byte by byte the same', async () => {
    await archive('v1.0', '-o', '/tmp/archive')
    expect(await archive('v1.0', '-o', '/tmp/streamed', '-H', 'Accept: application/json;stream=true')).toBe('202 text/plain')
    await host.do(['cmp', '/tmp/archive', '/tmp/streamed'])
  })

  it.each([
    ['missing', 404],
    ['missing.tar.gz', 404],
    ['--output=%2Ftmp%2Fowned', 400],
    ['main~99', 404],
    ['main%5E%7Btree%7D', 400],
    ['main@%7Byesterday%7D', 400],
    ['..%2F..', 400],
    ['v1.0:www', 400],
    ['v1.0?format=tar', 400],
  ])('of %s is refused before anything is sent', async (ref, status) => {
    expect(await archive(ref, '-o', '/dev/null')).toMatch(new RegExp(`^${status} `))
  })
})

describe('a repository of 50 MB', () => {
  it('is cloned to the host and from it, and packed', async () => {
    await host.sh(`rm -rf ${work}/big /srv/git/big.git; git init -q -b main ${work}/big; cd ${work}/big
      head -c 50000000 /dev/urandom > blob; git add .; git -c core.compression=0 -c user.name=n -c user.email=n@example commit -q -m big
      git clone -q --bare . /srv/git/big.git`)
    await host.gearDo('create-repo', 'bigrepo', '/srv/git/big.git')
    await user.letIn('reader', 'bigrepo', 'read')
    await user.doAs('reader', 'git clone -q git-bigrepo@localhost:~ big-clone; cmp big/blob big-clone/blob')
    const sum = (await host.do(['sha256sum', `${work}/big/blob`])).split(' ')[0]
    expect(
      await host.sh(`curl -q -sSf http://localhost:43273/repository/bigrepo/archive/main.tar.gz | tar xzO blob | sha256sum`),
    ).toContain(sum)
  })
})

describe('deleting a repository', () => {
  it('takes account, commits and access along, ends what is under way, and may be repeated', async () => {
    const clone = user.as('reader', `mkfifo open; exec 3<>open; ${user.ssh('reader')} git-bigrepo@localhost "git-upload-pack '~'" <&3`)
    await until('somebody is connected', async () =>
      (await host.exec(['pgrep', '-u', 'git-bigrepo', 'git'])).exitCode === 0 ? true : 'nobody',
    )
    expect(await host.gearDo('delete-repo', 'bigrepo')).toBe('Deleted bigrepo\n')
    expect((await clone).exitCode).not.toBe(0)
    expect(await traces('bigrepo')).toBe('')
    expect(await host.gearDo('delete-repo', 'bigrepo')).toBe('Deleted bigrepo\n')
    expect((await host.api('GET', '/repository/bigrepo')).status).toBe(404)
  })

  it('lets no key of before into one that is made anew', async () => {
    await host.gearDo('delete-repo', 'shop-src')
    await host.gearDo('create-repo', 'shop-src')
    expect((await user.as('writer', 'git ls-remote git-shop-src@localhost:~')).stderr).toContain('Permission denied (publickey)')
  })
})
