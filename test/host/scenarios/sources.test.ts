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
    echo 'subjectAltName=DNS:git.lab' > names
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
  for (const id of ['by-https', 'by-ssh']) await host.gear('delete-repo', id)
  await other.gear('delete-repo', 'origin')
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
      expect.stringMatching(/not known to git-by-ssh.*ssh_known_hosts.* \[REPOSITORY_CREATE_FAILED\]/s),
    ])
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

    it('that does not let an account in says which', async () => {
      const made = await host.gear('create-repo', 'by-ssh', source)
      expect([made.exitCode, made.stderr]).toEqual([1, expect.stringContaining('lets no key of git-by-ssh in')])
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
