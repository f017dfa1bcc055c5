/** Who is served: the API is as powerful as root. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const other = new LabHost('web2')
const url = 'http://127.0.0.1:43273/containers'

const statusOf = async (command: readonly string[]) =>
  (await host.exec([...command, '-q', '-s', '-o', '/dev/null', '-w', '%{http_code}', url])).stdout

describe('the listener on loopback', () => {
  beforeAll(() => host.sh('id visitor >/dev/null 2>&1 || useradd visitor; id deputy >/dev/null 2>&1 || useradd -G gear deputy'))

  it('serves root and the group gear', async () => {
    expect(await statusOf(['curl'])).toBe('200')
    expect(await statusOf(['setpriv', '--reuid=deputy', '--regid=deputy', '--init-groups', 'curl'])).toBe('200')
  })

  it('refuses every other user of the host', async () => {
    expect(await statusOf(['setpriv', '--reuid=visitor', '--regid=visitor', '--init-groups', 'curl'])).toBe('403')
  })

  it('refuses what a web page sends, whoever looks at the page', async () => {
    for (const header of [
      'Origin: http://evil.example',
      'Sec-Fetch-Site: cross-site',
      'Sec-Fetch-Site: same-origin',
      'Host: evil.example',
    ]) {
      expect(await statusOf(['curl', '-H', header]), header).toBe('403')
    }
  })

  it('cannot be reached from another host', async () => {
    const outcome = await other.exec(['curl', '-q', '-s', '-m', '5', `http://${await host.address()}:43273/containers`])
    expect(outcome.exitCode).not.toBe(0)
  })
})

describe('a user of the host', () => {
  const ids = ['call-links', 'call-data']
  afterAll(async () => {
    await host.gear('delete', '--all', ...ids)
  })

  it('cannot take a lock that the start of a container waits for', async () => {
    await host.gearDo(
      'install',
      'gear/adduser',
      'call-links',
      '--isolate',
      '--start',
      '-n',
      '127.0.0.1:7000:10.1.2.3:80',
      'SCRIPT=sleep 1000',
    )
    await host.gearDo('install', 'gear/script', 'call-data', '--engine', 'podman', '--start', '-v', '/data', 'SCRIPT=sleep 1000')
    let locks: readonly string[] = []
    await until('the locks are there', async () => {
      // those of podman's own storage are podman's
      const found = await host.sh(
        "find /run /var/lib/containers -name storage -prune -o \\( -name 'gear*.lock' -o -path '*/call-*.lock' \\) -print",
      )
      locks = found.trim().split('\n').sort()
      return locks.length === 4 || found
    })
    const holders = locks.map(lock => host.exec(['runuser', '-u', 'visitor', '--', 'flock', '--nonblock', lock, 'echo', 'held']))
    for (const { stderr, stdout } of await Promise.all(holders)) {
      expect(stdout).toBe('')
      expect(stderr).toContain('Permission denied')
    }
  })
})

describe('the Unix socket', () => {
  it('is for root and the group gear', async () => {
    expect(await host.do(['stat', '-c', '%a %U:%G', '/run/gear/gear.sock'])).toBe('660 root:gear\n')
    const refused = await host.exec(['setpriv', '--reuid=visitor', '--regid=visitor', '--clear-groups', 'gear', 'list-units'])
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toMatch(/gear\.sock|root/)
  })
})

describe('a listener for other hosts', () => {
  const options = (text: string) =>
    host.sh(`sed -i '/^GEARD_OPTS=/d' /etc/default/gear; echo 'GEARD_OPTS="${text}"' >> /etc/default/gear; systemctl restart gear.service`)
  afterAll(() => options(''))

  it('does not open without a token or a word that it is wanted', async () => {
    await host.sh(
      `sed -i '/^GEARD_OPTS=/d' /etc/default/gear; echo 'GEARD_OPTS="http://0.0.0.0:43273"' >> /etc/default/gear; systemctl restart gear.service || true`,
    )
    expect(await host.sh('sleep 1; journalctl -u gear.service -n 20 --no-pager -o cat')).toMatch(/token|--insecure-http/)
  })

  it('serves who has the token, and a command line that is given it', async () => {
    await host.sh('umask 077; echo correct-horse-battery-staple > /etc/gear-token; systemctl reset-failed gear.service || true')
    await options('http://127.0.0.1:43273 http://0.0.0.0:43274 --token-file /etc/gear-token')
    const address = await host.address()
    await other.sh('umask 077; echo correct-horse-battery-staple > /root/token; echo wrong > /root/wrong')
    const list = (file: string) => other.gear('list-units', `${address}:43274`, '--token-file', file)
    expect((await list('/root/token')).exitCode).toBe(0)
    const refused = await list('/root/wrong')
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('TOKEN_REQUIRED')
    expect((await other.exec(['curl', '-q', '-s', `http://${address}:43274/containers`])).stdout).toMatch(/token/)
  })

  it('serves several hosts with one command, each line with its host', async () => {
    const address = await host.address()
    await options(`http://127.0.0.1:43273 http://${address}:43273 --insecure-http`)
    await other.gearDo('install', 'gear/httpd', `${address}/far1`, `${address}/far2`, 'near', '--start', '--wait', '-p', '8080:0')
    const status = await other.gearDo('list-units', address, 'local')
    expect(status).toMatch(new RegExp(`far1 +${address.replaceAll('.', '\\.')}.* active`))
    expect(status).toMatch(/near +local +active/)
    const stopped = await other.gearDo('stop', `${address}/far1`, 'near')
    expect(stopped).toMatch(new RegExp(`^${address.replaceAll('.', '\\.')} `, 'm'))
    expect(stopped).toMatch(/^local /m)
    await other.gearDo('delete', `${address}/far1`, `${address}/far2`, 'near')
  })
})
