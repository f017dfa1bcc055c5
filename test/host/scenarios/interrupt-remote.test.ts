/**
 * Ctrl-C, SIGTERM and a closed terminal, while a command works on another host: it ends at once with the exit code of the signal, says what goes on
 * there, and leaves nothing half done here.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost, until } from '../lab-host.ts'

const client = new LabHost('web1')
const host = new LabHost('web2')
const work = '/root/interrupt-work'
/** Accepts connections and says nothing: images and repositories that never come. */
const silent = '127.0.0.1:8126'
let address = ''

type Signal = 'INT' | 'TERM' | 'HUP'
const codes: Readonly<Record<Signal, number>> = { INT: 130, TERM: 143, HUP: 129 }

interface Ended {
  readonly exitCode: number
  readonly out: string
  readonly err: string
}

/** Begins a command on the client; its process and what it has printed are in files. */
async function begin(...words: readonly string[]): Promise<void> {
  await client.sh(
    `cd ${work}; rm -f out err code pid; (gear "$@" >out 2>err </dev/null & echo $! >pid; wait $! || echo $? >code) >/dev/null 2>&1 &`.replace(
      '"$@"',
      words.map(word => `'${word}'`).join(' '),
    ),
  )
}

async function untilSaid(stream: 'out' | 'err', text: string): Promise<void> {
  await until(`it says ${text}`, async () => {
    const said = (await client.exec(['cat', `${work}/${stream}`])).stdout
    return said.includes(text) ? true : said
  })
}

/** The unit of an instance that cannot come up is being started. */
const untilAsked = (id: string) => host.untilState(id, 'activating')

async function end(...signals: readonly Signal[]): Promise<Ended> {
  for (const signal of signals) await client.sh(`kill -${signal} "$(cat ${work}/pid)"`)
  return ended()
}

async function ended(): Promise<Ended> {
  await until('the command has ended', async () => ((await client.exec(['test', '-s', `${work}/code`])).exitCode === 0 ? true : 'it runs'))
  const [exitCode, out, err] = await Promise.all(['code', 'out', 'err'].map(name => client.do(['cat', `${work}/${name}`])))
  return { exitCode: Number(exitCode), out: out ?? '', err: err ?? '' }
}

/** Processes of this command line that are left on the client. */
const left = async (words: string) => (await client.exec(['pgrep', '-f', words])).stdout

beforeAll(async () => {
  address = await host.address()
  await host.sh(`
    sed -i '/^GEARD_OPTS=/d' /etc/default/gear
    echo 'GEARD_OPTS="http://127.0.0.1:43273 http://${address}:43273 --insecure-http"' >> /etc/default/gear; systemctl restart gear.service
    systemd-run -q --unit=lab-silent busybox nc -ll -p 8126 -e /bin/sleep 600
    rm -rf /srv/git/interrupt; mkdir -p /srv/git/interrupt/.s2i/bin; cd /srv/git/interrupt; git init -q -b main
    printf '#!/bin/sh\\necho staying; exec sleep 300\\n' > .s2i/bin/assemble; printf '#!/bin/sh\\n' > .s2i/bin/run; chmod 755 .s2i/bin/*
    git add .; git -c user.name=n -c user.email=n@example commit -q -m one`)
  await host.untilAgentIsUp()
  await host.gearDo('install', 'gear/httpd-user', 'int-web', '--start', '--wait')
  await host.gearDo('create-repo', 'int-src', '/srv/git/interrupt', '--build', 'gear/httpd', '--tag', 'acme/int-pushed')
  await client.sh(`
    rm -rf ${work}; mkdir -p ${work}/there
    systemd-run -q --unit=lab-silent busybox nc -ll -p 8126 -e /bin/sleep 600
    echo '{"containers": [{"name": "int-shop", "count": 2, "image": "${silent}/acme/none"}]}' > ${work}/int-shop.json`)
})

afterAll(async () => {
  await client.exec(['sh', '-c', `iptables -D OUTPUT -d ${address} -j DROP 2>/dev/null; systemctl stop lab-silent; rm -rf ${work}`])
  await client.gear('delete-repo', 'int-slow')
  await host.gear('delete', '--all', 'int-web', 'int-none', 'int-shop-1', 'int-shop-2', 'int-dead-1', 'int-dead-2')
  await host.gear('delete-repo', 'int-src')
  await host.sh(
    `systemctl stop lab-silent; rm -rf /srv/git/interrupt; sed -i '/^GEARD_OPTS=/d' /etc/default/gear; systemctl restart gear.service`,
  )
  await host.untilAgentIsUp()
})

