/**
 * SSH into containers with the real client, from another host: what a key holder gets, and everything that is refused, as somebody would try it who
 * means harm.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost, type Outcome, type RunOptions, until } from '../lab-host.ts'

const host = new LabHost('web1')
const client = new LabHost('web2')
const base = '/var/lib/containers'
let address = ''
let port = 0

const options = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR', '-o', 'BatchMode=yes']
const target = (id: string) => `ctr-${id}@${address}`

/** `ssh` on the other host, with the key that was let in. */
function ssh(words: readonly string[], run: RunOptions = {}): Promise<Outcome> {
  return client.exec(['ssh', ...options, '-i', '/root/lab-key', ...words], run)
}

/** The output of a command in a container. */
async function inside(id: string, command: string, run?: RunOptions): Promise<string> {
  const outcome = await ssh([target(id), command], run)
  expect(outcome.stderr).toBe('')
  return outcome.stdout
}

/** Words in a terminal of the client, typed after each other; what the terminal showed. */
function terminal(words: readonly string[], typed: string): Promise<string> {
  const quoted = words.map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  return client.sh(`{ sleep 1; cat; sleep 1; } | timeout 20 script -qc "stty rows 33 cols 99; ${quoted}" /dev/null || :`, { input: typed })
}

const makeAccount = (id: string) =>
  host.do(['/usr/lib/gear/libexec/make-account', `ctr-${id}`, `${base}/home/${id.slice(0, 2)}/${id}/home`, 'Container user', '/bin/sh'])

beforeAll(async () => {
  address = await host.address()
  await client.sh(
    'rm -f /root/lab-key* /root/other-key*; ssh-keygen -q -t ed25519 -N "" -f /root/lab-key; ssh-keygen -q -t rsa -N "" -f /root/other-key',
  )
  await Promise.all([
    host.gearDo('install', 'gear/httpd-user', 'login1', '--isolate', '-p', '8080:0', '--start', '--wait'),
    host.gearDo('install', 'gear/httpd-user', 'login2', '--isolate', '--start', '--wait'),
  ])
  port = await host.port('login1')
  await host.do(['gear', 'add-keys', 'login1', 'login2'], { input: await client.do(['cat', '/root/lab-key.pub']) })
})
afterAll(async () => {
  for (const id of ['login1', 'login2', 'login3', 'login4']) await host.gear('delete', id)
})

describe('who has a key', () => {
  it('gets a shell in the container, with a terminal that has its size', async () => {
    const shown = await terminal(
      ['ssh', ...options, '-i', '/root/lab-key', target('login1')],
      'echo "host $(hostname) size $(stty size) term $TERM"; exit\n',
    )
    const name = (await host.do(['docker', 'exec', 'login1', 'hostname'])).trim()
    expect(shown).toContain(`host ${name} size 33 99 term `)
  })

  it('runs commands there, with their input, both outputs and their exit code', async () => {
    const outcome = await ssh([target('login1'), 'cat; echo to-err >&2; exit 7'], { input: 'to-in\n' })
    expect(outcome).toEqual({ exitCode: 7, stdout: 'to-in\n', stderr: 'to-err\n' })
    const sum = await client.sh(
      `head -c 2000000 /dev/urandom > /tmp/bytes; md5sum < /tmp/bytes; ssh ${options.join(' ')} -i /root/lab-key ${target('login1')} 'cat > /tmp/b; cat /tmp/b' < /tmp/bytes | md5sum`,
    )
    const [sent, came] = sum.trim().split('\n')
    expect(came).toBe(sent)
  })

  it('has what the container has and no more: its files, its control group, its bounds; and the number of its account', async () => {
    const look = 'cat /proc/self/cgroup; grep -E "^(CapBnd|Seccomp:|NoNewPrivs)" /proc/self/status'
    expect(await inside('login1', look)).toBe(await host.do(['docker', 'exec', 'login1', 'sh', '-c', look]))
    expect(await inside('login1', 'id -u; id -g; cat /proc/self/status | grep CapEff')).toBe(
      `${await host.sh('id -u ctr-login1; id -g ctr-login1')}CapEff:\t0000000000000000\n`,
    )
    expect(await inside('login1', 'ls -d /run/docker.sock /var/lib/containers /root/id 2>/dev/null | wc -l')).toBe('0\n')
  })

  it('forwards ports to those that the container publishes', async () => {
    const page = await client.sh(
      `{ printf 'GET / HTTP/1.0\\r\\n\\r\\n'; sleep 2; } | ssh ${options.join(' ')} -i /root/lab-key -W 127.0.0.1:${port} ${target('login1')}`,
    )
    expect(page).toContain('<!doctype html>')
  })

  it('copies by scp where the image has it, and is told where it has not', async () => {
    await client.sh('echo copied > /tmp/copy')
    const copy = (...words: readonly string[]) => client.exec(['scp', ...options, '-i', '/root/lab-key', ...words])
    const old = await copy('-O', '/tmp/copy', `${target('login1')}:/tmp`)
    expect(old.exitCode).not.toBe(0)
    expect(old.stderr).toMatch(/scp: not found/)
    const modern = await copy('/tmp/copy', `${target('login1')}:/tmp`)
    expect(modern.exitCode).not.toBe(0)
    expect(modern.stderr).toMatch(/unsupported/)
    const sftp = await client.exec(['sftp', ...options, '-i', '/root/lab-key', target('login1')])
    expect(sftp.stdout + sftp.stderr).toContain('there is no sftp-server in this image: use scp -O, ssh with tar, or gear cp')
    await client.sh(`tar c -C /tmp copy | ssh ${options.join(' ')} -i /root/lab-key ${target('login1')} 'tar x -C /tmp'`)
    expect(await inside('login1', 'cat /tmp/copy')).toBe('copied\n')
  })
})

