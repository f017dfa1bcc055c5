/** Agents of other hosts: each with its own token, and one command for all of them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost } from '../lab-host.ts'

const client = new LabHost('web1')
const hosts = [client, new LabHost('web2')]
const tokens = '/root/.config/gear/tokens'
let addresses: readonly string[] = []

const restartWith = (host: LabHost, options: string) =>
  host.sh(`sed -i '/^GEARD_OPTS=/d' /etc/default/gear; echo 'GEARD_OPTS="${options}"' >> /etc/default/gear; systemctl restart gear.service`)
const writeTokens = (lines: readonly string[], mode = '600') =>
  client.do(['/bin/sh', '-euc', `umask 077; mkdir -p /root/.config/gear; cat > ${tokens}; chmod ${mode} ${tokens}`], {
    input: lines.map(line => `${line}\n`).join(''),
  })

beforeAll(async () => {
  addresses = await Promise.all(hosts.map(host => host.address()))
  for (const [index, host] of hosts.entries()) {
    await host.sh(`umask 077; echo token-of-host-number-${index} > /etc/gear-token`)
    await restartWith(host, `http://127.0.0.1:43273 http://${addresses[index]}:43273 --token-file /etc/gear-token`)
  }
})

afterAll(async () => {
  await client.exec(['rm', '-rf', '/root/.config/gear'])
  for (const host of hosts) await restartWith(host, '')
})

describe('several hosts with tokens of their own', () => {
  it('are served with one command and one file', async () => {
    await writeTokens(addresses.map((address, index) => `${address} token-of-host-number-${index}`))
    expect((await client.gear('list-units', ...addresses)).exitCode).toBe(0)
    await client.gearDo('install', 'gear/httpd', `${addresses[1]}/remote`, '--start', '--wait', '-p', '8080:0')
    expect(await client.gearDo('list-units', ...addresses)).toMatch(/remote +\S+ +active/)
  })

  it('say whose token was refused, once for each host, and the others are served', async () => {
    await writeTokens([`${addresses[0]} token-of-host-number-0`, '* the-wrong-one-of-all'])
    const outcome = await client.gear('status', `${addresses[1]}/remote`, `${addresses[1]}/remote2`, `${addresses[0]}/remote`)
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stderr).toContain(`The bearer token is not the right one (that for ${addresses[1]}:43273 in ${tokens}) [TOKEN_REQUIRED]`)
    expect(outcome.stderr).toContain('CONTAINER_UNKNOWN')
    expect(outcome.stderr).not.toContain('the-wrong-one')
    const refusals = await hosts[1]?.sh('journalctl -u gear.service -o cat --no-pager | grep -c "bearer token is not" || true')
    expect(Number(refusals)).toBeLessThanOrEqual(1)
  })

  it('are not called at all with a file that others may read', async () => {
    await writeTokens([`${addresses[1]} token-of-host-number-1`], '644')
    const outcome = await client.gear('list-units', addresses[1] ?? '')
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stderr).toMatch(/open to others than its owner \[TOKEN_FILE_REFUSED\]\. .*chmod 600/)
  })

  it('take the file that the command or the environment names instead', async () => {
    await client.sh(`umask 077; echo token-of-host-number-1 > /root/other-tokens`)
    const list = ['gear', 'list-units', addresses[1] ?? '']
    expect((await client.exec(['env', 'GEAR_TOKENS=/root/other-tokens', ...list])).exitCode).toBe(0)
    expect((await client.exec([...list, '--token-file', '/root/other-tokens'])).exitCode).toBe(0)
    await client.gearDo('delete', '--all', `${addresses[1]}/remote`, '--token-file', '/root/other-tokens')
  })
})

describe('an agent that is told to let everybody in', () => {
  it('needs no token', async () => {
    await client.exec(['rm', '-rf', '/root/.config/gear'])
    const [, other] = hosts
    if (other === undefined) throw new Error('there are two hosts')
    await restartWith(other, `http://127.0.0.1:43273 http://${addresses[1]}:43273 --insecure-http`)
    expect((await client.gear('list-units', addresses[1] ?? '')).exitCode).toBe(0)
  })
})
