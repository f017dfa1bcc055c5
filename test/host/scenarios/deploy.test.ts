/** Deployments on three hosts: what a file describes runs, is wired across hosts, changes as the file changes, and survives what hosts suffer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost, labCommand, type Outcome, until } from '../lab-host.ts'

const names = ['web1', 'web2', 'web3'] as const
const [operator, second, third] = [new LabHost('web1'), new LabHost('web2'), new LabHost('web3')] as const
const byName = new Map([operator, second, third].map(host => [host.name, host]))
const folder = '/root/deployments'
const fixtures = '/usr/src/gear/deployment/fixtures'

interface Written {
  readonly Containers: { Name: string; Count: number; Image: string; Environment?: { Name: string; Value: string }[] }[]
  readonly Instances: { Id: string; From: string; On: string; Ports: { Internal: number; External: number; Target: { Host?: string } }[] }[]
}

/** Runs gear on the first host, where the operator works. */
function gear(...args: readonly string[]): Promise<Outcome> {
  return operator.exec(['/bin/sh', '-c', `cd ${folder} && exec env GEAR_TOKEN_FILE=/root/token gear "$@"`, 'gear', ...args])
}

async function deploy(
  file: string,
  ...hosts: readonly string[]
): Promise<{ readonly outcome: Outcome; readonly name: string; readonly made: Written }> {
  const outcome = await gear('deploy', file, ...hosts)
  if (outcome.exitCode !== 0) throw new Error(`gear deploy ${file} ended with ${outcome.exitCode}\n${outcome.stdout}${outcome.stderr}`)
  return { outcome, ...(await lastFile()) }
}

async function lastFile(): Promise<{ readonly name: string; readonly made: Written }> {
  const name = (await operator.sh(`cd ${folder} && ls -t *.20* | head -n 1`)).trim()
  return { name, made: JSON.parse(await operator.do(['cat', `${folder}/${name}`])) as Written }
}

/** Writes a changed copy of a file that a deploy made; its name. */
async function edited(name: string, change: (file: Written) => void): Promise<string> {
  const file = JSON.parse(await operator.do(['cat', `${folder}/${name}`])) as Written
  change(file)
  await operator.sh(`cat > ${folder}/${name}`, { input: JSON.stringify(file) })
  return name
}

function group(file: Written, name: string) {
  const found = file.Containers.find(container => container.Name === name)
  if (found === undefined) throw new Error(`the file has no container ${name}`)
  return found
}

const placesOf = (file: Written, from: string) =>
  file.Instances.filter(instance => instance.From === from).map(({ Id, On }) => `${Id}@${On}`)

function hostOf(file: Written, id: string): LabHost {
  const host = byName.get(file.Instances.find(instance => instance.Id === id)?.On ?? '')
  if (host === undefined) throw new Error(`${id} is nowhere`)
  return host
}

const inside = (host: LabHost, id: string, line: string) => host.exec(['docker', 'exec', id, 'sh', '-c', line])
const redis = async (host: LabHost, id: string, ...words: readonly string[]) =>
  (await host.do(['docker', 'exec', id, 'redis-cli', ...words])).trim()

/** What answers at an address, as a container sees it. */
async function seen(host: LabHost, id: string, address: string, port: number): Promise<string> {
  const { stdout } = await inside(host, id, `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 3 ${address} ${port}`)
  return stdout.split('\r\n\r\n')[1]?.trim() ?? ''
}

beforeAll(async () => {
  await labCommand('up', ...names)
  for (const host of byName.values()) {
    await host.sh(
      // The name of a host leads to itself as Debian has it: to 127.0.1.1.
      `sed -i "1i 127.0.1.1 $(hostname)" /etc/hosts
       umask 077; echo correct-horse-battery-staple > /etc/gear-token; cp /etc/gear-token /root/token; mkdir -p ${folder}
       sed -i '/^GEARD_OPTS=/d' /etc/default/gear
       echo 'GEARD_OPTS="http://0.0.0.0:43273 --token-file /etc/gear-token"' >> /etc/default/gear
       systemctl restart gear.service`,
    )
  }
})

afterAll(async () => {
  for (const host of [operator, second]) {
    await host.sh(
      `gear list-units --all -q | grep -E '^(db|web|shop|crowd)-' | xargs -r gear delete --all || true
       sed -i '/^GEARD_OPTS=/d' /etc/default/gear; echo 'GEARD_OPTS=""' >> /etc/default/gear; systemctl restart gear.service
       sed -i /^127.0.1.1/d /etc/hosts`,
    )
  }
  await labCommand('down', 'web3')
})