describe('a command that is told to end while it works on another host', () => {
  it.each<Signal>(['INT', 'TERM', 'HUP'])(
    'install --start --wait, SIG%s: says that the installation goes on, which it does',
    async signal => {
      await begin('install', `${silent}/acme/none`, `${address}/int-none`, '--start', '--wait')
      await untilSaid('err', 'pulling')
      expect(await end(signal)).toMatchObject({
        exitCode: codes[signal],
        err: expect.stringMatching(
          new RegExp(
            `Interrupted\\.\\nThe installation of int-none on ${address} was asked for; what arrived there goes on. See: gear status ${address}/int-none\\n$`,
          ),
        ),
      })
      expect(await host.activeState('int-none')).toBe('activating')
      await host.gearDo('delete', 'int-none')
    },
  )

  it('build: says how to see the build, which goes on and can be stopped', async () => {
    await begin('build', '/var/lib/containers/git/int-src', 'gear/httpd', 'acme/int-built', '--network', 'none', '--host', address)
    await untilSaid('out', 'staying')
    const { exitCode, err } = await end('INT')
    const [, id = ''] = /The build on \S+ was asked for; what arrived there goes on. See: gear builds log [^/]+\/(\S+)/.exec(err) ?? []
    expect({ exitCode, err }).toMatchObject({ exitCode: 130, err: expect.stringContaining(`gear builds log ${address}/${id}`) })
    expect(await client.gearDo('builds', 'log', `${address}/${id}`)).toContain('staying')
    expect(await client.gearDo('builds', 'list', address)).toMatch(/running +acme\/int-built/)
    await client.gearDo('builds', 'stop', `${address}/${id}`)
  })

  it('deploy-repo: says how to look, and the build of the push goes on', async () => {
    await begin('deploy-repo', `${address}/int-src`)
    await untilSaid('out', 'staying')
    const { exitCode, err } = await end('TERM')
    expect({ exitCode, err }).toMatchObject({ exitCode: 143, err: expect.stringContaining('what arrived there goes on') })
    const [, look = ''] = /See: gear (.*)/.exec(err) ?? []
    expect(look).toBe(`builds list ${address}`)
    expect(await client.gearDo(...look.split(' '))).toMatch(/running +acme\/int-pushed/)
    const { Builds } = JSON.parse(await host.gearDo('api', 'listBuilds')) as { Builds: { RequestId: string; Result: string }[] }
    for (const { RequestId, Result } of Builds) if (Result === 'running') await host.gearDo('builds', 'stop', RequestId)
  })

  it('deploy: gives its lease back, tells what is there of each instance, and writes down how to go on', async () => {
    await begin('deploy', 'int-shop.json', address)
    await untilAsked('int-shop-2')
    const { exitCode, out, err } = await end('INT')
    const [, file = ''] = /What was done is in (\S+)/.exec(out) ?? []
    expect({ exitCode, err }).toEqual({
      exitCode: 130,
      err: `==> Interrupted: waiting for what hosts were just asked for. Once more ends this at once.
Interrupted. What hosts were asked for goes on there.
Left installed, started, not seen to run: ${address}/int-shop-1 ${address}/int-shop-2
To look: gear list-units --all ${address}
To go on: gear deploy ${file} ${address}
`,
    })
    expect(out).toMatch(new RegExp(`^${address} +0 +0 +0 +0 +0 +2 +0$`, 'm'))
    for (const name of ['int-shop-1', 'int-shop-2']) {
      expect(out).toMatch(new RegExp(`^${name} +${address} +install +unknown +installed, started, not seen to run$`, 'm'))
      expect(await host.activeState(name)).toBe('activating')
    }
    expect(await client.gearDo('list-units', '--all', address)).toContain('int-shop-2')
    expect(await client.gearDo('leases', address)).not.toContain('int-shop')
    expect(await client.do(['cat', `${work}/${file}`])).toContain('int-shop-2')
    await host.gearDo('delete', '--all', 'int-shop-1', 'int-shop-2')
  })

  it('deploy, by an agent that is killed and stays away: tells what was asked for there, and what to do', async () => {
    // Of its own name: an agent that is killed does not give the lease back, which ends by itself.
    await client.sh(`sed s/int-shop/int-dead/ ${work}/int-shop.json > ${work}/int-dead.json`)
    await begin('deploy', 'int-dead.json', address, '--output', 'json', '--timeout', '6')
    await untilAsked('int-dead-2')
    await host.sh('kill -KILL "$(systemctl show -P MainPID gear.service)"; systemctl stop gear.service')
    const { exitCode, out } = await ended()
    await host.sh('systemctl start gear.service')
    await host.untilAgentIsUp()
    const { hosts, instances, steps } = JSON.parse(out) as {
      readonly hosts: readonly object[]
      readonly instances: readonly {
        readonly id: string
        readonly state: string
        readonly done: string
        readonly error: { code: string }
      }[]
      readonly steps: readonly { readonly step: string; readonly ok: boolean; readonly state?: string }[]
    }
    expect({ exitCode, hosts }).toMatchObject({
      exitCode: 1,
      hosts: [{ host: address, installed: 0, failed: 2, unfinished: 0, notBegun: 0 }],
    })
    for (const { id, state, done, error } of instances) {
      expect({ id, state, done }).toEqual({ id, state: 'unknown', done: 'installed, started, not seen to run' })
      expect(error).toBeDefined()
      expect(await host.activeState(id)).toBe('activating')
    }
    expect(steps.filter(({ ok }) => !ok).map(({ step }) => step)).toEqual(['wait', 'wait'])
    await host.gearDo('delete', '--all', 'int-dead-1', 'int-dead-2')
  })

  it('deploy in a terminal that is closed: the same, with nobody to tell it', async () => {
    await client.sh(
      `cd ${work}; rm -f int-shop.json.* seen; setsid script -qfc 'exec gear deploy int-shop.json ${address}' seen >/dev/null </dev/null 2>&1 & echo $! >${work}/terminal`,
    )
    await until('it has installed', async () => {
      const seen = (await client.exec(['cat', `${work}/seen`])).stdout
      return seen.includes('int-shop-2 on') ? true : seen
    })
    await client.sh(`kill -KILL "$(cat ${work}/terminal)"`)
    await until('nothing of it is left', async () => (await left('gear/dist/main.cjs deploy')) || true)
    expect(await client.gearDo('leases', address)).not.toContain('int-shop')
    expect(await client.sh(`cat ${work}/int-shop.json.*`)).toContain('int-shop-2')
    await host.gearDo('delete', '--all', 'int-shop-1', 'int-shop-2')
  })

  it('deploy of a host that has gone away: waits to give its lease back, and a second Ctrl-C ends that', async () => {
    await begin('deploy', 'int-shop.json', address)
    await untilSaid('out', 'int-shop-2 on')
    await client.sh(`iptables -I OUTPUT -d ${address} -j DROP`)
    expect(await end('INT', 'INT')).toMatchObject({ exitCode: 130 })
    await client.sh(`iptables -D OUTPUT -d ${address} -j DROP`)
    await host.gearDo('delete', '--all', 'int-shop-1', 'int-shop-2')
  })

  it('cp out of a container: leaves nothing of it here', async () => {
    await host.gearDo('exec', 'int-web', '--', 'sh', '-c', 'mkdir /tmp/all; truncate -s 3G /tmp/all/big')
    await begin('cp', `${address}/int-web:/tmp/all`, 'there/all')
    await until('some has arrived', async () => ((await client.sh(`ls -A ${work}/there`)) === '' ? 'none' : true))
    expect(await end('HUP')).toMatchObject({ exitCode: 129, out: '' })
    expect(await client.sh(`ls -A ${work}/there`)).toBe('')
  })

  it.each<Signal>(['INT', 'TERM', 'HUP'])('exec, SIG%s: ends the command in the container, too', async signal => {
    await begin('exec', `${address}/int-web`, '--', 'sh', '-c', 'echo ready; exec sleep 3141')
    await untilSaid('out', 'ready')
    expect(await end(signal)).toEqual({ exitCode: codes[signal], out: 'ready\n', err: '' })
    await until('it is gone there', async () => (await host.exec(['pgrep', '-f', '^sleep 3141'])).stdout || true)
  })

  it('log --follow: ends with what had come', async () => {
    await begin('log', '--follow', `${address}/int-web`)
    await untilSaid('out', 'Started ctr-int-web.service')
    expect(await end('INT')).toMatchObject({ exitCode: 130, err: '' })
  })

  it('create-repo: says that the creation goes on', async () => {
    await begin('create-repo', 'int-slow', `git://${silent}/x`)
    await until('it is being made', async () =>
      (await client.exec(['getent', 'passwd', 'git-int-slow'])).exitCode === 0 ? true : 'not yet',
    )
    expect(await end('INT')).toMatchObject({
      exitCode: 130,
      err: 'Interrupted.\nThe creation of int-slow on local was asked for; what arrived there goes on. See: gear list-repos\n',
    })
    await client.sh(`systemctl stop 'job-create-repo-*'`)
    await until('what is left of it is removed', async () => {
      const { exitCode, stderr } = await client.gear('delete-repo', 'int-slow')
      return exitCode === 0 ? true : stderr
    })
    expect((await client.exec(['getent', 'passwd', 'git-int-slow'])).exitCode).toBe(2)
  })

  it('goes on after a hangup under nohup', async () => {
    await client.sh(
      `cd ${work}; rm -f out code pid; (nohup gear log --follow ${address}/int-web >out 2>&1 </dev/null & echo $! >pid; wait $! || echo $? >code) >/dev/null 2>&1 &`,
    )
    await untilSaid('out', 'Started ctr-int-web.service')
    // Without, the first would end it with 129: signals come in the order of their numbers.
    expect(await end('HUP', 'TERM')).toMatchObject({ exitCode: 143 })
  })
})
