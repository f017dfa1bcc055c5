import { describe, expect, test } from 'vitest'
import { GearError } from '../../api/index.ts'
import { FakeClock } from '../clock/fake.ts'
import { FakeFiles } from '../files/fake.ts'
import { builderSuite } from './builder.suite.ts'
import { cgroupParent, createArguments, pullFailed, tarArguments } from './engine-cli.ts'
import { FakeBuilder } from './fake.ts'

describe('the fake builder', () => {
  builderSuite(async () => {
    const files = new FakeFiles(new FakeClock())
    files.putFolder('/suite')
    const builder = new FakeBuilder()
    builder.addImage('shell')
    builder.folders.set('shell /app', ['serve'])
    builder.addImage('shell-user', { user: '1000' })
    return {
      builder,
      files,
      folder: '/suite',
      image: 'shell',
      userImage: 'shell-user',
      behave: (name, { exitCode = 0, prints, isUnpacked = false }) =>
        builder.behave(`/work/scripts/${name}`, async (_, { say }) => {
          if (exitCode === -1) throw new GearError('ENGINE_FAILED', 'there is no such script')
          if (prints !== undefined) say(prints)
          if (Number.isNaN(exitCode)) {
            say('begun\n')
            await new Promise(() => undefined)
          }
          return { exitCode, isUnpacked }
        }),
    }
  })
})

test('a container is made with its limits, its volume and nothing of the host', () => {
  const container = {
    name: 'gear-build-x',
    image: 'acme/node',
    command: ['/tmp/scripts/assemble'],
    variablesFile: '/work/environment',
    workFolder: '/tmp',
    slice: 'container-small.slice',
    memoryBytes: 1024,
    cpus: 1.5,
    pids: 10,
    network: 'none',
  }
  expect(createArguments(container, { kind: 'podman', parent: '/container.slice' })).toEqual([
    'create',
    '--pull=never',
    '--name=gear-build-x',
    '--log-driver=none',
    '--security-opt=no-new-privileges',
    '--cap-drop=AUDIT_WRITE',
    '--cap-drop=MKNOD',
    '--cap-drop=NET_RAW',
    '--cgroup-parent=/container.slice',
    '--mount=type=volume,src=gear-build-x,dst=/tmp',
    '--memory=1024',
    '--memory-swap=1024',
    '--cpus=1.5',
    '--pids-limit=10',
    '--network=none',
    '--env-file=/work/environment',
    'acme/node',
    '/tmp/scripts/assemble',
  ])
})

test('a container without limits has none', () => {
  const bare = { name: 'x', image: 'y', command: [], workFolder: '/tmp', slice: 's', memoryBytes: 0, cpus: 0, pids: 0, user: '' }
  expect(createArguments(bare, { kind: 'docker', parent: 's' })).toEqual([
    'create',
    '--pull=never',
    '--name=x',
    '--log-driver=none',
    '--security-opt=no-new-privileges',
    '--cap-drop=AUDIT_WRITE',
    '--cap-drop=MKNOD',
    '--cap-drop=NET_RAW',
    '--cgroup-parent=s',
    '--mount=type=volume,dst=/tmp',
    '--user=0',
    'y',
  ])
})

test.each([
  ['systemd', 'container-small.slice', 'container-small.slice'],
  ['cgroupfs', 'container-small.slice', '/container.slice/container-small.slice'],
  ['cgroupfs', 'container.slice', '/container.slice'],
])('under %s the parent for %s is %s', (driver, slice, parent) => {
  expect(cgroupParent(driver, slice)).toBe(parent)
})

test('a tree comes under its name without what is left out, and the parts under theirs', () => {
  const tree = { folder: '/srv/shop', as: 'src', without: ['a b', '--x'], withoutNamed: ['.git'] }
  expect(tarArguments({ parts: [{ folder: '/work', names: ['scripts'] }], tree, owner: { uid: 5, gid: 6 } })).toEqual([
    '--create',
    '--file=-',
    '--owner=5',
    '--group=6',
    '--numeric-owner',
    '--transform=flags=rSh;s,^\\./,src/,;s,^\\.$,src,',
    '--no-wildcards',
    '--anchored',
    '--exclude=./a b',
    '--exclude=./--x',
    '--no-anchored',
    '--exclude=.git',
    '--directory=/work',
    'scripts',
    '--directory=/srv/shop',
    '.',
  ])
})

test.each([
  ['pull-stalled next to nothing has come for 300 s', 'PULL_STALLED', 'next to nothing has come for 300 s'],
  ['rate-limited too many requests (429)', 'PULL_RATE_LIMITED', 'too many requests (429)'],
  ['engine-away docker does not answer', 'ENGINE_UNAVAILABLE', 'docker does not answer'],
  ['image-missing manifest unknown', 'ENGINE_FAILED', 'manifest unknown'],
  ['', 'ENGINE_FAILED', 'the engine said nothing'],
])('a pull that fails with "%s" is %s', (said, code, why) => {
  const error = pullFailed('acme/node', 'docker', said)
  expect([error.code, (error.cause as Error).message]).toEqual([code, why])
})