describe('a replica set of three members on three hosts', () => {
  it('has every member see every member at the same address', async () => {
    const { made, name } = await deploy(`${fixtures}/mongo_deploy.json`, ...names)
    expect(placesOf(made, 'db')).toEqual(['db-1@web1', 'db-2@web2', 'db-3@web3'])
    const views = new Set<string>()
    for (const id of ['db-1', 'db-2', 'db-3']) {
      const view = await Promise.all(
        ['192.168.1.1', '192.168.1.2', '192.168.1.3'].map(address => seen(hostOf(made, id), id, address, 27017)),
      )
      views.add(view.join(' '))
    }
    const own = await Promise.all(
      ['db-1', 'db-2', 'db-3'].map(async id => (await hostOf(made, id).do(['docker', 'exec', id, 'hostname'])).trim()),
    )
    expect([...views]).toEqual([own.join(' ')])
    expect((await gear('deployment', 'show', name)).stdout).toContain('192.168.1.3:27017 → db-3 27017 (web3:')
    await deploy(await edited(name, file => Object.assign(group(file, 'db'), { Count: 0 })), ...names)
    for (const host of byName.values()) expect(await host.do(['docker', 'ps', '-q', '--filter', 'name=^db-'])).toBe('')
  })
})

const shop = `
IdPrefix: shop-
Containers:
  - Name: primary
    Image: gear/redis
    Count: 1
    PublicPorts: [{ Internal: 6379 }]
  - Name: replica
    Image: gear/redis
    Count: 2
    PublicPorts: [{ Internal: 6379 }]
    Environment: [{ Name: PRIMARY, Value: 127.0.0.1 7000 }]
    Links: [{ To: primary, AliasPorts: [{ Internal: 6379, External: 7000 }] }]
  - Name: web
    Image: gear/script
    Count: 2
    PublicPorts: [{ Internal: 8080 }]
    Links: [{ To: replica, MatchPort: true }]
    Environment:
      - Name: SCRIPT
        Value: "mkdir -p /www/cgi-bin; printf '#!/bin/sh\\\\necho; printf \\"get stock\\\\\\\\r\\\\\\\\nquit\\\\\\\\r\\\\\\\\n\\" | nc 127.0.0.1 6379\\\\n' > /www/cgi-bin/stock; chmod +x /www/cgi-bin/stock; trap 'kill $!; exit 143' TERM; httpd -f -p 8080 -h /www & wait $!"
`

