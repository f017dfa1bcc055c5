/** Commands and shells in containers over the API, on both engines: what goes in, what comes out, and that nothing stays behind. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const other = new LabHost('web2')

beforeAll(async () => {
  await host.sh('docker save gear/httpd-user | podman load --quiet')
  await Promise.all([
    host.gearDo('install', 'gear/httpd-user', 'exec-docker', '--isolate', '--start', '--wait'),
    host.gearDo('install', 'gear/httpd-user', 'exec-podman', '--isolate', '--engine', 'podman', '--start', '--wait'),
  ])
})
afterAll(async () => {
  for (const id of ['exec-docker', 'exec-podman']) await host.gear('delete', id)
})

/** Words in a terminal, typed after each other; what the terminal showed. */
const terminal = (command: string, typed: string) =>
  host.sh(`{ sleep 1; cat; sleep 1; } | timeout 20 script -qec "stty rows 33 cols 99; ${command}" /dev/null || echo "ended with $?"`, {
    input: typed,
  })

describe.each(['exec-docker', 'exec-podman'])('gear exec in %s', id => {
  it('passes on input, both outputs and the exit code', async () => {
    const outcome = await host.exec(['gear', 'exec', '-i', id, '--', 'sh', '-c', 'cat; echo to-err >&2; exit 7'], { input: 'to-in\n' })
    expect(outcome).toEqual({ exitCode: 7, stdout: 'to-in\n', stderr: 'to-err\n' })
    expect((await host.gear('exec', id, '--', 'cat')).stdout).toBe('')
    const sums = await host.sh(
      `head -c 3000000 /dev/urandom > /tmp/bytes; md5sum < /tmp/bytes; gear exec -i ${id} -- cat < /tmp/bytes | md5sum`,
    )
    expect(new Set(sums.trim().split('\n')).size).toBe(1)
  })

  it('runs as the account of the container, or as who is asked for', async () => {
    expect(await host.gearDo('exec', id, '--', 'id', '-u')).toBe(await host.do(['id', '-u', `ctr-${id}`]))
    expect(await host.gearDo('exec', '--user', '0:0', id, '--', 'id', '-u')).toBe('0\n')
  })

  it('hands words on as they are', async () => {
    const words = ['a b', '$HOME', '`id`', '"', "'", '*', '--user', 'two\nlines', 'äöü']
    expect(await host.gearDo('exec', id, '--', 'printf', '<%s>', ...words)).toBe(words.map(word => `<${word}>`).join(''))
  })

  it('tells a command that is not there', async () => {
    const { exitCode, stdout, stderr } = await host.gear('exec', id, '--', '/no/such/program')
    expect([126, 127]).toContain(exitCode)
    expect(stdout + stderr).toMatch(/no such file/i)
  })

  it('ends the command when it is interrupted, or its terminal goes', async () => {
    const command = host.exec(['timeout', '--foreground', '--signal=INT', '3', 'gear', 'exec', id, '--', 'sleep', '8001'])
    await until('the command runs', async () => (await host.exec(['pgrep', '-xf', 'sleep 8001'])).exitCode === 0 || 'it does not')
    expect([124, 130]).toContain((await command).exitCode)
    await until('the command is gone', async () => (await host.exec(['pgrep', '-xf', 'sleep 8001'])).exitCode === 1 || 'it runs')
    const killed = host.exec(['gear', 'exec', id, '--', 'sleep', '8002'])
    await until('the command runs', async () => (await host.exec(['pgrep', '-xf', 'sleep 8002'])).exitCode === 0 || 'it does not')
    await host.sh(`pkill -KILL -f 'main.*exec ${id} -- sleep 800[2]'`)
    await killed
    await until('the command is gone', async () => (await host.exec(['pgrep', '-xf', 'sleep 8002'])).exitCode === 1 || 'it runs')
  })
})

describe('gear shell', () => {
  it.each(['exec-docker', 'exec-podman'])('has a terminal of the size of this one, and follows it: %s', async id => {
    const shown = await terminal(
      `gear shell ${id}`,
      'until stty size | grep -q 99; do sleep 0.1; done 2> /dev/null; echo "is $(tty) $(stty size)"; exit 3\n',
    )
    expect(shown).toMatch(/is \/dev\/\S+ 33 99/)
    expect(shown).toContain('ended with 3')
    await host.sh('rm -f /tmp/shown; cat > /tmp/in-terminal', {
      input: `stty rows 33 cols 99; terminal=$(tty)
( until grep -qs '33 99' /tmp/shown; do sleep 0.1; done; stty rows 44 cols 111 < "$terminal" ) &
gear exec -it ${id} -- sh -c 'until [ "$(stty size)" = "33 99" ]; do sleep 0.1; done; stty size
  until [ "$(stty size)" = "44 111" ]; do sleep 0.1; done; echo followed'`,
    })
    const resized = await host.sh(`timeout 60 script -qefc 'sh /tmp/in-terminal' /tmp/shown`)
    expect(resized).toContain('followed')
  })

  it('reads commands from a file, too', async () => {
    expect(await host.exec(['gear', 'shell', 'exec-docker'], { input: 'echo $((6 * 7)); exit 5\n' })).toMatchObject({
      exitCode: 5,
      stdout: '42\n',
    })
  })
})

describe('an exec', () => {
  it('works without an agent, and of a container that does not run is refused', async () => {
    await host.sh('systemctl stop gear.service gear.socket')
    expect(await host.gearDo('exec', 'exec-docker', '--', 'echo', 'without')).toBe('without\n')
    await host.sh('systemctl start gear.service')
    await host.gearDo('stop', 'exec-docker', '--wait')
    const outcome = await host.gear('exec', 'exec-docker', '--', 'true')
    expect(outcome).toMatchObject({ exitCode: 125, stderr: expect.stringContaining('CONTAINER_NOT_RUNNING') })
  })

  it('is for those who may call: not for other users, nor for other hosts without a token', async () => {
    await host.sh('id visitor >/dev/null 2>&1 || useradd visitor')
    const visitor = await host.exec([
      'setpriv',
      '--reuid=visitor',
      '--regid=visitor',
      '--clear-groups',
      'gear',
      'exec',
      'localhost/exec-podman',
      '--',
      'id',
    ])
    expect(visitor).toMatchObject({ exitCode: 125, stderr: expect.stringContaining('CALLER_REFUSED') })
    const far = await other.exec(['gear', 'exec', `${await host.address()}/exec-podman`, '--', 'id'])
    expect(far).toMatchObject({ exitCode: 125, stderr: expect.stringContaining('HOST_UNREACHABLE') })
  })

  it('does not keep the agent from stopping', async () => {
    const command = host.exec(['gear', 'exec', 'exec-podman', '--', 'sleep', '8003'])
    await until('the command runs', async () => (await host.exec(['pgrep', '-xf', 'sleep 8003'])).exitCode === 0 || 'it does not')
    await host.sh('systemctl restart gear.service')
    expect(await command).toMatchObject({ exitCode: 125, stderr: expect.stringContaining('being stopped') })
    await until('the command is gone', async () => (await host.exec(['pgrep', '-xf', 'sleep 8003'])).exitCode === 1 || 'it runs')
  })
})
