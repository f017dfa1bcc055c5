/**
 * Code that comes from elsewhere by https and ssh, for builds and for repositories that are cloned: a server with a certificate of an authority of
 * its own, and a host with keys. What is wrong with either is said, with what to do about it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost, type Outcome, until } from '../lab-host.ts'
import { fixturesOnHost } from '../node-builder.ts'

const host = new LabHost('web1')
const other = new LabHost('web2')
const work = '/root/sources'
const address = 'https://git.lab:8443'
const certificates = '/usr/local/share/ca-certificates'
const engines = ['docker', 'podman'] as const
const base = '/var/lib/containers'

/** Of the key that sshd shows first. */
const fingerprint = async (of: LabHost): Promise<string> =>
  (await of.do(['ssh-keygen', '-lf', '/etc/ssh/ssh_host_ed25519_key.pub'])).split(' ')[1] ?? ''

const build = (source: string, engine: (typeof engines)[number] = 'docker'): Promise<Outcome> =>
  host.exec([
    '/usr/bin/env',
    `GEARD_ENGINE=${engine}`,
    'gear',
    'build',
    source,
    'gear/httpd',
    'lab/from-afar',
    '--clean',
    '--network',
    'none',
  ])

beforeAll(async () => {
  await host.sh(`
    rm -rf ${work}; mkdir -p ${work}/served; cd ${work}
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 9 -subj '/CN=Lab authority' 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout git.key -out git.csr -subj '/CN=git.lab' 2>/dev/null
    echo 'subjectAltName=DNS:git.lab,DNS:git.there.lab,DNS:git.turn.lab' > names
    openssl x509 -req -in git.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 9 -extfile names -out git.crt 2>/dev/null
    git init -q -b main site; cd site; mkdir -p .s2i/bin; echo 'from afar' > page
    printf '#!/bin/sh\\ncat /tmp/src/page\\n' > .s2i/bin/assemble
    git add .; git -c user.name=n -c user.email=n@example commit -q -m one
    git clone -q --bare . ../served/site.git
    grep -q git.lab /etc/hosts || echo '127.0.0.1 git.lab' >> /etc/hosts
    systemd-run --quiet --unit=lab-git-https /usr/lib/gear/bin/node ${fixturesOnHost}/git-https.mjs 8443 ${work}/served ${work}/git.crt ${work}/git.key`)
  await until('git is served', async () => (await host.exec(['curl', '-q', '-sk', `${address}/`])).exitCode === 0 || 'not yet')
})

afterAll(async () => {
  for (const id of ['by-https', 'by-ssh', 'private-src']) await host.gear('delete-repo', id)
  await other.gear('delete-repo', 'origin')
  await other.sh('userdel --remove --force git 2>/dev/null || :')
  await host.sh(`systemctl stop lab-git-https; rm -rf ${work} ${certificates}/lab.crt /root/.ssh/lab_key* /root/.ssh/config
    update-ca-certificates --fresh >/dev/null 2>&1; sed -i /git.lab/d /etc/hosts; rm -f /etc/ssh/ssh_known_hosts`)
})

