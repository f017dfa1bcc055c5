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

/** Writes a script of the client that runs the words in its terminal, after what else the script is to do. */
async function prepareTerminal(words: readonly string[], first = ''): Promise<void> {
  const quoted = words.map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  await client.sh('rm -f /tmp/shown /tmp/type-on; cat > /tmp/in-terminal', { input: `stty rows 33 cols 99\n${first}\n${quoted}\n` })
}

/** Words in a terminal of the client, typed after each other; what the terminal showed. */
async function terminal(words: readonly string[], typed: string): Promise<string> {
  await prepareTerminal(words)
  return client.sh(`{ sleep 1; cat; sleep 1; } | timeout 20 script -qc 'sh /tmp/in-terminal' /dev/null || :`, { input: typed })
}

/** What a terminal of the client shows that is 33 by 99 until this has been seen, and 44 by 111 from then on. */
async function resizedTerminal(words: readonly string[]): Promise<string> {
  const resize = 'until grep -qs "33 99" /tmp/shown; do sleep 0.1; done; stty rows 44 cols 111 < "$terminal"'
  await prepareTerminal(words, `terminal=$(tty); ( ${resize} ) &`)
  return client.sh(`timeout 60 script -qefc 'sh /tmp/in-terminal' /tmp/shown`)
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
  await host.gearDo('install', 'gear/httpd-user', 'login4', '--isolate', '--engine', 'podman', '-p', '8080:0', '--start', '--wait')
  port = await host.port('login1')
  await host.do(['gear', 'add-keys', 'login1', 'login2', 'login4'], { input: await client.do(['cat', '/root/lab-key.pub']) })
})
afterAll(async () => {
  for (const id of ['login1', 'login2', 'login3', 'login4']) await host.gear('delete', id)
})

