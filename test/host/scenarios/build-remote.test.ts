/** Builds that an agent is asked for, on both engines: units that are joined, listed, followed and stopped, and go on without the agent. */
import { beforeAll, describe, expect, it } from 'vitest'
import { BuildTraces } from '../build-traces.ts'
import { onBothEngines } from '../lab-engine.ts'
import { LabHost, type Outcome, until } from '../lab-host.ts'

const host = new LabHost('web1')

/** Sources with scripts of their own: one that is built at once, and one whose assemble does not end. */
beforeAll(async () => {
  await host.sh(`mkdir -p /root/site/.sti/bin /root/slow/.s2i/bin; echo '<h1>a built page</h1>' > /root/site/index.html
    printf '#!/bin/sh\\nmkdir -p /site && cp /tmp/src/*.html /site\\n' > /root/site/.sti/bin/assemble
    printf '#!/bin/sh\\nexec busybox httpd -f -p 8080 -h /site\\n' > /root/site/.sti/bin/run
    printf '#!/bin/sh\\necho it goes on; sleep 600\\n' > /root/slow/.s2i/bin/assemble`)
})

/** Other stories may have builds of their own. */
const unitOf = (name: string) => `build-${Buffer.from(name, 'latin1').toString('base64url')}.service`

onBothEngines(host, engine => {
  describe('a build that an agent is asked for', () => {
    const traces = new BuildTraces(host, engine.name)
    beforeAll(() => traces.begin())

    const letter = engine.name === 'docker' ? 'z' : 'y'
    const id = `${letter}WJ2s4o0QnuNn2iTfyQ3bg`
    const streaming = 'Accept: application/json;stream=true'
    const build = (name: string, body: object) =>
      host.api('POST', '/build-image', { headers: [streaming, `X-Request-Id: ${name}`], body: JSON.stringify(body) })
    const report = async (name: string) => JSON.parse((await host.api('GET', `/builds/${name}`)).body) as Record<string, unknown>

    it('is streamed, and known afterwards', async () => {
      const answer = await build(id, { Source: '/root/site', BaseImage: 'gear/httpd', Tag: 'lab/remote' })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([202, 'text/plain'])
      expect(answer.body).toMatch(/Assembling\n[\s\S]*Built lab\/remote \(sha256:[0-9a-f]{64}\)\n/)
      expect(await report(id)).toMatchObject({ RequestId: id, Result: 'built', Tag: 'lab/remote', ActiveState: 'inactive' })
      expect(await host.gearDo('builds')).toMatch(new RegExp(`^${id} +local +built +lab/remote`, 'm'))
      expect(await host.gearDo('builds', 'log', id)).toContain('Built lab/remote')
      // systemd has forgotten the unit
      expect(await host.do(['systemctl', 'list-units', '--all', '--no-legend', unitOf(id)])).toBe('')
    })

    it('is the same for a repeated request, which builds nothing', async () => {
      const image = () => engine.do('image', 'inspect', '-f', '{{.Id}}', 'lab/remote')
      const before = await image()
      expect((await build(id, { Source: '/root/site', BaseImage: 'gear/httpd', Tag: 'lab/remote' })).body).toContain('Built lab/remote')
      expect(await image()).toBe(before)
      expect((await build(id, { Source: '/root/other', BaseImage: 'gear/httpd', Tag: 'lab/remote' })).status).toBe(409)
    })

    it('goes on without the agent, and is found again by its request id', async () => {
      const name = `${letter}WJ2s4o0QnuNn2iTfyQ3bw`
      const body = { Source: '/root/paused', BaseImage: 'gear/httpd', Tag: 'lab/paused' }
      await host.sh(
        `mkdir -p /root/paused/.s2i/bin; printf '#!/bin/sh\\necho half way; sleep 4; echo the rest\\n' > /root/paused/.s2i/bin/assemble`,
      )
      const first = build(name, body)
      await until('it assembles', async () =>
        (await host.gearDo('builds', 'log', name).catch(String)).includes('half way') ? true : 'not yet',
      )
      await host.do(['systemctl', 'restart', 'gear.service'])
      await first.catch(() => undefined)
      const second = await build(name, body)
      expect(second.body).toMatch(/half way\nthe rest\n[\s\S]*Built lab\/paused/)
    })

    it('is in its slice, and is stopped without leaving anything', async () => {
      let ended: Outcome | undefined
      const outcome = host.gear('build', '/root/slow', 'gear/httpd', 'lab/slow', '--host', 'local').then(end => {
        ended = end
        return end
      })
      let name = ''
      await until('it assembles', async () => {
        if (ended !== undefined) throw new Error(`it has ended: ${ended.stdout}${ended.stderr}`)
        const list = await host.gearDo('builds')
        name = /^(\S+) +local +running +lab\/slow /m.exec(list)?.[1] ?? ''
        if (name === '') return list
        const log = await host.gearDo('builds', 'log', name)
        return log.includes('it goes on') || log
      })
      const container = (await engine.do('ps', '-q', '--filter', `name=gear-build-${name}`)).trim()
      expect(
        await engine.do('inspect', '-f', '{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{len .HostConfig.Binds}}', container),
      ).toBe(`1073741824 4096 ${engine.name === 'docker' ? 0 : 1}\n`)
      const group = await host.sh(`cat /proc/${await engine.pid(container)}/cgroup`)
      expect(group).toContain('/container.slice/container-build.slice/')
      expect(await host.do(['systemctl', 'show', '-P', 'Slice', unitOf(name)])).toBe('container-build.slice\n')
      expect((await host.unit('container-build.slice', 'MemoryMax')).MemoryMax).toMatch(/^\d+$/)
      await host.gearDo('builds', 'stop', name)
      expect((await outcome).exitCode).toBe(1)
      expect(await report(name)).toMatchObject({ Result: 'stopped' })
      expect(await traces.left()).toEqual([])
    })

    it('waits when others run, says for how many, and begins when its turn has come', async () => {
      if (engine.name !== 'docker') return
      const others = [1, 2, 3, 4].map(number => `${letter}WJ2s4o0QnuNn2iTfyQ4${number}A`)
      const running = others.map(name => build(name, { Source: '/root/slow', BaseImage: 'gear/httpd', Tag: `lab/slow-${name.at(-2)}` }))
      await until('they run', async () => {
        const units = await host.do(['systemctl', 'list-units', '--plain', '--no-legend', ...others.map(unitOf)])
        return units.split('\n').length === 5 || units
      })
      const name = `${letter}WJ2s4o0QnuNn2iTfyQ4wA`
      const body = { Source: '/root/site', BaseImage: 'gear/httpd', Tag: 'lab/queued' }
      const last = build(name, body)
      await until('it is known', async () => (await host.gearDo('builds')).includes(name) || 'it is not')
      expect(await host.gearDo('builds')).toMatch(new RegExp(`^${name} +local +waiting`, 'm'))
      expect(await host.do(['systemctl', 'list-units', '--plain', '--no-legend', unitOf(name)])).toBe('')
      // an agent that is started again knows who waits, though nobody asks
      await host.do(['systemctl', 'restart', 'gear.service'])
      await Promise.all([last, ...running].map(each => each.catch(() => undefined)))
      await host.do(['systemctl', 'stop', ...others.map(unitOf)])
      const units = () => host.do(['systemctl', 'list-units', '--plain', '--no-legend', 'build-*'])
      await until('its turn has come', async () => (await engine.do('images', '-q', 'lab/queued')) !== '' || units())
      expect((await build(name, body)).body).toContain('Built lab/queued')
      await engine.do('rmi', 'lab/queued')
      expect(await traces.left()).toEqual([])
    })

    it('and is killed is told as that, and cleared up', async () => {
      const name = `${letter}WJ2s4o0QnuNn2iTfyQ3cA`
      const answer = build(name, { Source: '/root/slow', BaseImage: 'gear/httpd', Tag: 'lab/slow' })
      await until('it assembles', async () =>
        (await host.gearDo('builds', 'log', name).catch(String)).includes('it goes on') ? true : 'not yet',
      )
      await host.do(['systemctl', 'kill', '--signal=KILL', unitOf(name)])
      expect((await answer).body).toMatch(/Error: Could not build lab\/slow: it was ended before it could finish/)
      expect(await report(name)).toMatchObject({ Result: 'failed', Code: 'BUILD_STOPPED' })
      // Podman may take longer to remove its containers than the agent waits; then the next build has them removed
      const next = await build(`${letter}WJ2s4o0QnuNn2iTfyQ3dA`, { Source: '/root/site', BaseImage: 'gear/httpd', Tag: 'lab/remote' })
      expect(next.body).toContain('Built lab/remote')
      expect(await traces.left()).toEqual([])
    })

    it('has bounds, and nothing of the host and its engines', async () => {
      await host.sh(`mkdir -p /root/bounds/.s2i/bin; cat > /root/bounds/.s2i/bin/assemble`, {
        input: `#!/bin/sh
  ls /var/run/docker.sock /run/docker.sock /run/podman/podman.sock /run/gear 2>/dev/null | sed 's/^/socket /'
  grep -v -E ' /(proc|sys|dev|etc/(hosts|hostname|resolv.conf)|tmp|run/.containerenv|run/secrets)[/ ]| / ' /proc/self/mountinfo | cut -d' ' -f5 | sed 's/^/mounted /'
  ls /sys/class/net | sed 's/^/network /'
  grep CapEff /proc/self/status
  `,
      })
      const said = await host.gearDo('build', '/root/bounds', 'gear/httpd', 'lab/bounds', '--clean', '--network', 'none', '--host', 'local')
      expect(said.match(/^(?:socket|mounted) .*$/gm)).toBe(null)
      expect(said.match(/^network .*$/gm)).toEqual(['network lo'])
      // what a container of gear has, and no right over the host: CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_NET_RAW, CAP_MKNOD, CAP_SYS_PTRACE, CAP_SYS_MODULE
      const rights = BigInt(`0x${/CapEff:\s+([0-9a-f]+)/.exec(said)?.[1]}`)
      for (const right of [21n, 12n, 13n, 27n, 19n, 16n]) expect((rights >> right) & 1n, `capability ${right}`).toBe(0n)
    })

    it('that needs more memory than it may have fails with that', async () => {
      const script = '#!/bin/sh\\nexec dd if=/dev/zero of=/dev/null bs=200M count=1\\n'
      await host.sh(`mkdir -p /root/hungry/.s2i/bin; printf '${script}' > /root/hungry/.s2i/bin/assemble`)
      const outcome = await host.gear('build', '/root/hungry', 'gear/httpd', 'lab/hungry', '--memory', '32m', '--host', 'local')
      expect(outcome.exitCode).toBe(1)
      expect(outcome.stdout + outcome.stderr).toMatch(/need(?:ed)? more than its memory limit of 32 MiB/)
    })
  })
})