describe('a shop: web tier, database with replicas, on three hosts', () => {
  let file = ''
  let made: Written

  /** What a web server answers to somebody outside. */
  const stock = async (id: string) => {
    const instance = made.Instances.find(({ Id }) => Id === id)
    const outcome = await third.exec([
      'curl',
      '-q',
      '-s',
      '-m',
      '5',
      `http://${instance?.On}:${instance?.Ports[0]?.External}/cgi-bin/stock`,
    ])
    return outcome.stdout.split(/\r?\n/)[1] ?? ''
  }
  const untilStock = (id: string, value: string) =>
    until(`${id} tells ${value}`, async () => {
      const told = await stock(id)
      return told === value ? true : `it tells ${JSON.stringify(told)}`
    })
  const untilReplicating = (id: string) =>
    until(`${id} replicates`, async () => {
      const { stdout } = await hostOf(made, id).exec(['docker', 'exec', id, 'redis-cli', 'info', 'replication'])
      return stdout.includes('master_link_status:up') ? true : stdout.slice(0, 200)
    })

  const untilValue = (host: LabHost, id: string, value: string) =>
    until(`${id} has the value ${value}`, async () => {
      const found = await redis(host, id, 'get', 'stock')
      return found === value ? true : `it has ${JSON.stringify(found)}`
    })

  it('replicates across hosts through links, and the web tier reads what was written', async () => {
    await operator.sh(`cat > ${folder}/shop.yaml`, { input: shop })
    ;({ name: file, made } = await deploy('shop.yaml', ...names))
    expect(placesOf(made, 'replica')).toEqual(['shop-replica-1@web2', 'shop-replica-2@web3'])
    await redis(operator, 'shop-primary-1', 'set', 'stock', '42')
    for (const id of ['shop-replica-1', 'shop-replica-2']) await untilReplicating(id)
    await untilValue(third, 'shop-replica-2', '42')
    for (const id of ['shop-web-1', 'shop-web-2']) await untilStock(id, '42')
  })

  it('grows from two web servers to five and shrinks to one, while the others are left alone', async () => {
    const pid = () => hostOf(made, 'shop-web-1').do(['docker', 'inspect', '-f', '{{.State.Pid}}', 'shop-web-1'])
    const before = await pid()
    ;({ name: file, made } = await deploy(await edited(file, changed => Object.assign(group(changed, 'web'), { Count: 5 })), ...names))
    expect(placesOf(made, 'web').map(place => place.split('@')[0])).toEqual([1, 2, 3, 4, 5].map(number => `shop-web-${number}`))
    await untilStock('shop-web-5', '42')
    ;({ name: file, made } = await deploy(await edited(file, changed => Object.assign(group(changed, 'web'), { Count: 1 })), ...names))
    expect(placesOf(made, 'web')).toEqual(['shop-web-1@web1'])
    expect(await pid()).toBe(before)
    expect((await gear('list-units', '--all', '-q', ...names)).stdout).not.toContain('shop-web-2')
  })

  it('moves what was on a host that is not given, with the local addresses it had', async () => {
    ;({ name: file, made } = await deploy(file, 'web1', 'web2'))
    expect(placesOf(made, 'replica')).toEqual(['shop-replica-1@web2', 'shop-replica-2@web1'])
    expect(made.Instances.find(({ Id }) => Id === 'shop-replica-2')?.Ports[0]?.Target.Host).toBe('127.0.0.2')
    expect(await third.do(['docker', 'ps', '-q', '--filter', 'name=^shop-'])).toBe('')
    await untilReplicating('shop-replica-2')
    await untilStock('shop-web-1', '42')
  })

  it('tells what it would do, and leaves the old one serving when the new one cannot run', async () => {
    await edited(file, changed => Object.assign(group(changed, 'web'), { Image: '127.0.0.1:1/none' }))
    const { stdout } = await gear('deploy', '--dry-run', file, 'web1', 'web2')
    expect(stdout).toMatch(/^update +shop-web-1 +web1 +changed: image gear\/script → 127\.0\.0\.1:1\/none$/m)
    expect(stdout).toMatch(/^keep +shop-primary-1 +web1 +nothing has changed$/m)

    await edited(file, changed => {
      Object.assign(group(changed, 'web'), { Image: 'gear/script', Count: 0 })
      changed.Containers.push({ ...group(changed, 'web'), Name: 'front', Image: '127.0.0.1:1/none', Count: 1 })
      changed.Containers.splice(changed.Containers.indexOf(group(changed, 'web')), 1)
    })
    const failed = await gear('deploy', file, 'web1', 'web2')
    expect(failed.exitCode).toBe(1)
    expect(failed.stderr).toMatch(/shop-front-1 on web\d: .*127\.0\.0\.1:1\/none.*\[START_FAILED\]/)
    expect(failed.stderr).toMatch(/shop-web-1 on web1 stays and serves.*\[REMOVAL_HELD_BACK\]/)
    await untilStock('shop-web-1', '42')

    ;({ name: file, made } = await lastFile())
    ;({ name: file, made } = await deploy(
      await edited(file, changed => Object.assign(group(changed, 'front'), { Image: 'gear/script' })),
      'web1',
      'web2',
    ))
    await untilStock('shop-front-1', '42')
    expect(await operator.do(['docker', 'ps', '-q', '--filter', 'name=^shop-web-1$'])).toBe('')
  })

  it('has its links back after a reboot, without the agent', async () => {
    await second.sh('systemctl disable --now gear.service; systemctl disable --now gear.socket 2>/dev/null || true; sync')
    await second.reboot()
    expect((await second.exec(['systemctl', 'is-active', 'gear.service'])).stdout.trim()).toBe('inactive')
    await second.untilState('shop-replica-1', 'active')
    await untilReplicating('shop-replica-1')
    await redis(operator, 'shop-primary-1', 'set', 'stock', '43')
    await untilValue(second, 'shop-replica-1', '43')
    await second.sh('systemctl enable --now gear.service')
  })

  it('is left as it is by a mistake in the file, and taken down when nothing is to be there', async () => {
    await operator.sh(`cat > ${folder}/bad.yaml`, { input: shop.replace('To: primary', 'To: prinary') })
    const refused = await gear('deploy', 'bad.yaml', 'web1')
    expect(refused.stderr).toContain('bad.yaml: Containers[1].Links[0].To there is no container "prinary" [DEPLOYMENT_INVALID]')
    await operator.sh(`printf 'Containers:\\n  - Name: !!binary eA==\\n' > ${folder}/bad.yaml`)
    expect((await gear('deploy', 'bad.yaml', 'web1')).stderr).toContain('tags are not allowed at line 2, column 11')
    expect((await gear('deploy', 'shop.yaml', 'web1', 'nowhere.invalid')).stderr).toMatch(/nowhere\.invalid.*\[HOST_UNREACHABLE\]/)
    await deploy(
      await edited(file, changed => {
        for (const container of changed.Containers) container.Count = 0
      }),
      'web1',
      'web2',
    )
    for (const host of [operator, second]) expect(await host.do(['docker', 'ps', '-q', '--filter', 'name=^shop-'])).toBe('')
  })
})

