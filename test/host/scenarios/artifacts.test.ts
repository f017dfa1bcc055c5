/**
 * What an earlier build left is taken over by scripts that anybody wrote: ones that fail on their way, print what is no tar, print a tar that leads
 * elsewhere, or do not end. The host and the last image stay as they were.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BuildTraces } from '../build-traces.ts'
import { onBothEngines } from '../lab-engine.ts'
import { LabHost, type Outcome, until } from '../lab-host.ts'

const host = new LabHost('web1')
const source = '/root/shelf'
const tars = `${source}/.s2i/bin`

/** Tars as no builder makes them: out of the folder by name, from the root, through a link, and broken off. */
beforeAll(async () => {
  await host.sh(`mkdir -p ${tars} /root/tars/out; cd /root/tars; echo owned > gear-owned; cp gear-owned out/; ln -s /etc link
    tar --create --absolute-names --transform 's,^,../../../../../../etc/,' --file ${tars}/upwards.tar gear-owned
    tar --create --absolute-names --transform 's,^,/etc/,' --file ${tars}/absolute.tar gear-owned
    tar --create --transform 's,^link,out,' --file ${tars}/linked.tar link
    tar --append --file ${tars}/linked.tar out/gear-owned
    head -c 20000 /dev/zero > zeros; tar --create zeros | head -c 9000 > ${tars}/broken.tar
    printf '#!/bin/sh\\nmkdir -p /shelf; ls -A /tmp/artifacts; mv /tmp/artifacts/* /shelf 2>/dev/null; echo kept > /shelf/kept\\n' > ${tars}/assemble
    printf '#!/bin/sh\\nexec sleep 600\\n' > ${tars}/run`)
})
afterAll(async () => {
  await host.sh('rm -rf /root/shelf /root/tars /run/shelf.*')
})

