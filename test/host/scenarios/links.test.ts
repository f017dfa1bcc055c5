/** Links between containers on two hosts: what is elsewhere looks local, changes without a restart, and comes back without the agent. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost, labCommand, until } from '../lab-host.ts'

const web = new LabHost('web1')
const db = new LabHost('web2')
const page = 'It works: gear'

/** The page that a program in a container of web1 finds at an address; empty when nothing answers. (The wget of busybox-static crashes.) */
const fetchInside = async (id: string, host: string, port: number, engine = 'docker') =>
  (await web.exec([engine, 'exec', '-i', id, 'nc', '-w', '5', host, String(port)], { input: 'GET / HTTP/1.0\r\n\r\n' })).stdout
const untilSeen = (id: string, port: number, text: string) =>
  until(`127.0.0.1:${port} in ${id} serves "${text}"`, async () => {
    const seen = await fetchInside(id, '127.0.0.1', port)
    return seen.includes(text) ? true : `it serves ${JSON.stringify(seen)}`
  })

let address = ''
let port = 0

beforeAll(async () => {
  address = await db.address()
  await db.gearDo('install', 'gear/httpd', 'links-db', '--start', '--wait', '-p', '8080:0')
  port = await db.port('links-db')
  await web.gearDo('install', 'gear/busybox', 'links-web', '--start', '--wait')
})

afterAll(async () => {
  await web.exec(['sed', '-i', '/links-db.example/d', '/etc/hosts'])
  await web.gear('delete', '--all', 'links-web', 'links-later', 'links-near', 'links-podman')
  await db.gear('delete', '--all', 'links-db')
})

describe('a running container', () => {
  it('sees what is on another host at an address of its own, at once and without a restart', async () => {
    const before = await web.unit('ctr-links-web.service', 'MainPID', 'NRestarts')
    expect(await web.gearDo('link', 'links-web', '-n', `127.0.0.1:80:${address}:${port},192.168.77.1:8081:${address}:${port}`)).toBe(
      'links-web linked\n',
    )
    expect(await fetchInside('links-web', '127.0.0.1', 80)).toContain(page)
    expect(await fetchInside('links-web', '192.168.77.1', 8081)).toContain(page)
    expect(await web.unit('ctr-links-web.service', 'MainPID', 'NRestarts')).toEqual(before)
    expect(await web.do(['stat', '-c', '%a', '/var/lib/containers/ports/links/li/links-web'])).toBe('660\n')
  })

  it('has no rights over its network because of it', async () => {
    const bounding = await web.sh('sed -n "s/^CapBnd:\t//p" /proc/$(cat /run/containers/li/links-web/pid)/status')
    const netAdmin = 12n
    expect((BigInt(`0x${bounding.trim()}`) >> netAdmin) % 2n).toBe(0n)
  })

  it('keeps the connections that are open when its links change', async () => {
    await db.sh('systemd-run --quiet --collect sh -c "sleep 60 | busybox nc -l -p 7777 > /run/links-received"')
    await web.gearDo('link', 'links-web', '-n', `7000:${address}:7777`)
    const speak = '(echo first; until [ -e /tmp/relinked ]; do usleep 50000; done; echo second) | nc 127.0.0.1 7000'
    const spoken = web.exec(['docker', 'exec', 'links-web', 'sh', '-c', speak])
    await until('the first line has arrived', async () => (await db.sh('cat /run/links-received')).includes('first') || 'nothing yet')
    await web.gearDo('link', 'links-web', '-n', `80:${address}:${port}`)
    expect(await fetchInside('links-web', '127.0.0.1', 80)).toContain(page)
    await web.do(['docker', 'exec', 'links-web', 'touch', '/tmp/relinked'])
    await spoken
    await until('the second line has arrived', async () => (await db.sh('cat /run/links-received')).includes('second') || 'only the first')
  })

  it('gets its links from an installation too', async () => {
    await web.gearDo('install', 'gear/busybox', 'links-web', '-n', `8082:${address}:${port}`)
    await untilSeen('links-web', 8082, page)
  })

  it('has none after a link without any', async () => {
    await web.gearDo('link', 'links-web')
    await until('nothing answers any more', async () => (await fetchInside('links-web', '127.0.0.1', 8082)) === '' || 'it still does')
    expect(await web.gearDo('link', '--list', 'links-web')).toMatch(/^ID[^\n]*\n$/)
  })
})

describe('a container that somebody restarts with docker itself', () => {
  it('has its links again, in its new network', async () => {
    await web.gearDo('link', 'links-web', '-n', `8083:${address}:${port}`)
    await web.do(['docker', 'restart', '-t', '1', 'links-web'])
    await untilSeen('links-web', 8083, page)
    expect(await web.activeState('links-web')).toBe('active')
  })
})

