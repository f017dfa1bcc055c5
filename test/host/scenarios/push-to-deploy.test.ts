/** Push to deploy on a real host: a push builds, and the container serves what was pushed; a build that fails changes nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onBothEngines } from '../lab-engine.ts'
import { LabHost, until } from '../lab-host.ts'
import { makePushedSite, type PushedSite } from '../pushed-site.ts'

const host = new LabHost('web1')
const work = '/root/deploy-work'
const id = 'site-src'
let site: PushedSite
let port = 0

onBothEngines(host, engine => {
  const imageId = () => host.sh(`${engine.name} image inspect -f "{{.Id}}" gear/site 2>/dev/null || echo none`)

  beforeAll(async () => {
    await host.gearDo('create-repo', id, '--build', 'gear/httpd', '--tag', 'gear/site', '--restart', 'site')
    site = await makePushedSite(host, id, work)
  })

  afterAll(async () => {
    await host.gear('delete-repo', id)
    await host.gear('delete', '--all', 'site')
    await engine.do('rmi', '-f', 'gear/site')
    await host.sh(`rm -rf ${work}`)
  })

  describe('a push', () => {
    it('builds the image, shows the build to the pusher, and says how to install it the first time', async () => {
      const { exitCode, stderr } = await site.pushPage('version one')
      expect(exitCode).toBe(0)
      expect(stderr).toMatch(/^remote: assembling version one/m)
      expect(stderr).toContain('There is no container site yet: gear install gear/site site --start')
      await host.gearDo('install', 'gear/site', 'site', '--start', '--wait', '-p', '8080:0')
      port = await host.port('site')
      await host.untilPage(port, 'version one')
    })

    it('builds and restarts the container, on the same port', async () => {
      const { exitCode, stderr } = await site.pushPage('version two')
      expect(exitCode).toBe(0)
      expect(stderr).toMatch(/^remote: \w{10} runs as site/m)
      await host.untilPage(port, 'version two')
      expect(await host.port('site')).toBe(port)
    })

    it('to another branch builds nothing', async () => {
      const { stderr } = await site.run('git push origin main:refs/heads/topic')
      expect(stderr).toContain('remote: Only pushes to main are built.')
      expect(stderr).not.toContain('assembling')
    })

    it('that does not build is told why, and leaves the container and its image as they are', async () => {
      const before = await imageId()
      const pid = await engine.pid('site')
      const { exitCode, stderr } = await site.pushPage('version three', 'touch broken;')
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
      const { stderr } = await site.pushPage('version four', 'rm broken; git rm -q --cached broken;')
      expect(stderr).toMatch(/^remote: \w{10} runs as site/m)
      await host.untilPage(port, 'version four')
    })
  })

  describe('two pushes at once', () => {
    it('are deployed one after the other, and the last one stays', async () => {
      const first = site.pushPage('version five, slowly')
      await site.untilBuilding()
      const second = await site.pushPage('version six')
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
      const pushing = site.pushPage('version eight, slowly', 'echo $$ > ../pushing;')
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
      const pushing = site.pushPage('version seven')
      await site.untilBuilding()
      await host.do(['systemctl', 'kill', '--signal=KILL', 'gear.service'])
      const { exitCode, stderr } = await pushing
      expect(exitCode).toBe(0)
      expect(stderr).toMatch(/^remote: \w{10} runs as site/m)
      await host.untilPage(port, 'version seven')
    })
  })

  describe('what is pushed', () => {
    it('may be large: 50 MB come whole', async () => {
      const pushed = await site.pushPage('version large', 'head -c 52428800 /dev/urandom > large; sha256sum < large > ../sum;')
      const sum = (await host.do(['cat', `${work}/sum`])).slice(0, 64)
      expect(pushed.stderr).toContain(sum)
      await host.untilPage(port, 'version large')
      await site.run('git rm -q large')
    })

    it('is files and nothing else: no submodule is fetched, no filter and no hook is run, LFS pointers stay what they are', async () => {
      const tell = `printf '#!/bin/sh\\ncd /tmp/src; ls -A module; cat pointer .githooks/post-checkout; cp index.html /www/\\n' > .s2i/bin/assemble`
      const { stderr } = await site.pushPage(
        'version of files',
        `cp .s2i/bin/assemble ../assemble; ${tell}; mkdir .githooks; echo 'touch /tmp/owned' > .githooks/post-checkout
         printf '* filter=owned\\npointer filter=lfs\\n' > .gitattributes; printf 'version https://git-lfs.github.com/spec/v1\\n' > pointer
         printf '[submodule "module"]\\n\\tpath = module\\n\\turl = http://127.0.0.1:43273/x\\n' > .gitmodules
         git update-index --add --cacheinfo 160000,${'1'.repeat(40)},module; mkdir -p module;`,
      )
      expect(stderr).toMatch(/^remote: version https:\/\/git-lfs/m)
      expect(stderr).toMatch(/^remote: touch \/tmp\/owned/m)
      await host.untilPage(port, 'version of files')
      expect((await host.exec(['test', '-e', '/tmp/owned'])).exitCode).toBe(1)
      await site.run(
        'cp ../assemble .s2i/bin/assemble; git rm -rq --cached .gitattributes .gitmodules .githooks module pointer; rm -r .gitattributes .gitmodules .githooks module pointer',
      )
    })

    it('reaches no file of the host, neither as a link in the source nor as a link in place of the scripts', async () => {
      await host.sh(`echo a-secret-of-root > ${work}/secret; mkdir ${work}/scripts; chmod 700 ${work}
        printf '#!/bin/sh\\necho a script of the host\\n' > ${work}/scripts/assemble; chmod 755 ${work}/scripts/assemble`)
      const leak = `printf '#!/bin/sh\\nls -l /tmp/src; cat /tmp/src/leak /tmp/src/folder/secret; true\\n' > .s2i/bin/assemble; ln -s ${work}/secret leak; ln -s ${work} folder;`
      const linked = await site.pushPage('version nine', leak)
      expect(linked.stderr).toContain(`leak -> ${work}/secret`)
      expect(linked.stderr).not.toContain('a-secret-of-root')
      const scripts = await site.pushPage('version ten', `rm -r .s2i/bin; ln -s ${work}/scripts .s2i/bin;`)
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
