import { describe, expect, it } from 'vitest'
import { GearError, type Handlers } from '../api/index.ts'
import { allCommands } from './app.ts'
import { gear } from './fake-context.ts'

const startContainer: Handlers['startContainer'] = async ({ params, dryRun }) => {
  if (params.id === 'unknown') throw new GearError('CONTAINER_UNKNOWN', 'There is no container unknown')
  const steps = [
    { kind: 'linkUnit', reason: 'it comes back at boot', path: '/etc/systemd/x' },
    { kind: 'start', reason: 'a start was asked for', unit: `ctr-${params.id}.service` },
  ]
  if (params.id !== 'running') dryRun?.add(steps)
  if (dryRun === undefined) throw new Error('carried out')
  return { text: 'not to be seen\n' }
}
const hosts = { local: { startContainer }, node7: { startContainer } }

describe('--dry-run', () => {
  it('prints the plan of every target, each step with its reason, and nothing else', async () => {
    const { out, err, exitCode } = await gear('start web-1 node7/running --dry-run --wait', { hosts })
    expect(out).toBe(
      [
        'web-1: 2 steps',
        '  1. link unit  /etc/systemd/x',
        '     it comes back at boot',
        '  2. start  ctr-web-1.service',
        '     a start was asked for',
        'node7/running: nothing to do',
        '',
      ].join('\n'),
    )
    expect({ err, exitCode }).toEqual({ err: '', exitCode: 0 })
  })

  it('gives programs the steps as data', async () => {
    const { out } = await gear('start web-1 --dry-run -o json', { hosts })
    expect(JSON.parse(out)).toEqual([
      {
        host: 'local',
        id: 'web-1',
        ok: true,
        steps: [
          { kind: 'linkUnit', on: ['/etc/systemd/x'], reason: 'it comes back at boot' },
          { kind: 'start', on: ['ctr-web-1.service'], reason: 'a start was asked for' },
        ],
      },
    ])
  })

  it('fails as the command itself would', async () => {
    const { err, exitCode } = await gear('start unknown web-1 --dry-run', { hosts })
    expect(err).toContain('Error: unknown: There is no container unknown [CONTAINER_UNKNOWN]')
    expect(exitCode).toBe(1)
  })

  it.each([
    'install acme/shop web-1',
    'start web-1',
    'stop web-1',
    'restart web-1',
    'delete web-1',
    'set-env shop-env A=1',
    'set-env --reset shop-env',
    'purge',
  ])('is known to: gear %s', async words => {
    const planned: Handlers['purgeContainers'] = async ({ dryRun }) => dryRun?.add([{ kind: 'reload', reason: 'to tell systemd' }])
    const all = new Proxy({}, { get: () => planned }) as Partial<Handlers>
    const { out, exitCode } = await gear(`${words} --dry-run`, { hosts: { local: all } })
    expect(out).toMatch(/: 1 step\n {2}1\. reload\n {5}to tell systemd\n$/)
    expect(exitCode).toBe(0)
  })

  it.each(['add-keys web-1 --key-file key.pub', 'keys remove web-1 --key-file key.pub'])('is known to: gear %s', async words => {
    const planned: Handlers['putKeys'] = async ({ dryRun }) => dryRun?.add([{ kind: 'sync', reason: 'to be durable' }])
    const files = { 'key.pub': 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKVsMWF/wy8Ln4oIp4uSMZ87hhAsZYsC059XG+84Cf7U\n' }
    const { out, exitCode } = await gear(`${words} --dry-run`, {
      hosts: { local: { putKeys: planned, deleteKey: call => planned(call as never) } },
      files,
    })
    expect(out).toBe('web-1: 1 step\n  1. sync\n     to be durable\n')
    expect(exitCode).toBe(0)
  })

  /** They only look; or they do what others say, or what a unit runs them for. */
  const without = [
    ['status', 'log', 'list-units', 'top', 'list-images', 'deployment', 'leases', 'env', 'list-repos', 'explain', 'completion', 'version'],
    ['exec', 'shell'],
    ['auth-keys-command', 'init', 'init-repo', 'daemon'],
  ].flat()
  it.each([...allCommands().keys()].filter(name => !without.includes(name)))('is there for gear %s', name => {
    expect(allCommands().get(name)?.flags).toHaveProperty('dryRun')
  })
})