describe('who means harm', () => {
  it('gets nowhere without a key that was let in, or with a password', async () => {
    const outcome = await client.exec(['ssh', ...options, '-i', '/root/other-key', '-o', 'IdentitiesOnly=yes', target('login1'), 'id'])
    expect(outcome).toMatchObject({ exitCode: 255, stderr: expect.stringContaining('Permission denied (publickey)') })
    await host.sh(
      `cp ${base}/home/lo/login1/home/.none /dev/null 2>/dev/null || :; install -d -o ctr-login1 -m 700 ${base}/home/lo/login1/home/.ssh`,
    )
    const line = await client.do(['cat', '/root/other-key.pub'])
    await host.sh(
      `cat > ${base}/home/lo/login1/home/.ssh/authorized_keys; chown ctr-login1: ${base}/home/lo/login1/home/.ssh/authorized_keys`,
      { input: line },
    )
    expect(
      (await client.exec(['ssh', ...options, '-i', '/root/other-key', '-o', 'IdentitiesOnly=yes', target('login1'), 'id'])).exitCode,
    ).toBe(255)
  })

  it.each([
    ['a command that ends the one on the host', "'; id > /tmp/owned; '"],
    ['a substitution', '$(touch /tmp/owned)`touch /tmp/owned`'],
    ['options of the engine', '--privileged -v /:/host alpine'],
    ['several lines', 'true\ntouch /tmp/owned\n'],
    ['a command that looks like a transfer', '/usr/lib/openssh/sftp-server; touch /tmp/owned'],
    ['one for the helper', '/usr/lib/gear/libexec/container-login; sudo -n id; touch /tmp/owned'],
  ])('stays in the container with %s', async (_, command) => {
    await ssh([target('login1'), command], { timeoutMs: 30_000 })
    expect((await host.exec(['test', '-e', '/tmp/owned'])).exitCode).toBe(1)
  })

  it('brings no variable onto the host', async () => {
    const evil = [
      'LD_PRELOAD=/tmp/evil.so',
      'LC_ALL=/tmp/evil',
      'LC_EVIL=() { :;}; touch /tmp/owned',
      'BASH_ENV=/tmp/evil',
      'ENV=/tmp/evil',
      'DOCKER_HOST=tcp://127.0.0.1:1',
      'PATH=/tmp',
      'SSH_ORIGINAL_COMMAND=x',
      'SUDO_USER=ctr-login2',
      'SUDO_UID=0',
    ]
    const setEnvs = evil.flatMap(variable => ['-o', `SetEnv=${variable.replaceAll(' ', '')}`])
    const outcome = await ssh([...setEnvs, target('login1'), 'env'])
    expect(outcome.exitCode).toBe(0)
    expect(outcome.stdout).not.toMatch(/evil|owned|login2/)
    expect((await host.exec(['test', '-e', '/tmp/owned'])).exitCode).toBe(1)
  })

  it('finds nothing in the home that the host would run or read', async () => {
    const home = `${base}/home/lo/login1/home`
    await host.sh(
      `install -d -o ctr-login1 -m 700 ${home}/.ssh
       for file in .ssh/rc .profile .bashrc .shrc .ssh/environment; do printf 'touch /tmp/owned\\nLD_PRELOAD=/tmp/evil.so\\n' > ${home}/$file; done
       ln -sfn /etc/shadow ${home}/.hushlogin; ln -sfn /root ${home}/.docker; chmod 755 ${home}/.ssh/rc; chown -h -R ctr-login1: ${home}`,
    )
    expect(await inside('login1', 'echo in')).toBe('in\n')
    await terminal(['ssh', ...options, '-i', '/root/lab-key', target('login1')], 'exit\n')
    expect((await host.exec(['test', '-e', '/tmp/owned'])).exitCode).toBe(1)
  })

  it.each<[name: string, words: (port: number) => readonly string[]]>([
    ['the ssh server of the host', () => ['-W', '127.0.0.1:22']],
    ['the agent', () => ['-W', '127.0.0.1:43273']],
    ['the port of the container by another name', at => ['-W', `localhost:${at}`]],
    ['another host', () => ['-W', '192.0.2.1:80']],
    ['a port of the host from outside', () => ['-o', 'ExitOnForwardFailure=yes', '-R', '5001:127.0.0.1:22']],
    ['a socket of the host from outside', () => ['-o', 'ExitOnForwardFailure=yes', '-R', '/tmp/lab.sock:127.0.0.1:22']],
    ['a tunnel', () => ['-o', 'ExitOnForwardFailure=yes', '-w', 'any:any']],
  ])('cannot forward to %s', async (_, words) => {
    const outcome = await ssh([...words(port), target('login1'), ...(words(port).includes('-W') ? [] : ['true'])])
    expect(outcome.exitCode).toBe(255)
  })

  it('cannot forward to the socket of the engine', async () => {
    const tried = await client.sh(
      `ssh -o LogLevel=INFO ${options.join(' ')} -i /root/lab-key -N -L 5002:/run/docker.sock ${target('login1')} 2>/tmp/forward.log & until grep -q "open failed" /tmp/forward.log; do curl -q -s -m 2 http://127.0.0.1:5002/info || :; sleep 0.1; done; kill $!`,
      { timeoutMs: 20_000 },
    )
    expect(tried).toBe('')
  })

  it('cannot forward anywhere from a container without ports, nor its agent, nor a display', async () => {
    expect((await ssh(['-W', '127.0.0.1:22', target('login2')])).exitCode).toBe(255)
    expect(await inside('login2', 'env | grep -cE "SSH_AUTH_SOCK|DISPLAY" || :')).toBe('0\n')
    const keys = await host.do(['runuser', '-u', 'nobody', '--', '/usr/sbin/gear-auth-keys-command', 'ctr-login2'])
    expect(keys).toMatch(/^command="\/usr\/bin\/switchns",no-port-forwarding,no-agent-forwarding,no-X11-forwarding ssh-ed25519 \S+\n\n$/)
  })

  it('gets into no container but its own, and not as root by the helper itself', async () => {
    const as = (login: string, ...words: readonly string[]) => host.exec(['runuser', '-u', login, '--', ...words])
    const helper = '/usr/lib/gear/libexec/container-login'
    for (const words of [
      ['sudo', '-n', helper, 'login2'],
      ['sudo', '-n', 'id'],
      ['sudo', '-n', '-u', 'ctr-login2', helper],
      ['sudo', '-n', 'SUDO_USER=ctr-login2', helper],
      ['switchns', '--container=login2', '--', '/bin/sh'],
      [helper],
      ['docker', 'ps'],
    ]) {
      expect((await as('ctr-login1', ...words)).exitCode, words.join(' ')).not.toBe(0)
    }
    await host.sh('id visitor >/dev/null 2>&1 || useradd visitor')
    expect(await as('visitor', 'sudo', '-n', helper)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('not that of a container'),
    })
    expect(await as('visitor', 'switchns')).toMatchObject({ exitCode: 2 })
    expect((await host.do(['stat', '-c', '%a', '/usr/bin/switchns'])).trim()).toBe('755')
  })

  it('is written a file for an sshd of the original, which does not outlive the key', async () => {
    const file = `${base}/home/lo/login2/home/.ssh/authorized_keys`
    expect((await host.gear('auth-keys-command', 'ctr-login2')).exitCode).toBe(0)
    expect(await host.do(['cat', file])).toMatch(/^command="\/usr\/bin\/switchns",\S+ ssh-ed25519 \S+\n\n$/)
    expect(await host.do(['stat', '-c', '%a %U', file])).toBe('600 ctr-login2\n')
    await host.do(['gear', 'add-keys', 'login2'], { input: await client.do(['cat', '/root/lab-key.pub']) })
    expect((await host.exec(['test', '-e', file])).exitCode).toBe(1)
    await host.sh(`rm -rf ${base}/home/lo/login2/home/.ssh; ln -s /root ${base}/home/lo/login2/home/.ssh`)
    expect((await host.gear('auth-keys-command', 'ctr-login2')).exitCode).not.toBe(0)
    expect((await host.gear('auth-keys-command', 'ctr-nobody')).exitCode).toBe(2)
    expect((await host.gear('auth-keys-command', 'root')).exitCode).toBe(1)
  })

  it('finds a host that says what is set up', async () => {
    expect(await host.gearDo('daemon', '--check')).toMatch(/^ssh logins +ok/m)
  })

  it('asks for the keys of an account that is none of ours in vain', async () => {
    const ask = (...words: readonly string[]) => host.exec(['runuser', '-u', 'nobody', '--', '/usr/sbin/gear-auth-keys-command', ...words])
    await host.sh('id ctr-fake1 >/dev/null 2>&1 || useradd -c "Somebody" ctr-fake1')
    expect((await ask('root')).exitCode).toBe(1)
    expect((await ask('ctr-fake1')).exitCode).toBe(1)
    expect((await ask('ctr-nobody')).exitCode).toBe(2)
    expect((await ask('../../etc')).exitCode).toBe(2)
    expect((await ask()).exitCode).toBe(1)
    expect((await ask('ctr-login1', 'more')).exitCode).toBe(1)
  })
})

