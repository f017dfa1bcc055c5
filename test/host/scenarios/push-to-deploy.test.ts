/** Push to deploy on a real host: a push builds, and the container serves what was pushed; a build that fails changes nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onBothEngines } from '../lab-engine.ts'
import { LabHost, type Outcome, until } from '../lab-host.ts'

const host = new LabHost('web1')
const work = '/root/deploy-work'
const id = 'site-src'
const ssh = `ssh -i ${work}/key -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`
let port = 0

/** A line of shell in one of two clones, as somebody who may push. */
const inClone = (clone: string, line: string): Promise<Outcome> =>
  host.exec([
    '/usr/bin/env',
    '-i',
    'PATH=/usr/bin:/bin',
    `HOME=${work}`,
    `GIT_SSH_COMMAND=${ssh}`,
    'GIT_AUTHOR_NAME=n',
    'GIT_AUTHOR_EMAIL=n@example',
    'GIT_COMMITTER_NAME=n',
    'GIT_COMMITTER_EMAIL=n@example',
    '/bin/sh',
    '-euc',
    `cd ${work}/${clone}; ${line}`,
  ])

/** Changes the page and pushes; what the pusher saw. */
async function push(page: string, more = ''): Promise<Outcome> {
  return inClone('site', `${more} echo '${page}' > index.html; git add .; git commit -q -m '${page}'; git push origin main`)
}