describe('a deploy that is disturbed', () => {
  const crowd = JSON.stringify({
    IdPrefix: 'crowd-',
    Containers: [
      { Name: 'here', Image: 'gear/httpd', Count: 1, PublicPorts: [{ Internal: 8080 }], Links: [{ To: 'there' }], Affinity: 'pack' },
      { Name: 'there', Image: 'gear/httpd', Count: 12, PublicPorts: [{ Internal: 8080 }], Affinity: 'distribute' },
    ],
  })

  /** Begins a deploy whose end is not waited for, and waits until it has installed something there. */
  async function begin(file: string, place: string): Promise<void> {
    await operator.sh(
      `cd ${folder}; rm -f out code
       (GEAR_TOKEN_FILE=/root/token gear deploy --timeout 6 ${file} web1 web2 > out 2>&1 & echo $! > pid; wait $! && code=0 || code=$?; echo $code > code) < /dev/null > /dev/null 2>&1 &
       until grep -q 'on ${place}: installed' out 2> /dev/null; do test ! -e code; sleep 0.02; done`,
    )
  }
  const ended = async () => {
    await until('the deploy has ended', async () =>
      (await operator.exec(['test', '-s', `${folder}/code`])).exitCode === 0 ? true : 'it goes on',
    )
    return { code: Number(await operator.do(['cat', `${folder}/code`])), out: await operator.do(['cat', `${folder}/out`]) }
  }

  it('by another one of the same file refuses that one', async () => {
    await operator.sh(`cat > ${folder}/crowd.json`, { input: crowd })
    await second.sh(`cat > ${folder}/crowd.json`, { input: crowd })
    await begin('crowd.json', 'web2')
    const other = await second.exec(['/bin/sh', '-c', `cd ${folder} && GEAR_TOKEN_FILE=/root/token gear deploy crowd.json web2 web1`])
    expect(other.exitCode).toBe(1)
    expect(other.stderr).toMatch(/crowd\.json is being deployed by root@web1.*\[LEASE_HELD\]/)
    await operator.sh(`kill -INT $(cat ${folder}/pid)`)
    const { code, out } = await ended()
    expect(code).toBe(130)
    expect(out).toMatch(
      /==> What was done is in crowd\.json\..*\nInterrupted\. .*\n(?:Left .*\n)*To look: gear list-units --all web1 web2\nTo go on: gear deploy crowd\.json\.\S+ web1 web2\n/,
    )
    // What is told of each is so.
    const rows = [...out.matchAll(/^(crowd-\S+) +(web\d) +install +(?:done|unknown|unfinished|not begun) +(\S.*)$/gm)]
    expect(rows).toHaveLength(13)
    for (const [, id = '', place = '', there = ''] of rows) {
      const state = await (byName.get(place) as LabHost).activeState(id)
      if (there === 'installed, started, not seen to run') expect(`${id} ${state}`).toMatch(/ (?:activating|active)$/)
      else
        expect(`${id} ${state}: ${there}`).toMatch(
          / (?:inactive: (?:not installed|installed, not started)|active: installed, started, runs)$/,
        )
    }
  })

  it('by a host that is cut off goes on with the others, in bounded time, and is finished when that is back', async () => {
    await operator.sh(`cd ${folder}; rm -f crowd.json.*; cat > crowd2.json`, { input: crowd.replaceAll('crowd-', 'crowd-b-') })
    await begin('crowd2.json', 'web2')
    await labCommand('cut', 'web2')
    const { code, out } = await ended()
    await labCommand('mend', 'web2')
    expect(code).toBe(1)
    expect(out).toMatch(/^web2 +\d+ +0 +0 +0 +[1-9]\d* +0 +0$/m)
    expect(out).toMatch(/Error: web2 \(crowd-b-there-.*\[HOST_UNREACHABLE\]/)
    await operator.untilState('crowd-b-here-1', 'active')

    const { name } = await lastFile()
    await edited(name, file => Object.assign(group(file, 'there'), { Count: 4 }))
    // The host that was cut off could not be told that the deploy has ended, so its lease ends by itself.
    await until('the lease has ended', async () => {
      const { exitCode, stderr } = await gear('deploy', name, 'web1', 'web2')
      return exitCode === 0 || !stderr.includes('[LEASE_HELD]') ? true : stderr
    })
    const { made } = await lastFile()
    expect(made.Instances).toHaveLength(5)
    const links = (await operator.sh('cut -f 2-4 /var/lib/containers/ports/links/cr/crowd-b-here-1')).trim().split('\n')
    expect(links.map(line => Number(line.split('\t')[1]) > 0)).toEqual([true, true, true, true])
    for (const { Id } of made.Instances) expect(await hostOf(made, Id).activeState(Id)).toBe('active')
  })
})
