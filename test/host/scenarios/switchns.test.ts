/** switchns as root: a program in a running container, as scripts that were written for the original call it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost } from '../lab-host.ts'

const host = new LabHost('web1')
const enter = (...words: readonly string[]) => host.exec(['switchns', ...words])
/** The image has no iptables; the host's is mounted into it, with all it needs. */
const iptables = [
  '/usr/sbin:/sbin',
  '/usr/sbin:/usr/sbin',
  '/usr/lib:/usr/lib',
  '/usr/lib:/lib',
  '/usr/lib64:/lib64',
  '/etc/alternatives:/etc/alternatives',
]
const volumes = [...iptables, '/etc/services:/etc/services'].map(volume => `${volume}:ro`).join(',')

describe.each(['docker', 'podman'])('switchns on %s', engine => {
  beforeAll(async () => {
    await host.gearDo('install', 'gear/busybox', 'entered', '--engine', engine, '-v', volumes, 'A=1', 'B=two words', '--start', '--wait')
  })
  afterAll(() => host.gear('delete', '--all', 'entered'))

  it('shows the links of a container with the iptables in it', async () => {
    await host.gearDo('link', '-n', '127.0.0.1:8081:74.125.239.114:80', 'entered')
    const names = await enter('--container=entered', '--', '/sbin/iptables', '-t', 'nat', '-L')
    expect(names.stdout).toMatch(/tcp dpt:tproxy to:74\.125\.239\.114/)
    expect(names.exitCode).toBe(0)
    const numbers = await enter('--container=entered', '--', '/sbin/iptables', '-n', '-t', 'nat', '-L')
    expect(numbers.stdout).toMatch(/tcp dpt:8081 to:74\.125\.239\.114:80/)
  })

  it('ends as the program does', async () => {
    expect((await enter('--container=entered', '--', '/bin/sh', '-c', 'exit 42')).exitCode).toBe(42)
    const echo = await host.exec(['switchns', '--container', 'entered', '--', '/bin/cat'], { input: 'piped' })
    expect(echo).toEqual({ exitCode: 0, stdout: 'piped', stderr: '' })
  })

  it('gives the program the environment of the container, or exactly that which is given', async () => {
    const configured = await enter('--container=entered', '--', '/bin/env')
    // Podman keeps no order.
    expect(configured.stdout.split('\n')).toEqual(expect.arrayContaining(['A=1', 'B=two words']))
    const given = await enter('--container=entered', '--env=X=q"uo\\te', '--env', 'Y=two\nlines', '--', '/bin/env')
    expect(given.stdout).toContain('X=q"uo\\te\nY=two\nlines\n')
    expect(given.stdout).not.toContain('A=1')
  })

  it('keeps the rights over the network and takes those over the host', async () => {
    const effective = await enter('--container=entered', '--', '/bin/sh', '-c', 'grep CapEff /proc/self/status')
    const bits = BigInt(`0x${effective.stdout.split('\t')[1]?.trim()}`)
    const has = (capability: number) => (bits >> BigInt(capability)) % 2n === 1n
    expect(has(12)).toBe(true)
    // SETPCAP, SYS_MODULE, RAWIO, PACCT, ADMIN, NICE, RESOURCE, TIME, TTY_CONFIG, MKNOD, AUDIT_WRITE and _CONTROL, MAC_OVERRIDE and _ADMIN.
    expect([8, 16, 17, 20, 21, 23, 24, 25, 26, 27, 29, 30, 32, 33].filter(has)).toEqual([])
  })

  it('brings a terminal of the container when it has one itself', async () => {
    const shown = await host.sh(
      `script -qec "switchns --container=entered -- /bin/sh -c 'tty; readlink /proc/self/fd/0'" /dev/null < /dev/null`,
    )
    expect(shown).toMatch(/\/dev\/pts\/\d+\r\n\/dev\/pts\/\d+\r\n/)
  })

  it.each([
    ['a program that is not named by its path', ['--container=entered', '--', 'ls'], 3],
    ['no program', ['--container=entered'], 3],
    ['a container that is not there', ['--container=missing', '--', '/bin/sh'], 3],
    ['a name that is none', ['--container=--privileged', '--', '/bin/sh'], 2],
    ['a flag it does not know', ['--container=entered', '--privileged', '--', '/bin/sh'], 2],
    ['an environment without a value', ['--container=entered', '--env=A', '--', '/bin/sh'], 2],
    ['a program that the image has not', ['--container=entered', '--', '/none'], 255],
  ])('refuses %s', async (_, words, exitCode) => {
    const outcome = await enter(...words)
    expect(outcome.exitCode).toBe(exitCode)
    expect(outcome.stderr).not.toBe('')
  })

  it('refuses a container that does not run, and everybody but root', async () => {
    const visitor = ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups', 'switchns', '--container=entered', '--', '/bin/sh']
    expect((await host.exec(visitor)).exitCode).toBe(2)
    expect(await host.do(['stat', '-L', '-c', '%a %U', '/usr/bin/switchns'])).toBe('755 root\n')
    await host.gearDo('stop', 'entered')
    expect((await enter('--container=entered', '--', '/bin/sh')).exitCode).toBe(3)
  })
})
