/** Containers whose users have numbers that nobody else on the host has (`--userns auto`): told on podman, which has them for single containers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabEngine } from '../lab-engine.ts'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const podman = new LabEngine(host, 'podman')
const image = 'space/data'
const ids = ['space-a', 'space-b', 'space-c']
/** Enough for two containers. */
const first = 2147483647
const perContainer = 65536
const numbersOf = (place: number) => `${first + place * perContainer}-${first + (place + 1) * perContainer - 1}`
/** On a lab host, whose /sys is in pieces, podman cannot make one for a namespace while these are mounted. */
const inTheWay = 'sys-kernel-debug.mount sys-kernel-tracing.mount'

const install = (name: string, id: string, ...flags: readonly string[]) =>
  host.gear('install', name, id, '--engine', 'podman', '--userns', 'auto', '--start', '--wait', ...flags)
const inside = (id: string, line: string) => host.gearDo('exec', id, '--', 'sh', '-c', line)

interface Status {
  readonly userNumbers?: string
  readonly cause?: string
}

async function status(id: string): Promise<Status> {
  return (JSON.parse(await host.gearDo('status', id, '--output', 'json')) as { status: Status }[])[0]?.status ?? {}
}

async function installed(name: string, id: string, ...flags: readonly string[]): Promise<string | undefined> {
  expect(await install(name, id, ...flags)).toMatchObject({ exitCode: 0 })
  return (await status(id)).userNumbers
}

async function refusalOfOneMore(): Promise<string> {
  const { stderr } = await install('gear/httpd', 'space-c', '--restart', 'no')
  await host.gearDo('delete', 'space-c')
  return stderr
}

/** The wget of busybox-static crashes. */
async function untilPageInside(id: string, port: number, text: string): Promise<void> {
  await until(`127.0.0.1:${port} in ${id} serves "${text}"`, async () => {
    const { stdout } = await host.gear('exec', id, '--', 'sh', '-c', `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 127.0.0.1 ${port}`)
    return stdout.includes(text) ? true : stdout
  })
}

beforeAll(async () => {
  await host.sh(`sed -i /^containers:/d /etc/subuid /etc/subgid; systemctl mask --now ${inTheWay} 2> /dev/null`)
  const command = `CMD ["sh", "-c", "trap \\"exit 0\\" TERM; while :; do sleep 1000 & wait; done"]`
  await podman.makeImage(image, 'VOLUME /data', command)
})

afterAll(async () => {
  for (const id of ids) await host.gear('delete', '--all', id)
  await host.exec(['podman', 'rmi', image])
  await host.sh(
    `rm -rf /tmp/space; sed -i /^containers:/d /etc/subuid /etc/subgid; systemctl unmask ${inTheWay} 2> /dev/null; systemctl start ${inTheWay}`,
  )
})

