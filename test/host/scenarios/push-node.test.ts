/**
 * A Node application whose dependencies come from the real npm registry, built and deployed by pushing it. What is taken over from the last build is
 * seen at the registry: it is not asked for it again.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onBothEngines } from '../lab-engine.ts'
import { LabHost, type Outcome } from '../lab-host.ts'
import { fixturesOnHost, makeNodeBuilder } from '../node-builder.ts'
import { type NpmRelay, openNpmRelay } from '../npm-relay.ts'
import { makePusher, type Pusher } from '../pusher.ts'

const host = new LabHost('web1')
const id = 'web-app-src'
const container = 'web-app'
let registry: NpmRelay

beforeAll(async () => {
  registry = await openNpmRelay(host)
})
afterAll(() => registry[Symbol.asyncDispose]())

onBothEngines(host, engine => {
  let pusher: Pusher
  let port = 0

  beforeAll(async () => {
    await makeNodeBuilder(host, engine.name, 'lab/push-builder')
    await host.gearDo('create-repo', id, '--build', 'lab/push-builder', '--tag', 'lab/web-app', '--restart', container)
    pusher = await makePusher(host, id, '/root/push-node')
    await host.sh(`cp -R ${fixturesOnHost}/web-app/. ${pusher.folder}; mkdir ${pusher.folder}/.s2i
      echo NPM_CONFIG_REGISTRY=${registry.url} > ${pusher.folder}/.s2i/environment`)
    registry.asked()
  })
  afterAll(async () => {
    await host.gear('delete-repo', id)
    await host.gear('delete', '--all', container)
    await engine.do('rmi', '-f', 'lab/web-app', 'lab/push-builder')
    await host.sh('rm -rf /root/push-node')
  })

  const push = async (title: string, change = ''): Promise<Outcome> => {
    await host.sh(`cd ${pusher.folder}; echo '${title}' > title; ${change}`)
    return pusher.push(title)
  }
  const pages = (paths: readonly string[]) => paths.filter(path => path.endsWith('.tgz'))

  describe('the first push', () => {
    it('installs all that the lock file names, before the eyes of the one who pushes', async () => {
      const locked = await host.sh(`grep -c '"resolved"' ${pusher.folder}/package-lock.json`)
      const { exitCode, stderr } = await push('The first version')
      expect(exitCode, stderr).toBe(0)
      expect(stderr).toMatch(/^remote: v26\.\d+\.\d+, as 1001/m)
      expect(stderr).toMatch(new RegExp(`^remote: added ${Number(locked)} packages in `, 'm'))
      expect(stderr).toContain(`There is no container ${container} yet: gear install lab/web-app ${container} --start`)
      expect(pages(registry.asked())).toHaveLength(Number(locked))
    })

    it('gives an image that is installed and serves', async () => {
      await host.gearDo('install', 'lab/web-app', container, '--start', '--wait', '-p', '8080:0')
      port = await host.port(container)
      await host.untilPage(port, 'The-first-version on Node v26')
    })
  })

  describe('the next push', () => {
    it('takes the dependencies over: the registry is asked for nothing', async () => {
      const { stderr } = await push('The second version')
      expect(stderr).toContain('remote: Saving artifacts of lab/web-app')
      expect(stderr).toMatch(/^remote: up to date in /m)
      expect(stderr).toMatch(/^remote: \w{10} runs as web-app/m)
      expect(registry.asked()).toEqual([])
      await host.untilPage(port, 'The-second-version')
      expect(await host.port(container)).toBe(port)
    })
  })

  describe('a push that cannot be built', () => {
    it('shows what npm says of a dependency that there is not, and leaves the last version running', async () => {
      const [pid, image] = [await engine.pid(container), await engine.do('image', 'inspect', '-f', '{{.Id}}', 'lab/web-app')]
      const { exitCode, stderr } = await push('The third version', `sed -i 's/"koa": "[^"]*"/"koa": "0.0.0-none"/' package.json`)
      // git has taken it
      expect(exitCode).toBe(0)
      expect(stderr).toMatch(/^remote: npm error notarget No matching version found for koa@0\.0\.0-none/m)
      expect(stderr).toMatch(/^remote: Error: .*assemble ended with exit code 1.*\[BUILD_FAILED\]/m)
      expect(await host.page(port)).toContain('The-second-version')
      expect(await engine.pid(container)).toBe(pid)
      expect(await engine.do('image', 'inspect', '-f', '{{.Id}}', 'lab/web-app')).toBe(image)
    })
  })

  // npm has no word of the engine
  if (engine.name !== 'docker') return

  describe('the push after that', () => {
    it('is built again', async () => {
      const { stderr } = await push('The fourth version', 'git checkout -q HEAD~1 -- package.json')
      expect(stderr).toMatch(/^remote: \w{10} runs as web-app/m)
      await host.untilPage(port, 'The-fourth-version')
    })

    it('fetches what is new, and nothing else', async () => {
      const npm = `npm_config_registry=${registry.url} npm install --package-lock-only --omit-lockfile-registry-resolved=false`
      const { stderr } = await push(
        'The fifth version',
        `${npm} --silent --save-exact isarray@2.0.5; curl -q -s ${registry.url}mark >/dev/null`,
      )
      const asked = registry.asked()
      expect(asked.slice(asked.indexOf('/mark') + 1)).toEqual(['/isarray/-/isarray-2.0.5.tgz'])
      expect(stderr).toMatch(/^remote: added 1 package in /m)
      await host.untilPage(port, 'The-fifth-version')
    })
  })
})
