import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  contract,
  engineKinds,
  fromWire,
  type Id,
  type InstallContainer,
  type RequestId,
  restartPolicies,
  sliceNames,
} from '../../api/index.ts'
import { type PortPair, parseUnitFile, printUnitFile, splitCommand, type UnitFile, unitValues } from '../../formats/index.ts'
import { fakeHost } from '../../host/fakes.ts'
import { readInstalled, specOf } from './container.ts'
import { hardeningOptions } from './hardening.ts'
import { renderUnit, runOptions } from './unit.ts'

const { paths } = fakeHost()
const installBody = contract.installContainer.body as NonNullable<typeof contract.installContainer.body>
const id = 'shop-web.1' as Id
const requestId = 'Qm9vbS1ub3QtcmVhbC1pZA' as RequestId

/** Characters that mean something to systemd, shells, JavaScript's regular expressions or whoever splits lines. */
const nastyCharacter = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('%', '$', '"', "'", '\\', ' ', '\t', '=', ';', '#', '[', ']', '{', '}', '-', '@', '!', '~', '`'),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('\u2028', '\u2029', '\u0085', '\u00a0', '\ufeff', '\u200b', '\ud83d\ude00', 'ä', '\u007f', '\u009b'),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('%n', '%%', '$(x)', '$HOME', '\\x0a', '\\n', '\u2028X-PortMapping=1:1', '\u2028Slice=a.slice', '..'),
  },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r', '\0', '\ud800') },
  { weight: 3, arbitrary: fc.string({ unit: fc.nat(0xffff).map(code => String.fromCharCode(code)), maxLength: 4 }) },
)
const nastyPath = fc.array(nastyCharacter, { minLength: 1, maxLength: 12 }).map(parts => `/${parts.join('')}`)
const port = fc.integer({ min: 1, max: 65_535 })

const wireBody = fc.record({
  Image: fc.constantFrom('acme/shop', 'registry.example:5000/acme/shop:1.2', `acme/shop@sha256:${'a'.repeat(64)}`),
  Simple: fc.boolean(),
  Environment: fc.option(fc.record({ Id: fc.constantFrom('shop-env', 'a.b-c_d') }), { nil: null }),
  VolumeConfig: fc.record({
    Volumes: fc.array(fc.record({ Path: nastyPath }), { maxLength: 3 }),
    VolumeMounts: fc.array(fc.record({ Path: nastyPath, HostPath: nastyPath, ReadOnly: fc.boolean() }), { maxLength: 3 }),
  }),
  SystemdSlice: fc.constantFrom('', ...sliceNames),
  Memory: fc.option(fc.constantFrom('0', '6m', '512m', '1048576g'), { nil: null }),
  Cpus: fc.option(fc.constantFrom('0', '0.01', '1.5', '0.333333333', '1024'), { nil: null }),
  Pids: fc.option(fc.integer({ min: 0, max: 4_194_304 }), { nil: null }),
  Restart: fc.constantFrom('', ...restartPolicies),
  Engine: fc.constantFrom('', ...engineKinds),
})

/** Bodies as they come through the contract; values it refuses are drawn again one by one. */
const acceptedBody: fc.Arbitrary<InstallContainer> = wireBody
  .map(body => ({ ...body, VolumeConfig: onlyAccepted(body.VolumeConfig) }))
  // Two paths that are the same are refused only together.
  .filter(({ VolumeConfig: { Volumes, VolumeMounts } }) =>
    isDistinct([...Volumes.map(({ Path }) => Path), ...VolumeMounts.map(({ HostPath }) => HostPath)]),
  )
  .map(body => fromWire(installBody, body))

function isDistinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length
}

interface WireVolumes {
  readonly Volumes: readonly { readonly Path: string }[]
  readonly VolumeMounts: readonly { readonly Path: string; readonly HostPath: string; readonly ReadOnly: boolean }[]
}