describe('links that cannot work', () => {
  it('are reported, tried again, and do not spoil the others', async () => {
    const said = await web.gearDo(
      'link',
      'links-web',
      '-n',
      `80:${address}:${port},81:links-db.example:${port},82:${address}:1,83:localhost:4999`,
    )
    expect(said).toContain('127.0.0.1:81 -> links-db.example')
    expect(await fetchInside('links-web', '127.0.0.1', 80)).toContain(page)
    const list = await web.gear('link', '--list', '--check', 'links-web')
    expect(list.stdout).toMatch(/127\.0\.0\.1:80 .* applied +yes/)
    expect(list.stdout).toMatch(/127\.0\.0\.1:81 .* waiting +links-db\.example is not an address that can be found/)
    expect(list.stdout).toMatch(/127\.0\.0\.1:82 .* applied +no +the connection was refused/)
    expect(list.stdout).toMatch(/127\.0\.0\.1:83 .* applied +no /)
    expect(list.exitCode).toBe(1)
    await until('the log says so too', async () => {
      const log = await web.gearDo('log', 'links-web')
      return log.includes('is left out: links-db.example is not an address that can be found') || log
    })
  })

  it('work once their names are known, without the agent', async () => {
    await web.do(['systemctl', 'stop', 'gear.service'])
    await web.sh(`echo '${address} links-db.example' >> /etc/hosts`)
    await untilSeen('links-web', 81, page)
    await web.do(['systemctl', 'start', 'gear.service'])
    const [outcome] = JSON.parse(await web.gearDo('link', '--list', 'links-web', '--output', 'json')) as {
      links: { state: string; address: string }[]
    }[]
    expect(outcome?.links[1]).toMatchObject({ state: 'applied', address })
  })

  it('of a target that comes later work when it is there', async () => {
    await db.gearDo('stop', 'links-db')
    expect(await fetchInside('links-web', '127.0.0.1', 80)).toBe('')
    await db.gearDo('start', 'links-db', '--wait')
    await untilSeen('links-web', 80, page)
  })

  it('are refused when they make no sense, and nothing changes', async () => {
    const before = await web.do(['cat', '/var/lib/containers/ports/links/li/links-web'])
    const answer = await web.api('POST', '/containers/links', {
      body: JSON.stringify({ Links: [{ Id: 'links-web', NetworkLinks: [{ FromPort: 80, ToPort: 80, ToHost: '-j DROP' }] }] }),
    })
    expect(answer.status).toBe(400)
    expect(answer.body).toContain('Links[0].NetworkLinks[0].ToHost')
    expect(await web.do(['cat', '/var/lib/containers/ports/links/li/links-web'])).toBe(before)
  })
})

describe('a container on podman', () => {
  it('gets its links, and other links without a restart, as on docker', async () => {
    const target = `${address}:${port}`
    await web.gearDo('install', 'gear/busybox', 'links-podman', '--engine', 'podman', '-n', `80:${target}`, '--start', '--wait')
    const before = await web.unit('ctr-links-podman.service', 'MainPID')
    expect(await fetchInside('links-podman', '127.0.0.1', 80, 'podman')).toContain(page)
    await web.gearDo('link', 'links-podman', '-n', `81:${target}`)
    expect(await fetchInside('links-podman', '127.0.0.1', 81, 'podman')).toContain(page)
    expect((await web.gear('link', '--list', '--check', 'links-podman')).exitCode).toBe(0)
    expect(await web.unit('ctr-links-podman.service', 'MainPID')).toEqual(before)
  })
})

describe('a container that links to itself', () => {
  it('reaches itself through the port of its host', async () => {
    await web.gearDo('install', 'gear/httpd', 'links-later', '-p', '8080:0')
    const own = await web.port('links-later')
    await web.gearDo('link', 'links-later', '-n', `80:localhost:${own}`)
    expect(await web.gearDo('link', '--list', 'links-later')).toMatch(/ stored /)
    await web.gearDo('start', 'links-later', '--wait')
    expect(await fetchInside('links-later', '127.0.0.1', 80)).toContain(page)
  })
})

describe('the loopback of a container with links', () => {
  it('stays closed to its neighbours on the bridge', async () => {
    await web.gearDo('install', 'gear/busybox', 'links-near', '--start', '--wait')
    const own = (await web.sh("docker inspect -f '{{.NetworkSettings.IPAddress}}' links-later")).trim()
    // The neighbour sends what is for 127.0.0.1 to the container, as whoever has the rights over a network of the bridge can.
    const fetchAsNeighbour = async (host: string) => {
      const fetch = `exec nsenter --net=/proc/$(docker inspect -f '{{.State.Pid}}' links-near)/ns/net curl -q -s -m 2 http://${host}:8080/`
      return (await web.exec(['/bin/sh', '-c', fetch])).stdout
    }
    await web.sh(
      `exec nsenter --net=/proc/$(docker inspect -f '{{.State.Pid}}' links-near)/ns/net sh -euc 'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet
        ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1/32 via ${own} dev eth0'`,
    )
    expect(await fetchAsNeighbour(own)).toContain(page)
    expect(await fetchAsNeighbour('127.0.0.1')).toBe('')
  })
})

describe('links without the agent', () => {
  it('come back after a reboot before the unit counts as active, while the other host cannot be reached', async () => {
    await web.do(['systemctl', 'disable', '--now', 'gear.service'])
    await labCommand('cut', 'web2')
    await web.reboot()
    await web.untilState('links-web', 'active')
    const rules = 'nsenter --net=/proc/$(docker inspect -f "{{.State.Pid}}" links-web)/ns/net iptables -t nat -S GEAR-LINKS'
    expect(await web.sh(rules)).toContain(`--dport 80 -j DNAT --to-destination ${address}:${port}`)
    await labCommand('mend', 'web2')
    await untilSeen('links-web', 80, page)
    await web.do(['systemctl', 'enable', '--now', 'gear.service'])
  })
})
