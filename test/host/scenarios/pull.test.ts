/** Pulling: a start fetches what is missing, tells how far it is, and says why when it cannot. The registry is a real one, on the host. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onBothEngines } from '../lab-engine.ts'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const registry = '127.0.0.1:5000'
const badRegistry = '127.0.0.1:5001'
const setting = '/etc/containers/registries.conf.d/lab.conf'

async function untilAnswering(address: string): Promise<void> {
  await until(`${address} answers`, async () =>
    (await host.exec(['curl', '-q', '-s', `http://${address}/v2/`])).exitCode === 0 ? true : 'not yet',
  )
}

beforeAll(async () => {
  const config = `version: 0.1\nstorage: {filesystem: {rootdirectory: /var/lib/lab-registry}}\nhttp: {addr: "${registry}"}\n`
  await host.sh('cat > /run/registry.yml; systemd-run --quiet --unit=registry docker-registry serve /run/registry.yml', { input: config })
  const node = '/usr/lib/gear/bin/node'
  await host.sh(
    `systemd-run --quiet --unit=bad-registry ${node} /usr/src/gear/test/host/bad-registry.ts ${badRegistry.split(':')[1]} ${registry}`,
  )
  // Docker speaks plain HTTP on loopback unasked; podman has to be told.
  await host.sh(`cat > ${setting}`, {
    input: [registry, badRegistry].map(location => `[[registry]]\nlocation = "${location}"\ninsecure = true\n`).join(''),
  })
  for (const address of [registry, badRegistry]) await untilAnswering(address)
  await host.sh(`docker tag gear/httpd ${registry}/shop; docker push -q ${registry}/shop; docker rmi ${registry}/shop`)
  // A layer that no engine has yet.
  await host.sh(
    `docker create --name slow-source gear/httpd; docker export slow-source | docker import --change 'CMD ["/bin/sleep", "1000"]' - ${registry}/slow
     docker rm slow-source; docker push -q ${registry}/slow; docker rmi ${registry}/slow`,
  )
})
afterAll(async () => {
  await host.sh(`systemctl stop registry bad-registry; rm -f ${setting}; sed -i /GEARD_PULL_STALL_SECONDS/d /etc/default/gear`)
})

/** The bound of a pull that does not advance. */
const bound = (seconds: number) =>
  host.sh(`sed -i /GEARD_PULL_STALL_SECONDS/d /etc/default/gear; echo GEARD_PULL_STALL_SECONDS=${seconds} >> /etc/default/gear`)

/** What a pull has in hand, and who pulls. */
const underWay = () =>
  host.sh('ls /var/lib/containers/pulls; pgrep -xa "script|pull-image" || :; pgrep -fa "^(/usr/bin/)?(docker|podman) .*pull " || :')

onBothEngines(host, engine => {
  afterAll(async () => {
    for (const id of ['pulled', 'unpulled', 'refused', 'waiting', 'slow']) await host.gear('delete', '--all', id)
    for (const image of [`${registry}/shop`, `${badRegistry}/slow`]) await host.exec([engine.name, 'rmi', image])
  })

  describe('an image that is not on the host', () => {
    it('is not asked for by an install without a start', async () => {
      await host.gearDo('install', `${registry}/shop`, 'pulled', '-p', '8080:0')
      expect((await host.exec([engine.name, 'image', 'inspect', `${registry}/shop`])).exitCode).not.toBe(0)
    })

    it('is pulled by the start, which --wait tells about', async () => {
      const outcome = await host.gear('start', 'pulled', '--wait')
      expect(outcome.exitCode).toBe(0)
      expect(outcome.stderr).toMatch(/pulling 127\.0\.0\.1:5000\/shop/)
      expect(outcome.stderr).toMatch(engine.name === 'docker' ? /Status: Downloaded newer image/ : /Writing manifest to image destination/)
      await host.untilPage(await host.port('pulled'), 'It works: gear')
      const { ImageDigest } = JSON.parse(
        (await host.api('GET', '/container/pulled/status', { headers: ['Accept: application/json'] })).body,
      ) as { ImageDigest?: string }
      expect(ImageDigest).toMatch(/^127\.0\.0\.1:5000\/shop@sha256:[0-9a-f]{64}$/)
    })

    it('and not in the registry either is named, with what to do', async () => {
      const outcome = await host.gear('install', `${registry}/nothing`, 'unpulled', '--restart', 'no', '--start', '--wait')
      expect(outcome.exitCode).toBe(1)
      expect(outcome.stderr).toMatch(/the image 127\.0\.0\.1:5000\/nothing is neither on this host nor in its registry/)
    })
  })

  describe('a registry', () => {
    const refusals: readonly (readonly [string, RegExp])[] = [
      ['unauthorized', /could not be pulled: .*(unauthorized|authentication required)/i],
      ['wrong', /could not be pulled: .*(verification failed|digest did not match|does not match)/i],
      ['busy', /could not be pulled, because its registry refuses more requests for now: .*too ?many ?requests.*Log in/i],
      // Docker tries it again for 75 s, which is longer than the bound of this story.
      [
        'truncated',
        engine.name === 'docker' ? /could not be pulled: .*the last was: .*Retrying in/ : /could not be pulled: .*unexpected EOF/i,
      ],
    ]
    it.each(refusals)('that is %s fails the start with what it said', async (image, said) => {
      await bound(image === 'truncated' ? 3 : 20)
      const outcome = await host.gear('install', `${badRegistry}/${image}`, 'refused', '--restart', 'no', '--start', '--wait')
      expect(outcome.exitCode).toBe(1)
      expect(outcome.stderr).toMatch(said)
      expect(await host.activeState('refused')).toBe('failed')
    })

    it.each(['mute', 'silent', 'trickle'])(
      'of which nothing comes any more (%s) fails the start with that, and nothing goes on',
      async image => {
        await bound(3)
        const outcome = await host.gear('install', `${badRegistry}/${image}`, 'refused', '--restart', 'no', '--start', '--wait')
        expect(outcome.exitCode).toBe(1)
        expect(outcome.stderr).toMatch(/could not be pulled: next to nothing has come for \d+ s.*GEARD_PULL_STALL_SECONDS/)
        expect(await underWay()).toBe('')
      },
    )

    it('that is slow is waited for as long as it advances', async () => {
      await bound(3)
      await host.gearDo('install', `${badRegistry}/slow`, 'slow', '--restart', 'no', '--start', '--wait')
      expect(await host.activeState('slow')).toBe('active')
    })

    it('that never ends its answer does not hold up a stop', async () => {
      await bound(300)
      await host.gearDo('install', `${badRegistry}/silent`, 'waiting', '--restart', 'no', '--start')
      await until('it pulls', async () => ((await host.gearDo('log', 'waiting')).includes('pulling') ? true : 'not yet'))
      await host.gearDo('stop', 'waiting')
      await host.untilState('waiting', 'inactive')
      expect(await underWay()).toBe('')
      expect(await engine.containers('waiting')).toEqual([])
    })
  })
})