onBothEngines(host, engine => {
  const gear = ['env', `GEARD_ENGINE=${engine.name}`, 'gear', 'build', source, 'gear/httpd', 'lab/shelf', '--network', 'none']
  const traces = new BuildTraces(host, engine.name)
  const saving = (script: string) => host.sh(`cat > ${tars}/save-artifacts`, { input: `#!/bin/sh\n${script}\n` })
  const image = () => engine.do('image', 'inspect', '-f', '{{.Id}}', 'lab/shelf')
  const build = async (script: string): Promise<Outcome> => {
    await saving(script)
    return host.exec(gear)
  }
  const expectNothingLeft = async (): Promise<void> => {
    expect(await traces.left()).toEqual([])
    expect((await host.exec(['ls', '/etc/gear-owned', '/gear-owned'])).stdout).toBe('')
  }

  beforeAll(async () => {
    await traces.begin()
    if (engine.name === 'podman') await host.sh('podman load --quiet --input /usr/share/gear-lab/images.tar > /dev/null')
    await saving('exit 0')
    await host.do([...gear, '--clean'])
  })
  afterAll(() => engine.do('rmi', '-f', 'lab/shelf'))

  it('a script that fails after it has printed a tar fails the build', async () => {
    const before = await image()
    const { exitCode, stderr } = await build('tar -C /shelf -cf - kept; exit 3')
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('save-artifacts ended with exit code 3 [BUILD_FAILED]')])
    expect(await image()).toBe(before)
    await expectNothingLeft()
  })

  it('a tar that breaks off fails the build', async () => {
    const before = await image()
    const { exitCode, stderr } = await build('cat /tmp/src/.s2i/bin/broken.tar')
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/unexpected EOF.*\[ENGINE_FAILED\]/s)])
    expect(await image()).toBe(before)
    await expectNothingLeft()
  })

  it('words are shown, and nothing is taken over', async () => {
    const { exitCode, stdout } = await build('echo there is nothing to keep')
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringMatching(/Saving artifacts of lab\/shelf\nthere is nothing to keep\nAssembling\nCommitting/),
    ])
  })

  it('a tar is taken over', async () => {
    const { exitCode, stdout } = await build('tar -C /shelf -cf - kept')
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/Assembling\nkept\nCommitting/)])
  })

  it('a tar with megabytes of padding behind it is taken over', async () => {
    const { exitCode, stdout } = await build('tar -C /shelf -cf - kept; head -c 3000000 /dev/zero')
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/Assembling\nkept\nCommitting/)])
  })

  it.each(['upwards', 'absolute', 'linked'])('a tar that leads %s reaches no file of the host', async name => {
    await build(`cat /tmp/src/.s2i/bin/${name}.tar`)
    await expectNothingLeft()
  })

  describe('a script that does not end', () => {
    const begin = async (): Promise<void> => {
      await saving('echo it goes on >&2; exec sleep 600')
      await host.sh(`${gear.join(' ')} > /run/shelf.log 2>&1 & echo $! > /run/shelf.pid`)
      await until('it saves', async () => ((await host.sh('cat /run/shelf.log')).includes('it goes on') ? true : 'not yet'))
    }

    it('is ended with its build', async () => {
      await begin()
      await host.sh('kill -TERM $(cat /run/shelf.pid)')
      await until('it has ended', async () =>
        (await host.exec(['sh', '-c', 'kill -0 $(cat /run/shelf.pid)'])).exitCode === 0 ? 'not yet' : true,
      )
      await expectNothingLeft()
    })

    it('is cleared up by the next build when its own was killed', async () => {
      await begin()
      await host.sh('kill -KILL $(cat /run/shelf.pid)')
      expect(await traces.left()).toContainEqual(expect.stringMatching(/^container gear-build-.*-save$/))
      expect((await build('tar -C /shelf -cf - kept')).exitCode).toBe(0)
      await expectNothingLeft()
    })
  })

  describe('whoever is killed while artifacts are saved:', () => {
    const letter = engine.name === 'docker' ? 'z' : 'y'
    const unitOf = (name: string) => `build-${Buffer.from(name, 'latin1').toString('base64url')}.service`
    const begin = async (name: string) => {
      await saving('tar -C /shelf -cf - kept; echo it goes on >&2; trap "exit 143" TERM; sleep 6 & wait $!')
      const headers = ['Accept: application/json;stream=true', `X-Request-Id: ${name}`]
      const ask = () =>
        host.api('POST', '/build-image', {
          headers,
          body: JSON.stringify({ Source: source, BaseImage: 'gear/httpd', Tag: 'lab/shelf', Network: 'none' }),
        })
      const answer = ask()
      answer.catch(() => undefined)
      await until('it saves', async () =>
        (await host.gearDo('builds', 'log', name).catch(String)).includes('it goes on') ? true : 'not yet',
      )
      return { answer, ask }
    }

    it('the agent. The build goes on, and is found by who asks again', async () => {
      const { answer, ask } = await begin(`${letter}WJ2s4o0QnuNn2iTfyQ5AA`)
      await host.do(['systemctl', 'kill', '--signal=KILL', 'gear.service'])
      await answer.catch(() => undefined)
      await host.untilAgentIsUp()
      expect((await ask()).body).toMatch(/it goes on\nAssembling\nkept\n[\s\S]*Built lab\/shelf/)
      await expectNothingLeft()
    })

    it('its unit. The build has failed, and the next one works', async () => {
      const name = `${letter}WJ2s4o0QnuNn2iTfyQ5BA`
      const { answer } = await begin(name)
      await host.do(['systemctl', 'kill', '--signal=KILL', unitOf(name)])
      expect((await answer).body).toMatch(/Could not build lab\/shelf: it was ended before it could finish/)
      // a container whose conmon was killed with the unit takes Podman longer than the agent waits: the next build has it removed
      expect((await build('tar -C /shelf -cf - kept')).exitCode).toBe(0)
      await expectNothingLeft()
    })

    it('the engine with its containers. The build has failed and says so, and the next one works', async () => {
      const before = await image()
      const { answer } = await begin(`${letter}WJ2s4o0QnuNn2iTfyQ5CA`)
      if (engine.name === 'docker') await host.do(['systemctl', 'restart', 'docker.service'])
      else await host.sh("podman kill $(podman ps -q --filter 'name=gear-build-.*-save')")
      // Docker asks its containers to end first
      const words =
        engine.name === 'docker' ? /exit code 143|container engine does not answer/ : /exit code 137, .*its engine was restarted/
      expect((await answer).body).toMatch(/Could not build lab\/shelf: /)
      expect((await answer).body).toMatch(words)
      expect(await image()).toBe(before)
      await until('nothing is left', async () => (await traces.left()).length === 0 || 'something is')
      expect((await build('tar -C /shelf -cf - kept')).exitCode).toBe(0)
    })
  })
})