describe('a container of podman', () => {
  it('is entered in the same way: shell, commands, and the end with the key', async () => {
    await host.sh('docker save gear/httpd-user | podman load --quiet')
    await host.gearDo('install', 'gear/httpd-user', 'login4', '--isolate', '--engine', 'podman', '--start', '--wait')
    await host.do(['gear', 'add-keys', 'login4'], { input: await client.do(['cat', '/root/lab-key.pub']) })
    const outcome = await ssh([target('login4'), 'cat; id -u; echo to-err >&2; exit 7'], { input: 'to-in\n' })
    expect(outcome).toEqual({ exitCode: 7, stdout: `to-in\n${await host.do(['id', '-u', 'ctr-login4'])}`, stderr: 'to-err\n' })
    const shown = await terminal(['ssh', ...options, '-i', '/root/lab-key', target('login4')], 'echo "size $(stty size)"; exit\n')
    expect(shown).toContain('size 33 99')
    const session = ssh([target('login4'), 'sleep 7003'], { timeoutMs: 60_000 })
    await until('somebody is inside', async () => (await host.exec(['pgrep', '-xf', 'sleep 7003'])).exitCode === 0 || 'nobody is')
    await host.do(['gear', 'keys', 'remove', 'login4', '--key-file', '-'], { input: await client.do(['cat', '/root/lab-key.pub']) })
    expect((await session).exitCode).not.toBe(0)
    await until('what it ran is gone', async () => (await host.exec(['pgrep', '-xf', 'sleep 7003'])).exitCode === 1 || 'it runs')
  })
})

