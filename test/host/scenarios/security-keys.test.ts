/** Logins with security keys (FIDO/U2F): their keys are let in and taken back like all others, and sshd sees to it that somebody was there. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const client = new LabHost('web2')
const folder = '/run/security-keys'
let address = ''

/** A login with one of the keys that the agent at the socket holds. */
const login = (key: string, socket: 'touched' | 'untouched') =>
  client.exec([
    'env',
    `SSH_AUTH_SOCK=${folder}/${socket}`,
    'ssh',
    ...['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'BatchMode=yes', 'IdentitiesOnly=yes'].flatMap(
      option => ['-o', option],
    ),
    '-i',
    `${folder}/${key}.pub`,
    `ctr-secure1@${address}`,
    'echo in',
  ])

beforeAll(async () => {
  address = await host.address()
  await client.do(['sh', '-c', `mkdir -p ${folder}; cat > ${folder}/agent.ts`], {
    input: readFileSync(new URL('../security-key-agent.ts', import.meta.url), 'utf8'),
  })
  await client.do(['systemd-run', '--quiet', '--unit=security-keys', '/usr/lib/gear/bin/node', `${folder}/agent.ts`, folder])
  await host.gearDo('install', 'gear/httpd-user', 'secure1', '--isolate', '--start', '--wait')
  await until('the agent listens', async () => (await client.exec(['test', '-S', `${folder}/touched`])).exitCode === 0 || 'it does not')
})
afterAll(async () => {
  await host.gear('delete', 'secure1')
  await client.sh(`systemctl stop security-keys.service; rm -rf ${folder}`)
})

describe.each([
  ['ed25519', 'sk-ssh-ed25519@openssh.com'],
  ['ecdsa', 'sk-ecdsa-sha2-nistp256@openssh.com'],
])('a security key of %s', (name, kind) => {
  const publicKey = () => client.do(['cat', `${folder}/${name}.pub`])

  it('that was not let in does not open', async () => {
    expect(await login(name, 'touched')).toMatchObject({ exitCode: 255, stderr: expect.stringContaining('Permission denied') })
  })

  it('opens when it was touched, and not when nobody was there', async () => {
    await host.do(['gear', 'add-keys', 'secure1'], { input: await publicKey() })
    expect(await host.do(['/usr/sbin/gear-auth-keys-command', 'ctr-secure1'])).toContain(` ${kind} `)
    expect(await login(name, 'touched')).toEqual({ exitCode: 0, stdout: 'in\n', stderr: '' })
    expect(await login(name, 'untouched')).toMatchObject({
      exitCode: 255,
      stdout: '',
      stderr: expect.stringContaining('Permission denied'),
    })
  })

  it('opens without a touch for no option that comes with it', async () => {
    await host.do(['gear', 'keys', 'remove', 'secure1', '--key-file', '-'], { input: await publicKey() })
    const { exitCode, stderr } = await host.exec(['gear', 'add-keys', 'secure1'], { input: `no-touch-required ${await publicKey()}` })
    expect(exitCode).toBe(0)
    expect(stderr).toContain('the options before the key are dropped')
    expect((await login(name, 'untouched')).exitCode).toBe(255)
    expect((await login(name, 'touched')).exitCode).toBe(0)
  })

  it('that was taken back does not open any more', async () => {
    await host.do(['gear', 'keys', 'remove', 'secure1', '--key-file', '-'], { input: await publicKey() })
    expect((await login(name, 'touched')).exitCode).toBe(255)
  })
})