describe('who has a key', () => {
  it.each([
    ['docker', 'login1'],
    ['podman', 'login4'],
  ])('gets a shell in the container, with a terminal that has its size, on %s', async (engine, id) => {
    const shown = await terminal(
      ['ssh', ...options, '-i', '/root/lab-key', target(id)],
      'echo "host $(hostname) size $(stty size) term $TERM"; exit\n',
    )
    const name = (await host.do([engine, 'exec', id, 'hostname'])).trim()
    expect(shown).toContain(`host ${name} size 33 99 term `)
  })

  it.each(['login1', 'login4'])('has a terminal that is resized with the one it sits at: %s', async id => {
    // The dots keep the client from waiting: a signal between its look and its poll would be seen with the next output only.
    const command = 'stty size; until [ "$(stty size)" = "44 111" ]; do sleep 0.1; printf .; done; echo followed'
    expect(await resizedTerminal(['ssh', '-t', ...options, '-i', '/root/lab-key', target(id), command])).toContain('followed')
  })

  it.each([
    ['login1', 7021],
    ['login4', 7022],
  ])('interrupts what runs with ctrl-c, and is not logged out by it: %s', async (id, seconds) => {
    await prepareTerminal(['ssh', ...options, '-i', '/root/lab-key', target(id)])
    const shown = client.sh(
      `{ sleep 1; echo 'sleep ${seconds}'; until [ -e /tmp/type-on ]; do sleep 0.1; done; printf '\\003'; sleep 1; echo 'echo "ended $?"; exit'; sleep 1; } |
         timeout 60 script -qc 'sh /tmp/in-terminal' /dev/null`,
    )
    await until('it sleeps', async () => (await host.exec(['pgrep', '-xf', `sleep ${seconds}`])).exitCode === 0 || 'it does not')
    await client.do(['touch', '/tmp/type-on'])
    expect(await shown).toContain('ended 130')
  })

  it.each(['login1', 'login4'])('runs commands there, with their input, both outputs and their exit code: %s', async id => {
    const outcome = await ssh([target(id), 'cat; echo to-err > /dev/stderr; exit 7'], { input: 'to-in\n' })
    expect(outcome).toEqual({ exitCode: 7, stdout: 'to-in\n', stderr: 'to-err\n' })
    const sum = await client.sh(
      `head -c 2000000 /dev/urandom > /tmp/bytes; md5sum < /tmp/bytes; ssh ${options.join(' ')} -i /root/lab-key ${target(id)} 'cat > /tmp/b; cat /tmp/b' < /tmp/bytes | md5sum`,
    )
    const [sent, came] = sum.trim().split('\n')
    expect(came).toBe(sent)
  })

  it.each([
    ['docker', 'login1'],
    ['podman', 'login4'],
  ])('is in the container what its engine would have let in as the account, and no more: %s', async (engine, id) => {
    const look = `grep -E '^(Uid|Gid|Cap|Seccomp|NoNewPrivs)' /proc/self/status; cat /proc/self/cgroup /proc/self/oom_score_adj
      pwd; umask; env | grep -vE '^(GEAR_LOGIN|HOSTNAME)=' | sort`
    const account = (await host.sh(`echo "$(id -u ctr-${id}):$(id -g ctr-${id})"`)).trim()
    expect(await inside(id, look)).toBe(await host.do([engine, 'exec', '--user', account, id, 'sh', '-c', look]))
    // Nobody in the lab may raise a limit, and sudo has set that of core files to nothing.
    const limits = (process: string) => `grep -v 'core file' /proc/${process}/limits`
    expect(await inside(id, limits('self'))).toBe(await host.do([engine, 'exec', id, 'sh', '-c', limits('1')]))
    expect(await inside(id, 'id -G; grep CapEff /proc/self/status')).toBe(`${account.split(':')[1]}\nCapEff:\t0000000000000000\n`)
    expect(await inside(id, 'ls -d /run/docker.sock /var/lib/containers /root/id 2>/dev/null | wc -l')).toBe('0\n')
  })

  it('forwards ports to those that the container publishes', async () => {
    const page = await client.sh(
      `{ printf 'GET / HTTP/1.0\\r\\n\\r\\n'; sleep 2; } | ssh ${options.join(' ')} -i /root/lab-key -W 127.0.0.1:${port} ${target('login1')}`,
    )
    expect(page).toContain('<!doctype html>')
  })

  it('forwards by SOCKS to the same ports', async () => {
    const answers = await client.sh(
      `ssh ${options.join(' ')} -i /root/lab-key -N -D 5003 ${target('login1')} & trap "kill $!" EXIT
       get() { curl -q -s -m 5 --retry 50 --retry-delay 0 --retry-connrefused --socks5-hostname 127.0.0.1:5003 "http://$1/" | head -c 15 || :; echo; }
       for at in 127.0.0.1:${port} 127.0.0.1:43273 localhost:${port} 127.0.0.1:22; do get "$at"; done`,
    )
    expect(answers).toBe('<!doctype html>\n\n\n\n')
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

  it('brings no escapes along: neither by the name of its terminal nor in what is said of it', async () => {
    for (const name of ['\x1b]0;owned\x07', '../../etc/passwd', '$(touch /tmp/owned)', 'x'.repeat(5000)]) {
      const shown = await terminal(
        ['env', `TERM=${name}`, 'ssh', ...options, '-i', '/root/lab-key', '-t', target('login1'), 'echo "is <$TERM>"'],
        '',
      )
      expect(shown).toMatch(/is <(dumb|x*)>/)
    }
    const refused = await ssh([target('login1'), '-s', '\x1b]0;owned\x07'])
    expect(refused.exitCode).not.toBe(0)
    expect(refused.stdout + refused.stderr).not.toContain('\x1b')
  })

  it('is let into no subsystem but that for files', async () => {
    const outcome = await ssh(['-s', target('login1'), 'netconf'])
    expect(outcome).toMatchObject({ exitCode: 255, stderr: expect.stringContaining('subsystem request failed') })
  })

  it.each(['docker', 'podman'])('is not let in with more by what the variables of its container look like, on %s', async engine => {
    const id = `login5-${engine}`
    const variables = [
      'A=","cwd":"/tmp","capabilities":{"bounding":["CAP_SYS_ADMIN"]}',
      'B=\\\\"],"cwd":"/x',
      'C={"process":{"user":{"uid":0}},"root":{',
      'HOME=/srv',
    ]
    await host.gearDo(
      'install',
      'gear/httpd-user',
      id,
      '--isolate',
      '--engine',
      engine,
      '--cap-drop',
      'ALL',
      '--start',
      '--wait',
      ...variables,
    )
    await host.do(['gear', 'add-keys', id], { input: await client.do(['cat', '/root/lab-key.pub']) })
    const look = 'grep -E "^(Uid|CapBnd)" /proc/self/status; pwd; env'
    const [user, bounding, folder, ...environment] = (await inside(id, look)).split('\n')
    const account = (await host.do(['id', '-u', `ctr-${id}`])).trim()
    expect([user, folder]).toEqual([`Uid:${`\t${account}`.repeat(4)}`, '/'])
    expect(bounding).toBe((await host.do([engine, 'exec', id, 'grep', 'CapBnd', '/proc/self/status'])).trim())
    expect(environment).toEqual(expect.arrayContaining(variables))
    await host.gearDo('delete', id)
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

  it.each<[name: string, words: (port: number, others: number) => readonly string[]]>([
    ['the ssh server of the host', () => ['-W', '127.0.0.1:22']],
    ['the agent', () => ['-W', '127.0.0.1:43273']],
    ['the port of the container by another name', at => ['-W', `localhost:${at}`]],
    ['a port of another container', (_, others) => ['-W', `127.0.0.1:${others}`]],
    ['another host', () => ['-W', '192.0.2.1:80']],
    ['a port of the host from outside', () => ['-o', 'ExitOnForwardFailure=yes', '-R', '5001:127.0.0.1:22']],
    ['a socket of the host from outside', () => ['-o', 'ExitOnForwardFailure=yes', '-R', '/tmp/lab.sock:127.0.0.1:22']],
    ['a tunnel', () => ['-o', 'ExitOnForwardFailure=yes', '-w', 'any:any']],
  ])('cannot forward to %s', async (_, words) => {
    const asked = words(port, await host.port('login4'))
    const outcome = await ssh([...asked, target('login1'), ...(asked.includes('-W') ? [] : ['true'])])
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
    for (const id of ['login1', 'login2']) {
      const outcome = await client.sh(
        `eval "$(ssh-agent -s)" > /dev/null; trap 'kill $SSH_AGENT_PID' EXIT; export DISPLAY=127.0.0.1:99
         ssh ${options.join(' ')} -i /root/lab-key -A -Y ${target(id)} 'env; ls -d /tmp/ssh-* 2>/dev/null || :' 2>&1`,
      )
      expect(outcome).toContain('X11 forwarding request failed on channel 0')
      expect(outcome).toContain(`GEAR_LOGIN=ctr-${id}\n`)
      expect(outcome).not.toMatch(/^(SSH_AUTH_SOCK|DISPLAY)=|^\/tmp\/ssh-/m)
    }
    expect((await host.sh('ls -d /tmp/ssh-* 2>/dev/null || :')).trim()).toBe('')
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
    await host.do(['useradd', '-c', 'Somebody', 'ctr-fake1'])
    expect((await ask('root')).exitCode).toBe(1)
    expect((await ask('ctr-fake1')).exitCode).toBe(1)
    await host.do(['userdel', 'ctr-fake1'])
    expect((await ask('ctr-nobody')).exitCode).toBe(2)
    expect((await ask('../../etc')).exitCode).toBe(2)
    expect((await ask()).exitCode).toBe(1)
    expect((await ask('ctr-login1', 'more')).exitCode).toBe(1)
  })
})

describe('an access that ends', () => {
  const isThere = (seconds: number) =>
    until('somebody is inside', async () => (await host.exec(['pgrep', '-xf', `sleep ${seconds}`])).exitCode === 0 || 'nobody is')
  const isGone = (seconds: number) =>
    until('what the session ran is gone', async () => (await host.exec(['pgrep', '-xf', `sleep ${seconds}`])).exitCode === 1 || 'it runs')

  it.each([
    ['login2', 7001],
    ['login4', 7011],
  ])('with the key: no login any more, and who is inside is out: %s', async (id, seconds) => {
    const session = ssh([target(id), `sleep ${seconds}`], { timeoutMs: 60_000 })
    const stubborn = ssh([target(id), `trap '' HUP TERM; setsid sleep ${seconds + 1} > /dev/null 2>&1 < /dev/null &`])
    const forward = ssh(['-N', target(id)], { timeoutMs: 60_000 })
    const master = ['-o', `ControlPath=/tmp/master-${id}`]
    const shared = ssh(['-N', '-o', 'ControlMaster=yes', ...master, target(id)], { timeoutMs: 60_000 })
    await Promise.all([isThere(seconds), isThere(seconds + 1)])
    await stubborn
    await until('the connection is shared', async () => (await ssh(['-O', 'check', ...master, target(id)])).exitCode === 0 || 'it is not')
    expect(await inside(id, 'echo in')).toBe('in\n')
    await client.do(['cp', '/root/lab-key.pub', '/tmp/leaver.pub'])
    await host.do(['gear', 'keys', 'remove', id, '--key-file', '-'], { input: await client.do(['cat', '/root/lab-key.pub']) })
    expect((await session).exitCode).not.toBe(0)
    expect((await forward).exitCode).toBe(255)
    expect((await shared).exitCode).toBe(255)
    await Promise.all([isGone(seconds), isGone(seconds + 1)])
    expect((await ssh([...master, target(id), 'true'])).exitCode).toBe(255)
    expect((await ssh([target(id), 'true'])).exitCode).toBe(255)
    expect(await inside('login1', 'echo still')).toBe('still\n')
    expect(await host.gearDo('keys', 'list')).toMatch(/ login1(, login4)?$/m)
  })

  it('with the container, which leaves nothing for another of its name', async () => {
    await host.gearDo('install', 'gear/busybox', 'login3', '--start', '--wait')
    await makeAccount('login3')
    await host.do(['gear', 'add-keys', 'login3'], { input: await client.do(['cat', '/root/lab-key.pub']) })
    const session = ssh([target('login3'), 'sleep 7002'], { timeoutMs: 60_000 })
    await isThere(7002)
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
    const outcome = await ssh([target('login1'), 'echo \x1b[31mred'])
    expect(outcome.stdout + outcome.stderr).not.toContain('\x1b')
    expect(outcome).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('the container does not run') })
  })
})