describe('a user namespace', () => {
  it('is not for docker, not for an account of the host, and not for folders of the host, which says why', async () => {
    const refusal = async (...flags: readonly string[]) =>
      (await host.gear('install', 'gear/script', 'space-a', '--userns', 'auto', ...flags)).stderr
    expect(await refusal('--engine', 'docker')).toMatch(/on docker cannot .* \[USER_NAMESPACE_UNSUPPORTED\].*--engine podman/)
    expect(await refusal('--engine', 'podman', '--isolate')).toContain('nobody has the number of an account of the host')
    expect(await refusal('--engine', 'podman', '-v', '/srv:/srv')).toContain('folders of the host belong to nobody')
  })

  it('needs user numbers, and without any says what to do', async () => {
    expect(await refusalOfOneMore()).toMatch(/podman has no user numbers .*\/etc\/subuid/)
    // Half of it is none.
    await host.sh(`echo containers:${first}:${2 * perContainer} >> /etc/subuid`)
    expect(await refusalOfOneMore()).toMatch(/podman has no user numbers .*\/etc\/subgid/)
    expect(await podman.list('space')).toBe('')
  })

  it('gives each container numbers of its own, which its status shows, and a clear word to the one that is too many', async () => {
    await host.sh(`echo containers:${first}:${2 * perContainer} >> /etc/subgid`)
    expect(await installed(image, 'space-a', '-v', '/extra')).toBe(numbersOf(0))
    expect(await installed('gear/httpd', 'space-b', '-p', '8080:0')).toBe(numbersOf(1))
    expect(await host.sh(`stat -c %u /proc/${await podman.pid('space-b')}`)).toBe(`${first + perContainer}\n`)
    expect(await refusalOfOneMore()).toMatch(/podman has no user numbers .*65536 for each container/)
  })

  it('has root inside for whoever is let in, who is nobody outside', async () => {
    expect(await inside('space-a', 'id -u; cat /proc/self/uid_map')).toMatch(new RegExp(`^0\n +0 +${first} +${perContainer}\n$`))
    const entered = await host.do([
      'switchns',
      '--container=space-a',
      '--',
      '/bin/sh',
      '-c',
      'touch /entered; id -u; cat /proc/self/uid_map',
    ])
    expect(entered).toMatch(new RegExp(`^0\n +0 +${first} +${perContainer}\n$`))
    expect(await inside('space-a', 'stat -c %u:%g /entered')).toBe('0:0\n')
  })

  it('has the owners in a copy that they are to have, there and back and on to another container', async () => {
    await host.sh('rm -rf /tmp/space; mkdir /tmp/space; echo one > /tmp/space/one')
    await host.gearDo('cp', '/tmp/space/one', 'space-a:/data/root')
    await host.gearDo('cp', '--owner', '77:78', '/tmp/space/one', 'space-a:/data/owned')
    expect(await inside('space-a', 'cd /data; stat -c %u:%g root owned')).toBe('0:0\n77:78\n')
    await host.gearDo('cp', 'space-a:/data/owned', '/tmp/space/back')
    expect(await host.sh('cd /tmp/space; stat -c %u:%g back; cmp one back')).toBe('0:0\n')
    await host.sh('gear cp space-a:/data - | gear cp - space-b:/tmp')
    expect(await inside('space-b', 'cd /tmp/data; stat -c %u root; cat owned')).toBe('0\none\n')
  })

  it('has links like any other', async () => {
    await host.gearDo('link', 'space-a', '-n', `127.0.0.1:7000:${await host.address()}:${await host.port('space-b')}`)
    await untilPageInside('space-a', 7000, 'It works: gear')
  })

  it('keeps its numbers as long as its data need them, whoever wants some meanwhile', async () => {
    await inside('space-a', 'id -u app > /extra/kept; chown -R app /extra')
    await host.gearDo('stop', 'space-a', '--wait')
    expect(await refusalOfOneMore()).toContain('podman has no user numbers')
    await host.gearDo('start', 'space-a', '--wait')
    expect((await status('space-a')).userNumbers).toBe(numbersOf(0))
    expect(await inside('space-a', 'stat -c %U /extra/kept; cat /extra/kept; stat -c %u:%g /data/owned; cat /data/owned')).toMatch(
      /^app\n\d+\n77:78\none\n$/,
    )
  })

  it('comes back after a reboot, with its numbers, data and links', async () => {
    await host.reboot()
    for (const [place, id] of ['space-a', 'space-b'].entries()) {
      await host.untilState(id, 'active')
      expect((await status(id)).userNumbers).toBe(numbersOf(place))
    }
    expect(await inside('space-a', 'cat /data/owned; stat -c %U /extra/kept')).toBe('one\napp\n')
    await host.untilPage(await host.port('space-b'), 'It works: gear')
    await untilPageInside('space-a', 7000, 'It works: gear')
  })

  it('lets nobody else at its data: not even the container itself without one', async () => {
    await host.gearDo('install', image, 'space-a', '--engine', 'podman', '--restart', 'no')
    expect((await host.gear('restart', 'space-a', '--wait')).stderr).toMatch(
      /its data belong to other users: they were written with --userns auto.*Install it as it was before/,
    )
    expect((await status('space-a')).cause).toContain('its data belong to other users')
    expect(await installed(image, 'space-a')).toBe(numbersOf(0))
    expect(await inside('space-a', 'cat /data/owned')).toBe('one\n')
  })

  it('gives its numbers back with its data', async () => {
    await host.gearDo('delete', 'space-a')
    expect(await refusalOfOneMore()).toContain('podman has no user numbers')
    expect(await installed(image, 'space-a')).toBe(numbersOf(0))
    expect(await inside('space-a', 'cat /data/owned')).toBe('one\n')
    await host.gearDo('delete', '--all', 'space-a')
    expect(await installed('gear/httpd', 'space-c')).toBe(numbersOf(0))
  })
})