onBothEngines(host, engine => {
  const imageId = () => host.sh(`${engine.name} image inspect -f "{{.Id}}" gear/site 2>/dev/null || echo none`)

  beforeAll(async () => {
    await host.sh(`rm -rf ${work}; mkdir -p ${work}/site/.s2i/bin; ssh-keygen -q -t ed25519 -N "" -f ${work}/key; cd ${work}/site; git init -q -b main
      printf '#!/bin/sh\\necho assembling $(cat /tmp/src/index.html)\\ncp /tmp/src/index.html /www/index.html\\n[ ! -e /tmp/src/broken ] || { echo "cannot find module left-pad"; exit 3; }\\ncase "$(cat /tmp/src/index.html)" in *slowly) sleep 4 ;; esac\\n[ ! -e /tmp/src/large ] || sha256sum /tmp/src/large\\n' > .s2i/bin/assemble
      printf '#!/bin/sh\\nexec /app/serve\\n' > .s2i/bin/run
      chmod 755 .s2i/bin/*; git remote add origin git-${id}@localhost:~`)
    await host.gearDo('create-repo', id, '--build', 'gear/httpd', '--tag', 'gear/site', '--restart', 'site')
    await host.gearDo('add-keys', `repo://${id}`, '--write', '--key-file', `${work}/key.pub`)
  })

  afterAll(async () => {
    await host.gear('delete-repo', id)
    await host.gear('delete', '--all', 'site')
    await engine.do('rmi', '-f', 'gear/site')
    await host.sh(`rm -rf ${work}`)
  })

  describe('a push', () => {
    it('builds the image, shows the build to the pusher, and says how to install it the first time', async () => {
      const { exitCode, stderr } = await push('version one')
      expect(exitCode).toBe(0)
      expect(stderr).toMatch(/^remote: assembling version one/m)
      expect(stderr).toContain('There is no container site yet: gear install gear/site site --start')
      await host.gearDo('install', 'gear/site', 'site', '--start', '--wait', '-p', '8080:0')
      port = await host.port('site')
      await host.untilPage(port, 'version one')
    })

    it('builds and restarts the container, on the same port', async () => {
      const { exitCode, stderr } = await push('version two')
      expect(exitCode).toBe(0)
      expect(stderr).toMatch(/^remote: \w{10} runs as site/m)
      await host.untilPage(port, 'version two')
      expect(await host.port('site')).toBe(port)
    })

    it('to another branch builds nothing', async () => {
      const { stderr } = await inClone('site', 'git push origin main:refs/heads/topic')
      expect(stderr).toContain('remote: Only pushes to main are built.')
      expect(stderr).not.toContain('assembling')
    })

    it('that does not build is told why, and leaves the container and its image as they are', async () => {
      const before = await imageId()
      const pid = await engine.pid('site')
      const { exitCode, stderr } = await push('version three', 'touch broken;')
      expect(exitCode).toBe(0)
      expect(stderr).toMatch(/^remote: .*cannot find module left-pad/m)
      expect(stderr).toMatch(/^remote: Error: .*BUILD_FAILED/m)
      expect(await host.page(port)).toContain('version two')
      expect(await engine.pid('site')).toBe(pid)
      expect(await imageId()).toBe(before)
      expect((await host.gear('deploy-repo', id)).exitCode).toBe(1)
    })

    it('takes over a container that was installed with another image', async () => {
      await host.gearDo('install', 'gear/httpd', 'site', '--start', '-p', '8080:0')
      await host.gearDo('restart', 'site', '--wait')
      const { stderr } = await push('version four', 'rm broken; git rm -q --cached broken;')
      expect(stderr).toMatch(/^remote: \w{10} runs as site/m)
      await host.untilPage(port, 'version four')
    })
  })

  describe('two pushes at once', () => {
    it('are deployed one after the other, and the last one stays', async () => {
      const first = push('version five, slowly')
      await until('the first is being built', async () =>
        (await host.sh('systemctl list-units --plain --no-legend "build-*"')) === '' ? 'it is not' : true,
      )
      const second = await push('version six')
      expect((await first).stderr).toContain('assembling version five, slowly')
      expect(second.stderr).toContain('Waiting for the build of pushes before this one')
      expect(second.stderr).toContain('assembling version six')
      await host.untilPage(port, 'version six')
    })
  })

  describe('an agent that is killed together with the one who pushes', () => {
    const builds = async () => (await host.gearDo('builds')).split('\n').filter(line => line.includes('gear/site'))

    it('leaves a deployment to the next one, who takes up the build', async () => {
      const before = (await builds()).length
      const pushing = push('version eight, slowly', 'echo $$ > ../pushing;')
      await until('it is assembled', async () => {
        const running = (await builds()).find(line => / running /.test(line))?.split(' ')[0]
        if (running === undefined) return 'it is not being built'
        return (await host.gearDo('builds', 'log', running)).includes('assembling version eight') || 'it does not assemble yet'
      })
      await host.sh(`pkill --signal KILL --parent $(cat ${work}/pushing); systemctl kill --signal=KILL gear.service`)
      expect((await pushing).exitCode).not.toBe(0)
      await host.untilPage(port, 'version eight, slowly')
      expect((await builds()).length).toBe(before + 1)
      await until('nothing is left to be taken up', async () => {
        const left = await host.sh('ls -A /var/lib/containers/git | grep "^\\.deploys" || :')
        return left === '' || left
      })
    })
  })

  // what follows does not depend on the engine
  if (engine.name !== 'docker') return

  describe('an agent that is killed', () => {
    it('in the middle of a deployment does not keep what was pushed from being deployed', async () => {
      const pushing = push('version seven')
      await until('it is being built', async () =>
        (await host.sh('systemctl list-units --plain --no-legend "build-*"')) === '' ? 'it is not' : true,
      )
      await host.do(['systemctl', 'kill', '--signal=KILL', 'gear.service'])
      const { exitCode, stderr } = await pushing
      expect(exitCode).toBe(0)
      expect(stderr).toMatch(/^remote: \w{10} runs as site/m)
      await host.untilPage(port, 'version seven')
    })
  })

  describe('what is pushed', () => {
    it('may be large: 50 MB come whole', async () => {
      const pushed = await push('version large', 'head -c 52428800 /dev/urandom > large; sha256sum < large > ../sum;')
      const sum = (await host.do(['cat', `${work}/sum`])).slice(0, 64)
      expect(pushed.stderr).toContain(sum)
      await host.untilPage(port, 'version large')
      await inClone('site', 'git rm -q large')
    })

    it('reaches no file of the host, neither as a link in the source nor as a link in place of the scripts', async () => {
      await host.sh(`echo a-secret-of-root > ${work}/secret; mkdir ${work}/scripts; chmod 700 ${work}
        printf '#!/bin/sh\\necho a script of the host\\n' > ${work}/scripts/assemble; chmod 755 ${work}/scripts/assemble`)
      const leak = `printf '#!/bin/sh\\nls -l /tmp/src; cat /tmp/src/leak /tmp/src/folder/secret; true\\n' > .s2i/bin/assemble; ln -s ${work}/secret leak; ln -s ${work} folder;`
      const linked = await push('version nine', leak)
      expect(linked.stderr).toContain(`leak -> ${work}/secret`)
      expect(linked.stderr).not.toContain('a-secret-of-root')
      const scripts = await push('version ten', `rm -r .s2i/bin; ln -s ${work}/scripts .s2i/bin;`)
      expect(scripts.stderr).toContain('BUILD_SCRIPT_MISSING')
      expect(scripts.stderr).not.toContain('a script of the host')
    })
  })

  describe('the account of a repository', () => {
    const asAccount = (...command: readonly string[]) => host.exec(['runuser', '-u', `git-${id}`, '--', ...command])

    it('may have its own repository built, and nothing else', async () => {
      for (const command of [
        ['sudo', '-n', '/bin/sh'],
        ['sudo', '-n', '/usr/bin/gear', 'deploy-repo', id],
        ['sudo', '-n', '/usr/lib/gear/libexec/git-deploy', 'otherrepo'],
        ['sudo', '-n', '/usr/lib/gear/libexec/container-login'],
        ['gear', 'deploy-repo', id],
        ['curl', '-q', '-sf', 'http://127.0.0.1:43273/containers'],
      ]) {
        expect((await asAccount(...command)).exitCode, command.join(' ')).not.toBe(0)
      }
      expect((await host.exec(['runuser', '-u', 'nobody', '--', 'sudo', '-n', '/usr/lib/gear/libexec/git-deploy'])).stderr).toContain(
        'this account is not that of a repository',
      )
    })

    it('can not change what becomes of a push', async () => {
      const file = `/var/lib/containers/git-home/${id.slice(0, 2)}/${id}/build.json`
      expect((await asAccount('/bin/sh', '-c', `echo '{}' > ${file}`)).exitCode).not.toBe(0)
      expect((await asAccount('rm', '-f', file)).exitCode).not.toBe(0)
      expect(await host.do(['cat', file])).toContain('"restart": "site"')
    })
  })
})