describe('an https source', () => {
  it('of an authority that the host does not trust is refused, with what to do', async () => {
    const built = await build(`${address}/site.git`)
    expect([built.exitCode, built.stderr]).toEqual([1, expect.stringMatching(/certificate.*update-ca-certificates.* \[SOURCE_FAILED\]/s)])
    const made = await host.gear('create-repo', 'by-https', `${address}/site.git`)
    expect([made.exitCode, made.stderr]).toEqual([
      1,
      expect.stringMatching(/certificate.*update-ca-certificates.* \[REPOSITORY_CREATE_FAILED\]/s),
    ])
  })

  describe('of an authority that was added to the host', () => {
    beforeAll(() => host.sh(`cp ${work}/ca.crt ${certificates}/lab.crt; update-ca-certificates >/dev/null 2>&1`))

    it.each(engines)('is built on %s', async engine => {
      expect((await build(`${address}/site.git`, engine)).stdout).toContain('from afar\n')
    })

    it('is cloned into a repository', async () => {
      await host.gearDo('create-repo', 'by-https', `${address}/site.git`)
      expect(await host.gearDo('list-repos')).toMatch(/^by-https +local +main/m)
    })

    it('is built for who asks over the API', async () => {
      const body = JSON.stringify({ Source: `${address}/site.git`, BaseImage: 'gear/httpd', Tag: 'lab/from-afar', Clean: true })
      const answer = await host.api('POST', '/build-image', { headers: ['Accept: application/json;stream=true'], body })
      expect(answer.body).toMatch(/from afar\n[\s\S]*Built lab\/from-afar/)
    })

    it('that asks for a password gets the one in the address, which is not shown to the users of the host', async () => {
      const source = `${address.replace('//', '//me:hidden%2Fword@')}/private/site.git`
      const body = JSON.stringify({ Source: source, BaseImage: 'gear/httpd', Tag: 'lab/from-afar', Clean: true, Verbose: true })
      const answer = await host.api('POST', '/build-image', { headers: ['Accept: application/json;stream=true'], body })
      expect(answer.body).toMatch(/from afar\n[\s\S]*Built lab\/from-afar/)
      const told = `${answer.body}${await host.gearDo('builds', '--output', 'json')}${await host.sh('journalctl --boot --quiet -o cat')}`
      expect(told).not.toContain('hidden')
    })

    it('with a certificate for another name is refused', async () => {
      const built = await build('https://localhost:8443/site.git')
      expect([built.exitCode, built.stderr]).toEqual([1, expect.stringMatching(/certificate.* \[SOURCE_FAILED\]/s)])
    })

    it.each(['to-file', 'to-command'])('that leads %s is not followed', async way => {
      const built = await build(`${address}/${way}/site.git`)
      expect([built.exitCode, built.stderr]).toEqual([1, expect.stringContaining('[SOURCE_FAILED]')])
      expect((await host.gear('create-repo', 'led-away', `${address}/${way}/site.git`)).exitCode).toBe(1)
      expect(await host.sh('ls /run | grep owned || :')).toBe('')
    })
  })
})

