/** Engines that fail after they have done what was asked, for real: a start is told so, leaves no container behind, and the next one converges. */
import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { onBothEngines } from '../lab-engine.ts'
import { LabHost } from '../lab-host.ts'

const host = new LabHost('web1')

/** A doorman before docker's socket; for podman a program in its place. What matches is done, and called a failure. */
const betray = {
  docker: async (pattern: string) => {
    const doorman = await readFile(new URL('../fixtures/doorman.cjs', import.meta.url), 'utf8')
    await host.do(['sh', '-c', 'cat > /tmp/doorman.cjs'], { input: doorman })
    await host.sh(`mv /run/docker.sock /run/docker-engine.sock
      systemd-run --quiet --unit=doorman /usr/lib/gear/bin/node /tmp/doorman.cjs /run/docker.sock /run/docker-engine.sock '${pattern}'
      until docker version > /dev/null 2>&1; do sleep 0.1; done`)
  },
  podman: async (pattern: string) => {
    const traitor = `#!/bin/sh\ncase "$*" in ${pattern}) /usr/bin/podman.real "$@" > /dev/null; echo 'Error: the doorman says no' >&2; exit 125 ;; esac\nexec /usr/bin/podman.real "$@"\n`
    await host.do(['sh', '-c', 'cat > /tmp/traitor; chmod 755 /tmp/traitor'], { input: traitor })
    await host.sh('cp /usr/bin/podman /usr/bin/podman.real; mount --bind /tmp/traitor /usr/bin/podman')
  },
}

const mend = {
  docker: 'systemctl stop doorman; mv /run/docker-engine.sock /run/docker.sock; rm /tmp/doorman.cjs',
  podman: 'umount /usr/bin/podman; rm /usr/bin/podman.real /tmp/traitor',
}

const patterns = {
  docker: ['^POST .*/containers/create', '^POST .*/containers/[0-9a-f]+/start'],
  podman: ["*' run -d '*"],
}

onBothEngines(host, engine => {
  afterEach(async () => {
    await host.gear('delete', '--all', 'betrayed')
  })

  describe('an engine that fails after it has done it', () => {
    it.each(patterns[engine.name])('%s, is quoted, and the next start converges', async pattern => {
      if (engine.name === 'podman') await host.sh('docker save gear/httpd | podman load --quiet')
      await betray[engine.name](pattern)
      try {
        const outcome = await host.gear('install', 'gear/httpd', 'betrayed', '--start', '--wait', '--restart', 'no', '-p', '8080:0')
        expect(outcome).toMatchObject({
          exitCode: 1,
          stderr: expect.stringMatching(/refused to start it: .*the doorman says no.*START_FAILED/s),
        })
        expect(await engine.containers('betrayed')).toEqual([])
        // Again, so that what is left of the first one would be met.
        expect((await host.gear('start', 'betrayed', '--wait')).stderr).toContain('the doorman says no')
      } finally {
        await host.sh(mend[engine.name])
      }
      await host.gearDo('start', 'betrayed', '--wait')
      expect(await engine.containers('betrayed')).toHaveLength(1)
      await host.untilPage(await host.port('betrayed'), 'It works')
    })
  })
})
