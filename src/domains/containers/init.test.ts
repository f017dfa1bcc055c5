import { describe, expect, it } from 'vitest'
import type { ContainerId, ImageName } from '../../api/index.ts'
import { fakeHost } from '../../host/fakes.ts'
import { codeOfFailure } from '../../host/suites.ts'
import { containerPaths } from '../layout/index.ts'
import { initContainer } from './init.ts'

const id = 'shop' as ContainerId
const image = 'acme/shop' as ImageName

function setUp() {
  const host = fakeHost()
  host.files.put(containerPaths(host.paths, id).unit, '[Unit]\n')
  host.commands.answer('original-init', () => ({}))
  host.commands.answer('runuser', () => ({}))
  return host
}

describe('gear init', () => {
  it('prepares a container before its start, of the image that the unit names', async () => {
    const host = setUp()
    await initContainer(host, { id, image, phase: 'pre' })
    expect(host.commands.calls).toEqual(['run original-init shop pre acme/shop'])
  })

  it('applies links after the start, and lets the keys be generated anew', async () => {
    const host = setUp()
    host.files.put('/var/lib/containers/home/sh/shop/home/.ssh/authorized_keys', 'old')
    await initContainer(host, { id, image, phase: 'post' })
    expect(host.commands.calls).toEqual([
      'run runuser -u ctr-shop -- /bin/rm -f /var/lib/containers/home/sh/shop/home/.ssh/authorized_keys',
      'run original-init shop post',
    ])
  })

  it('takes links that wait for the other end for applied', async () => {
    const host = setUp()
    host.commands.answer('original-init', () => ({ exitCode: 75 }))
    await initContainer(host, { id, image, phase: 'post' })
    expect(await codeOfFailure(initContainer(host, { id, image, phase: 'pre' }))).toBe('COMMAND_FAILED')
  })

  it('fails without a unit, and with what the helper said', async () => {
    const host = setUp()
    expect(await codeOfFailure(initContainer(host, { id: 'other' as ContainerId, image, phase: 'pre' }))).toBe('CONTAINER_UNKNOWN')
    host.commands.answer('original-init', () => ({ exitCode: 1, stderr: 'the image acme/shop has no find, and --isolate needs it\n' }))
    await expect(initContainer(host, { id, image, phase: 'pre' })).rejects.toMatchObject({ cause: { message: /has no find/ } })
  })
})