describe('an ssh source', () => {
  let source = ''

  beforeAll(async () => {
    await host.sh(`mkdir -p /root/.ssh; chmod 700 /root/.ssh; rm -f /root/.ssh/lab_key* /etc/ssh/ssh_known_hosts
      ssh-keygen -q -t ed25519 -N "" -f /root/.ssh/lab_key; printf 'Host *\\n  IdentityFile /root/.ssh/lab_key\\n' > /root/.ssh/config`)
    const key = await host.do(['cat', '/root/.ssh/lab_key.pub'])
    const pack = await host.do(['/bin/sh', '-c', `git -C ${work}/site bundle create -q - main | base64`])
    await other.gearDo('create-repo', 'origin')
    await other.do(['/bin/sh', '-c', 'base64 -d > /tmp/origin.bundle; chmod 644 /tmp/origin.bundle'], { input: pack })
    await other.do([
      'runuser',
      '-u',
      'git-origin',
      '--',
      'git',
      '-C',
      '/var/lib/containers/git/origin',
      'fetch',
      '-q',
      '/tmp/origin.bundle',
      'main:main',
    ])
    await other.do(['gear', 'add-keys', 'repo://origin'], { input: key })
    source = `ssh://git-origin@${await other.address()}/~`
  })

  it('on a host whose key nobody knows is refused, with what to do', async () => {
    const built = await build(source)
    expect([built.exitCode, built.stderr]).toEqual([
      1,
      expect.stringMatching(/not known to the user who builds.*ssh_known_hosts.* \[SOURCE_FAILED\]/s),
    ])
    const made = await host.gear('create-repo', 'by-ssh', source)
    expect([made.exitCode, made.stderr]).toEqual([
      1,
      expect.stringMatching(/not known to git-by-ssh.*--host-key.*ssh_known_hosts.* \[REPOSITORY_CREATE_FAILED\]/s),
    ])
    // what has to be compared, and what has to be let in there
    expect(made.stderr).toContain(await fingerprint(other))
    expect(made.stderr).toContain((await host.gearDo('repo-key', 'by-ssh')).trim())
  })

  describe('on a host whose key all accounts know', () => {
    beforeAll(async () => {
      await host.sh(`ssh-keyscan -t ed25519 ${await other.address()} > /etc/ssh/ssh_known_hosts 2>/dev/null`)
    })

    it.each(engines)('is built on %s with the key of who builds', async engine => {
      expect((await build(source, engine)).stdout).toContain('from afar\n')
    })

    it('is built for who asks over the API, with the key of root', async () => {
      const body = JSON.stringify({ Source: source, BaseImage: 'gear/httpd', Tag: 'lab/from-afar', Clean: true })
      const answer = await host.api('POST', '/build-image', { headers: ['Accept: application/json;stream=true'], body })
      expect(answer.body).toMatch(/from afar\n[\s\S]*Built lab\/from-afar/)
    })

    it('that does not let an account in says which, and by which key, and nothing is left but that', async () => {
      const made = await host.gear('create-repo', 'by-ssh', source)
      expect([made.exitCode, made.stderr]).toEqual([1, expect.stringContaining('does not let the key of git-by-ssh in')])
      expect(made.stderr).toContain((await host.gearDo('repo-key', 'by-ssh')).trim())
      expect(await host.sh(`cd ${base}; find git git-home keys -name '*by-ssh*'; grep git-by-ssh: /etc/passwd || :`)).toBe(
        'keys/clone/by-ssh\n',
      )
      expect(await host.do(['stat', '-c', '%U %a', `${base}/keys/clone`, `${base}/keys/clone/by-ssh`])).toBe('root 700\nroot 600\n')
    })
  })

  describe('of a private repository on a host that is not known', () => {
    beforeAll(async () => {
      await host.sh('rm -f /etc/ssh/ssh_known_hosts')
      await other.sh(`id git >/dev/null 2>&1 || useradd --create-home --shell /usr/bin/git-shell git
        install -d -m 700 -o git ~git/.ssh; rm -rf ~git/acme; mkdir ~git/acme; git clone -q --bare /tmp/origin.bundle ~git/acme/site.git
        git -C ~git/acme/site.git symbolic-ref HEAD refs/heads/main; git -C ~git/acme/site.git update-server-info; chown -R git: ~git/acme`)
    })
    const create = async (hostKey: string) =>
      host.gear('create-repo', 'private-src', `git@${await other.address()}:acme/site.git`, '--host-key', hostKey)

    it('is not fetched from a host that shows another key than the one that was named', async () => {
      const made = await create(`SHA256:${'a'.repeat(43)}`)
      expect([made.exitCode, made.stderr]).toEqual([1, expect.stringContaining(`does not show the key SHA256:${'a'.repeat(43)}`)])
      expect(made.stderr).toContain(await fingerprint(other))
    })

    it('is cloned with a key that was let in there, from the host that was named', async () => {
      const refused = await create(await fingerprint(other))
      expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('does not let the key of git-private-src in')])
      const key = await host.gearDo('repo-key', 'private-src')
      await other.sh('cat > ~git/.ssh/authorized_keys; chown git: ~git/.ssh/authorized_keys; chmod 600 ~git/.ssh/authorized_keys', {
        input: key,
      })
      expect((await create(await fingerprint(other))).stdout).toContain('Repository private-src is created')
      expect(await host.gearDo('list-repos')).toMatch(/^private-src +local +main/m)
    })

    it('leaves no key with the account that serves it, and none in any log', async () => {
      expect(await host.sh(`ls -A ${base}/git-home/pr/private-src ${base}/git-home/pr/private-src/home`)).toBe(
        `${base}/git-home/pr/private-src:\nhome\n\n${base}/git-home/pr/private-src/home:\n`,
      )
      const secret = (await host.do(['sed', '-n', '2p', `${base}/keys/clone/private-src`])).trim()
      expect(secret).toMatch(/^\S{40,}$/)
      expect(await host.sh(`journalctl -b --no-pager -o cat | grep -c -F -e '${secret}' || :`)).toBe('0\n')
    })

    it('takes its key along when it is deleted', async () => {
      await host.gearDo('delete-repo', 'private-src')
      expect(await host.sh(`ls ${base}/keys/clone`)).not.toContain('private-src')
    })
  })

  it('on a host that has another key than before is refused', async () => {
    await host.sh(
      `cd ${work}; ssh-keygen -q -t ed25519 -N "" -f another; echo "${await other.address()} $(cut -d' ' -f1,2 another.pub)" > /etc/ssh/ssh_known_hosts`,
    )
    const built = await build(source)
    expect([built.exitCode, built.stderr]).toEqual([1, expect.stringContaining('another key than the one that the user who builds knows')])
  })
})