function onlyAccepted({ Volumes, VolumeMounts }: WireVolumes): WireVolumes {
  const isAccepted = (config: Partial<WireVolumes>): boolean => {
    try {
      fromWire(installBody, { Image: 'acme/shop', VolumeConfig: config })
      return true
    } catch {
      return false
    }
  }
  return {
    Volumes: Volumes.filter(volume => isAccepted({ Volumes: [volume] })),
    VolumeMounts: VolumeMounts.filter(mount => isAccepted({ VolumeMounts: [mount] })),
  }
}

const ports = fc.uniqueArray(fc.record({ internal: port, external: port }), {
  maxLength: 4,
  comparator: (one, other) => one.internal === other.internal || one.external === other.external,
})

const decided = (body: InstallContainer, pairs: readonly PortPair[]) => ({ engine: body.engine ?? 'docker', requestId, ports: pairs })

const keys: Readonly<Record<string, readonly string[]>> = {
  Unit: ['Description', 'Wants', 'After', 'StartLimitIntervalSec', 'StartLimitBurst'],
  Service: [
    'Type',
    'NotifyAccess',
    'Delegate',
    'KillMode',
    'TasksMax',
    'OOMPolicy',
    'LogRateLimitIntervalSec',
    'LogRateLimitBurst',
    'TimeoutStartSec',
    'TimeoutStopSec',
    'Restart',
    'RestartSec',
    'KillMode',
    'SuccessExitStatus',
    'SyslogIdentifier',
    'Slice',
    'ExecStartPre',
    'ExecStart',
    'ExecStop',
    'ExecStopPost',
  ],
  Install: [
    'WantedBy',
    'X-ContainerId',
    'X-ContainerImage',
    'X-ContainerUserId',
    'X-ContainerRequestId',
    'X-GearEngine',
    'X-ContainerType',
    'X-PortMapping',
    'X-GearEnvironment',
    'X-GearMemory',
  ],
}

describe('no value that the contract accepts', () => {
  it('yields a line, a section or a key that it should not', () => {
    fc.assert(
      fc.property(acceptedBody, ports, (body, pairs) => {
        const text = renderUnit(specOf(id, body, decided(body, pairs)), paths)
        // What systemd takes for the end of a line (read_line in its fileio.c), whatever else does.
        for (const line of text.split(/[\n\r\0]/)) {
          const key = line.slice(0, Math.max(line.indexOf('='), 0))
          expect(line === '' || /^\[(Unit|Service|Install)\]$/.test(line) || Object.values(keys).flat().includes(key)).toBe(true)
        }
        const { sections } = parseUnitFile(text)
        expect(sections.map(section => section.name)).toEqual(Object.keys(keys))
        for (const { name, entries } of sections) for (const [key] of entries) expect(keys[name]).toContain(key)
      }),
    )
  })

  it('reaches the start helper other than as it was given', () => {
    fc.assert(
      fc.property(acceptedBody, ports, (body, pairs) => {
        const spec = specOf(id, body, decided(body, pairs))
        const isDocker = spec.engine === 'docker'
        const unit = parseUnitFile(renderUnit(spec, paths))
        const [command = ''] = unitValues(unit, 'Service', isDocker ? 'ExecStartPre' : 'ExecStart')
        expect(splitCommand(command)).toEqual([
          `/usr/lib/gear/libexec/${spec.engine}-start`,
          id,
          ...(isDocker ? [`${spec.slice}.slice`] : []),
          '--',
          ...runOptions(spec, paths),
          spec.image,
        ])
      }),
    )
  })

  it('changes what is read back of the unit', () => {
    fc.assert(
      fc.property(acceptedBody, ports, (body, pairs) => {
        const spec = specOf(id, body, decided(body, pairs))
        expect(readInstalled(renderUnit(spec, paths))).toEqual({
          engine: spec.engine,
          image: spec.image,
          requestId,
          ports: pairs,
          environment: spec.environment,
          slice: `${spec.slice}.slice`,
          memoryBytes: spec.memoryBytes === 0 ? undefined : spec.memoryBytes,
        })
      }),
    )
  })
})