describe('an access that ends', () => {
  const isGone = (seconds: number) =>
    until('what the session ran is gone', async () => (await host.exec(['pgrep', '-xf', `sleep ${seconds}`])).exitCode === 1 || 'it runs')

  it('with the key: no login any more, and who is inside is out', async () => {
    const session = ssh([target('login2'), 'sleep 7001'], { timeoutMs: 60_000 })
    await until('somebody is inside', async () => (await host.exec(['pgrep', '-xf', 'sleep 7001'])).exitCode === 0 || 'nobody is')
    const forward = ssh(['-N', target('login2')], { timeoutMs: 60_000 })
    await client.do(['cp', '/root/lab-key.pub', '/tmp/leaver.pub'])
    await host.do(['gear', 'keys', 'remove', 'login2', '--key-file', '-'], { input: await client.do(['cat', '/root/lab-key.pub']) })
    expect((await session).exitCode).not.toBe(0)
    expect((await forward).exitCode).toBe(255)
    await isGone(7001)
    expect((await ssh([target('login2'), 'true'])).exitCode).toBe(255)
    expect(await inside('login1', 'echo still')).toBe('still\n')
    expect(await host.gearDo('keys', 'list')).toMatch(/ login1$/m)
  })

  it('with the container, which leaves nothing for another of its name', async () => {
    await host.gearDo('install', 'gear/busybox', 'login3', '--start', '--wait')
    await makeAccount('login3')
    await host.do(['gear', 'add-keys', 'login3'], { input: await client.do(['cat', '/root/lab-key.pub']) })
    const session = ssh([target('login3'), 'sleep 7002'], { timeoutMs: 60_000 })
    await until('somebody is inside', async () => (await host.exec(['pgrep', '-xf', 'sleep 7002'])).exitCode === 0 || 'nobody is')
    await host.gearDo('delete', 'login3')
    expect((await session).exitCode).not.toBe(0)
    expect((await host.exec(['id', 'ctr-login3'])).exitCode).toBe(1)
    await host.gearDo('install', 'gear/busybox', 'login3', '--start', '--wait')
    await makeAccount('login3')
    expect((await ssh([target('login3'), 'true'])).exitCode).toBe(255)
  })

  it('for as long as the container is stopped, which is said', async () => {
    await host.gearDo('stop', 'login1')
    await host.untilState('login1', 'inactive', 'failed')
    const outcome = await ssh([target('login1'), 'true'])
    expect(outcome).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('the container does not run') })
  })
})
