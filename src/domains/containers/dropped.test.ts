import { describe, expect, it } from 'vitest'
import { contract, fromWire, type Id, type InstallContainer, type RequestId } from '../../api/index.ts'
import { fakeHost } from '../../host/fakes.ts'
import { specOf } from './container.ts'
import { droppedFlags } from './dropped.ts'
import { renderUnit } from './unit.ts'

const { paths } = fakeHost()
const installBody = contract.installContainer.body as NonNullable<typeof contract.installContainer.body>

function unit(wire: object, engine: 'docker' | 'podman' = 'docker'): string {
  const body = fromWire(installBody, { Image: 'acme/shop', ...wire }) as InstallContainer
  const ports = body.ports.map((pair, index) => ({ internal: pair.internal, external: pair.external || 4000 + index }))
  return renderUnit(specOf('shop' as Id, body, { requestId: 'Qm9vbS1ub3QtcmVhbC1pZA' as RequestId, engine, ports }), paths)
}

describe('what an install drops', () => {
  it.each<[title: string, before: object, after: object, gone: readonly string[], changed?: readonly string[]]>([
    ['nothing, when all is said again', { Isolate: true, Memory: '2g' }, { Isolate: true, Memory: '2g' }, []],
    ['nothing, when there is more', {}, { Isolate: true, Memory: '2g', Cpus: '1', ReadOnly: false }, []],
    ['isolation, and the quota with it', { Isolate: true, Quota: '10m' }, {}, ['--isolate', '--quota 10m']],
    ['a quota alone', { Isolate: true, Quota: '10m' }, { Isolate: true }, [], ['--quota 0 instead of --quota 10m']],
    [
      'limits',
      { Memory: '2g', Cpus: '1.5', Pids: 50 },
      {},
      [],
      ['--memory 512m instead of --memory 2g', '--cpus 0 instead of --cpus 1.5', '--pids 0 instead of --pids 50'],
    ],
    ['nothing, when the default of another size class is what it had', { Memory: '1g' }, { SystemdSlice: 'container-large' }, []],
    [
      'no size class that has become the default by name',
      { SystemdSlice: 'container-large' },
      { SystemdSlice: 'container-small' },
      [],
      ['--slice container-small instead of --slice container-large'],
    ],
    ['no limit that has become another', { Memory: '2g', Cpus: '1.5', Pids: 50 }, { Memory: '1g', Cpus: '1', Pids: 9 }, []],
    [
      'a size class, and not what it brings',
      { SystemdSlice: 'container-large' },
      {},
      [],
      ['--slice container-small instead of --slice container-large'],
    ],
    ['no limit at all', { Memory: '0' }, {}, [], ['--memory 512m instead of --memory 0']],
    ['how it is started again', { Restart: 'always' }, {}, [], ['--restart on-failure instead of --restart always']],
    ['its environment', { Environment: { Id: 'shop-env' } }, {}, ['--env-id shop-env']],
    ['no environment that has become another', { Environment: { Id: 'shop-env' } }, { Environment: { Id: 'else-env' } }, []],
    ['no way to be started again that has become another', { Restart: 'always' }, { Restart: 'no' }, []],
    ['ports', { Ports: [{ Internal: 80 }, { Internal: 22 }] }, { Ports: [{ Internal: 22 }] }, ['-p 80:4000']],
    [
      'volumes and mounts',
      {
        VolumeConfig: {
          Volumes: [{ Path: '/data' }, { Path: '/more' }],
          VolumeMounts: [{ Path: '/srv', HostPath: '/etc/shop', ReadOnly: true }],
        },
      },
      { VolumeConfig: { Volumes: [{ Path: '/more' }] } },
      ['-v /data', '-v /srv:/etc/shop:ro'],
    ],
    [
      'what hardened it',
      { CapDrop: ['SETUID'], ReadOnly: true, SeccompProfile: '/etc/shop.json' },
      {},
      ['--cap-drop SETUID', '--seccomp-profile /etc/shop.json', '--read-only'],
    ],
    ['all capabilities of an isolated one', { Isolate: true, CapDrop: ['ALL'] }, { Isolate: true }, ['--cap-drop ALL']],
    ['what it was allowed', { CapAdd: ['NET_ADMIN'], NewPrivileges: true }, {}, ['--cap-add NET_ADMIN', '--new-privileges']],
  ])('%s', (_, before, after, gone, changed = []) => {
    expect(droppedFlags(unit(before), unit(after))).toEqual({ gone, changed })
    expect(droppedFlags(unit(before, 'podman'), unit(after, 'podman'))).toEqual({ gone, changed })
  })

  it('tells the isolation of a unit that the original wrote, and asks no more of it', () => {
    const original =
      '[Service]\nExecStart=/usr/bin/docker run --name x -a stdout acme/shop\n[Install]\nX-ContainerType=isolated\nX-PortMapping=80:4000\n'
    expect(droppedFlags(original, unit({}))).toEqual({ gone: ['--isolate', '-p 80:4000'], changed: [] })
  })
})
