/** Pulling: a start fetches what is missing, tells how far it is, and says why when it cannot. The registry is a real one, on the host. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const registry = '127.0.0.1:5000'

beforeAll(async () => {
  const config = 'version: 0.1\nstorage: {filesystem: {rootdirectory: /var/lib/lab-registry}}\nhttp: {addr: "127.0.0.1:5000"}\n'
  await host.sh('cat > /run/registry.yml; systemd-run --quiet --unit=registry docker-registry serve /run/registry.yml', { input: config })
  await until('the registry answers', async () =>
    (await host.exec(['curl', '-q', '-s', `http://${registry}/v2/`])).exitCode === 0 ? true : 'not yet',
  )
  await host.sh(`docker tag gear/httpd ${registry}/shop; docker push -q ${registry}/shop; docker rmi ${registry}/shop`)
})
afterAll(async () => {
  for (const id of ['pulled', 'unpulled']) await host.gear('delete', '--all', id)
  await host.sh(`systemctl stop registry; docker rmi ${registry}/shop`)
})

describe('an image that is not on the host', () => {
  it('is not asked for by an install without a start', async () => {
    await host.gearDo('install', `${registry}/shop`, 'pulled', '-p', '8080:0')
    expect((await host.exec(['docker', 'image', 'inspect', `${registry}/shop`])).exitCode).not.toBe(0)
  })

  it('is pulled by the start, which --wait tells about', async () => {
    const outcome = await host.gear('start', 'pulled', '--wait')
    expect(outcome.exitCode).toBe(0)
    expect(outcome.stderr).toMatch(/pulling 127\.0\.0\.1:5000\/shop/)
    expect(outcome.stderr).toMatch(/Status: Downloaded newer image/)
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