describe('a unit', () => {
  it('is the same after it was parsed and printed', () => {
    fc.assert(
      fc.property(acceptedBody, ports, (body, pairs) => {
        const text = renderUnit(specOf(id, body, decided(body, pairs)), paths)
        const parsed: UnitFile = parseUnitFile(text)
        expect(printUnitFile(parsed)).toBe(text)
      }),
    )
  })

  it('has no environment of a user', () => {
    const body = fromWire(installBody, {
      Image: 'acme/shop',
      Environment: { Id: 'shop-env', Variables: [{ Name: 'LD_PRELOAD', Value: '/tmp/x.so' }] },
    })
    expect(renderUnit(specOf(id, body, { engine: 'docker', requestId, ports: [] }), paths)).not.toMatch(/LD_PRELOAD|^Environment/m)
  })

  it('tells its helpers of other roots, and only of those', () => {
    const body = fromWire(installBody, { Image: 'acme/shop' })
    const rendered = (given: Partial<typeof paths>) =>
      unitValues(
        parseUnitFile(renderUnit(specOf(id, body, { engine: 'docker', requestId, ports: [] }), { ...paths, ...given })),
        'Service',
        'Environment',
      )
    expect(rendered({})).toEqual([])
    expect(rendered({ base: '/srv/gear 1', run: '/run/gear' })).toEqual(['"GEARD_BASE_PATH=/srv/gear 1"', 'GEARD_RUN_PATH=/run/gear'])
  })
})

describe('options of the engine', () => {
  function options(body: Readonly<Record<string, unknown>>, pairs: Parameters<typeof specOf>[2]['ports'] = []) {
    const request = fromWire(installBody, { Image: 'acme/shop', ...body })
    const spec = specOf(id, request, decided(request, pairs))
    const common = hardeningOptions({ ...spec.hardening, id, isIsolated: false, places: [] })
    const given = runOptions(spec, paths)
    expect(given.slice(-common.length)).toEqual(common)
    return given.slice(0, -common.length)
  }

  it.each<{ name: string; body: Readonly<Record<string, unknown>>; given: readonly string[] }>([
    { name: 'the size class decides the memory', body: {}, given: ['--memory', '536870912'] },
    { name: 'the large size class', body: { SystemdSlice: 'container-large' }, given: ['--memory', '1073741824'] },
    { name: 'no size class', body: { SystemdSlice: 'container' }, given: [] },
    { name: 'an explicit limit', body: { Memory: '64m' }, given: ['--memory', '67108864'] },
    { name: 'no limit at all', body: { Memory: '0' }, given: [] },
    { name: 'processors and processes', body: { Memory: '0', Cpus: '0.5', Pids: 10 }, given: ['--cpus', '0.5', '--pids-limit', '10'] },
    { name: 'no limit of processors and processes', body: { Memory: '0', Cpus: '0', Pids: 0 }, given: [] },
    {
      name: 'no limit of processes on podman, which has one of its own',
      body: { Engine: 'podman', Memory: '0' },
      given: ['--pids-limit', '-1'],
    },
    { name: 'all ports of the image', body: { Memory: '0', Simple: true }, given: ['-P'] },
    {
      name: 'an environment that has an id',
      body: { Memory: '0', Environment: { Id: 'shop-env' } },
      given: ['--env-file', '/var/lib/containers/env/contents/sh/shop-env'],
    },
    { name: 'an environment that has none', body: { Memory: '0', Environment: {} }, given: [] },
  ])('$name', ({ body, given }) => {
    expect(options(body)).toEqual(given)
  })

  it('publish the ports that were decided, and then not all of the image', () => {
    expect(options({ Memory: '0', Simple: true }, [{ internal: 80, external: 4000 }])).toEqual(['-p', '4000:80'])
  })
})