describe('who asks from elsewhere', () => {
  let there = ''
  let here = ''

  beforeAll(async () => {
    ;[there, here] = await Promise.all([other.address(), host.address()])
    // plain files of a repository, and an address that leads to the one who asks for it
    await other.sh(`systemd-run --quiet --unit=lab-plain-http busybox httpd -f -p 8125 -h /home/git/acme
      printf '#!/bin/sh\nread -r line; printf "HTTP/1.1 302 Found\\r\\nLocation: http://${here}:8127/x/info/refs?service=git-upload-pack\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n"' > /root/lead; chmod 755 /root/lead
      systemd-run --quiet --unit=lab-lead busybox nc -ll -p 8126 -e /root/lead`)
    await host.sh(`umask 077; echo correct-horse-battery-staple > /etc/gear-token; echo '127.0.0.1 git.inside.lab' >> /etc/hosts
      systemd-run --quiet --unit=lab-inner busybox nc -ll -p 8127 -e /usr/bin/tee -a /run/reached
      sed -i '/^GEARD_OPTS=/d' /etc/default/gear; echo 'GEARD_OPTS="http://127.0.0.1:43273 http://0.0.0.0:43274 --token-file /etc/gear-token"' >> /etc/default/gear
      systemctl restart gear.service`)
    await host.untilAgentIsUp()
    await until(
      'both serve',
      async () =>
        (await host.exec(['curl', '-q', '-sf', '-o', '/dev/null', `http://${there}:8125/site.git/HEAD`])).exitCode === 0 || 'not yet',
    )
  })

  afterAll(async () => {
    for (const id of ['from-afar', 'by-key']) await host.gear('delete-repo', id)
    await other.sh('systemctl stop lab-plain-http lab-lead; rm -f /root/lead')
    await host.sh(`systemctl stop lab-inner; sed -i /git.inside.lab/d /etc/hosts; sed -i '/^GEARD_OPTS=/d' /etc/default/gear; rm -f /etc/gear-token
      systemctl restart gear.service`)
    await host.untilAgentIsUp()
  })

  const ask = async (method: 'PUT' | 'POST', path: string, body: object): Promise<string> => {
    const bearer = 'Authorization: Bearer correct-horse-battery-staple'
    const command = ['curl', '-q', '-sS', '-X', method, '-H', bearer, '-H', 'Accept: application/json;stream=true', '-w', ' %{http_code}']
    return other.do([...command, '--data-binary', '@-', `http://${here}:43274${path}`], { input: JSON.stringify(body) })
  }
  const create = (id: string, CloneUrl: string, more: object = {}) => ask('PUT', `/repository/${id}`, { CloneUrl, ...more })
  const remoteBuild = (Source: string) =>
    ask('POST', '/build-image', { Source, BaseImage: 'gear/httpd', Tag: 'lab/from-afar', Clean: true })

  it.each([
    'http://127.0.0.1:8127/x',
    'http://169.254.169.254/latest/meta-data',
    'http://git.inside.lab:8127/x',
    // of the engine's bridge, which has no carrier without containers; and of a container that might be there
    'http://172.17.0.1:43274/x',
    'http://172.17.0.99/x',
    'git@localhost:x',
    'git://[::1]:8127/x',
  ])('is refused %s at once, for repositories and for builds', async address => {
    for (const answer of [await create('from-afar', address), await remoteBuild(address)]) {
      expect(answer).toMatch(/must not be an address of this host or of its local network.* 400$/s)
    }
  })

  it('is refused an address that leads to this host, and nothing arrives there', async () => {
    const address = `http://${there}:8126/x`
    for (const answer of [await create('from-afar', address), await remoteBuild(address)]) {
      expect(answer).toMatch(new RegExp(`${here} is an address of this host or of its local network`))
    }
    expect(await host.sh('cat /run/reached 2>/dev/null || :')).toBe('')
    expect(await host.sh(`ls -A ${base}/git | grep from-afar || :`)).toBe('')
  })

  it('may have cloned and built what is elsewhere: by http, and by ssh with a key', async () => {
    const address = `http://${there}:8125/site.git`
    expect(await create('from-afar', address)).toContain('Repository from-afar is created')
    expect(await remoteBuild(address)).toMatch(/from afar\n[\s\S]*Built lab\/from-afar/)
    const key = await host.gearDo('repo-key', 'by-key')
    await other.sh('cat >> ~git/.ssh/authorized_keys', { input: key })
    const HostKey = await fingerprint(other)
    expect(await create('by-key', `git@${there}:acme/site.git`, { HostKey })).toContain('Repository by-key is created')
  })

  describe('by https', () => {
    const there8443 = 'https://git.there.lab:8443'
    const turning = 'https://git.turn.lab:8443/turning/site.git'
    const turnTo = (address: string) => host.sh(`sed -i /git.turn.lab/d /etc/hosts; echo '${address} git.turn.lab' >> /etc/hosts`)

    beforeAll(async () => {
      await host.sh(
        `cp ${work}/ca.crt ${certificates}/lab.crt; update-ca-certificates >/dev/null 2>&1; echo '${there} git.there.lab' >> /etc/hosts`,
      )
      for (const name of ['git.crt', 'git.key']) {
        await other.sh(`umask 077; cat > /root/lab-${name}`, { input: await host.do(['cat', `${work}/${name}`]) })
      }
      await other.sh(`rm -f /run/asked /run/turned
        systemd-run --quiet --unit=lab-git-afar /usr/lib/gear/bin/node ${fixturesOnHost}/git-https.mjs 8443 /home/git/acme /root/lab-git.crt /root/lab-git.key ${there} ${address}`)
      await until('git is served there', async () => (await host.exec(['curl', '-q', '-s', there8443])).exitCode === 0 || 'not yet')
    })
    afterAll(async () => {
      await other.sh('systemctl stop lab-git-afar; rm -f /root/lab-git.* /run/asked /run/turned')
      await host.sh('sed -i "/git.there.lab/d; /git.turn.lab/d" /etc/hosts')
    })

    it('may have cloned and built what is elsewhere', async () => {
      expect(await remoteBuild(`${there8443}/site.git`)).toMatch(/from afar\n[\s\S]*Built lab\/from-afar/)
      expect(await create('afar-by-https', `${there8443}/site.git`)).toContain('Repository afar-by-https is created')
      await host.gearDo('delete-repo', 'afar-by-https')
    })

    it('is refused this host at once, and where an address leads to it', async () => {
      expect(await remoteBuild(`${address}/site.git`)).toMatch(/must not be an address of this host or of its local network.* 400$/s)
      for (const answer of [
        await remoteBuild(`${there8443}/to-lead/site.git`),
        await create('led-away', `${there8443}/to-lead/site.git`),
      ]) {
        expect(answer).toContain('git.lab is 127.0.0.1, an address of this host or of its local network')
      }
      expect(await host.sh(`ls -A ${base}/git | grep led-away || :`)).toBe('')
    })

    it('is refused a name that stands for this host when git asks it a second time', async () => {
      await turnTo(there)
      const answer = remoteBuild(turning)
      await until('git has asked', async () => (await other.exec(['test', '-e', '/run/asked'])).exitCode === 0 || 'not yet')
      await turnTo('127.0.0.1')
      await other.sh('touch /run/turned')
      expect(await answer).toContain('git.turn.lab is 127.0.0.1, an address of this host or of its local network')
    })
  })

  it('may have built what is in a repository of this host', async () => {
    expect(await remoteBuild(`${base}/git/from-afar`)).toMatch(/from afar\n[\s\S]*Built lab\/from-afar/)
    expect(await remoteBuild(work)).toMatch(/only repositories in .* are built from elsewhere.* 400$/s)
  })
})
