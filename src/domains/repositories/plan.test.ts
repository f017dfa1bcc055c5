import { describe, expect, it, test } from 'vitest'
import { type HostKeyFingerprint, type Id, type ImageName, loginOf } from '../../api/index.ts'
import { openSshFingerprint, parseCloneSource } from '../../formats/index.ts'
import { repositoryPaths } from '../layout/index.ts'
import { type FoundRepository, planKey, planMake, planRemove } from './plan.ts'
import {
  archiveName,
  branchOf,
  parseBuild,
  parseGithost,
  printBuild,
  printGithost,
  printKnownHost,
  refWithoutSuffix,
} from './repository.ts'

const id = 'shop-src' as Id
const paths = repositoryPaths({ base: '/b', run: '/r' }, id)
const nothing: FoundRepository = {
  paths,
  login: loginOf('repository', id),
  exists: false,
  hasUnfinished: false,
  hasAccount: false,
  hasHome: false,
  hasAccess: false,
  hasCheckout: false,
  hasCloneKey: false,
  hasDeploys: false,
  records: [],
}
const empty = { source: undefined, build: undefined }
const whole: FoundRepository = { ...nothing, exists: true, hasAccount: true, hasHome: true }

describe('a repository is made', () => {
  it.each<[situation: string, found: Partial<FoundRepository>, kinds: readonly string[]]>([
    ['where nothing is', {}, ['createAccount', 'makeFolder', 'fill', 'moveFolder', 'syncFolders']],
    [
      'after an attempt that broke off',
      { hasUnfinished: true, hasAccount: true, hasHome: true },
      ['removeFolder', 'createAccount', 'makeFolder', 'fill', 'moveFolder', 'syncFolders'],
    ],
    [
      'without the keys of one that was deleted by hand',
      { hasAccess: true },
      ['removeFolder', 'createAccount', 'makeFolder', 'fill', 'moveFolder', 'syncFolders'],
    ],
    [
      'without what was said of an attempt that broke off',
      { hasAccount: true, records: [paths.build, paths.githost] },
      ['removeFolder', 'removeFolder', 'createAccount', 'makeFolder', 'fill', 'moveFolder', 'syncFolders'],
    ],
  ])('%s', (_, found, kinds) => {
    expect(planMake({ ...nothing, ...found }, empty).map(({ kind }) => kind)).toEqual(kinds)
  })

  test('apart from where it will be seen', () => {
    const steps = planMake(nothing, empty)
    expect(steps.filter(step => 'path' in step && step.path === paths.repository)).toEqual([])
    expect(steps.find(({ kind }) => kind === 'moveFolder')).toMatchObject({ from: paths.unfinished, to: paths.repository })
  })
})

test('whose pushes are built has the record of it before it is seen', () => {
  const build = { baseImage: 'acme/node' as ImageName, tag: 'acme/shop' as ImageName, restart: 'shop' as Id }
  const steps = planMake(nothing, { source: undefined, build })
  const kinds = steps.map(({ kind }) => kind)
  expect(kinds.indexOf('writeFile')).toBe(kinds.indexOf('moveFolder') - 1)
  expect(steps.find(step => step.kind === 'writeFile')).toMatchObject({
    path: '/b/git-home/sh/shop-src/build.json',
    text: printBuild(build),
  })
  expect(parseBuild(printBuild(build))).toEqual(build)
})

test('that is served from a container has its image first, and is tried before it is seen', () => {
  const githost = { image: 'acme/githost:v1' as ImageName, engine: 'podman' } as const
  const steps = planMake(nothing, { ...empty, githost })
  expect(steps.map(({ kind }) => kind)).toEqual([
    'fetchImage',
    'createAccount',
    'makeFolder',
    'fill',
    'writeFile',
    'tryGithost',
    'moveFolder',
    'syncFolders',
  ])
  expect(steps.find(step => step.kind === 'writeFile')).toMatchObject({
    path: '/b/git-home/sh/shop-src/githost',
    text: printGithost(githost),
  })
  expect(parseGithost(printGithost(githost))).toEqual(githost)
})

describe('that is cloned over ssh', () => {
  const source = parseCloneSource('git@git.example:acme/shop')
  const hostKey = 'SHA256:abc' as HostKeyFingerprint

  test('gets a key of its own, which its account has only meanwhile', () => {
    const steps = planMake(nothing, { ...empty, source })
    expect(steps.map(({ kind }) => kind)).toEqual([
      'makeKey',
      'createAccount',
      'makeFolder',
      'lendKey',
      'fill',
      'removeFolder',
      'moveFolder',
      'syncFolders',
    ])
    expect(steps.find(({ kind }) => kind === 'lendKey')).toMatchObject({ from: '/b/keys/clone/shop-src', to: paths.lentKey })
    expect(steps.find(({ kind }) => kind === 'removeFolder')).toMatchObject({ path: paths.lentKey })
  })

  test('keeps the key of an attempt that failed, and learns the host when its key is given', () => {
    const steps = planMake({ ...nothing, hasCloneKey: true }, { ...empty, source, hostKey, mayReachHost: false })
    expect(steps.map(({ kind }) => kind)).not.toContain('makeKey')
    expect(steps.find(({ kind }) => kind === 'learnHost')).toMatchObject({
      path: paths.knownHosts,
      mayReachHost: false,
      fingerprint: hostKey,
    })
    expect(steps.filter(({ kind }) => kind === 'removeFolder')).toMatchObject([{ path: paths.lentKey }, { path: paths.knownHosts }])
  })

  test('needs none of that by another way', () => {
    const kinds = planMake(nothing, { ...empty, source: parseCloneSource('https://git.example/acme/shop') }).map(({ kind }) => kind)
    expect(kinds).toEqual(['createAccount', 'makeFolder', 'fill', 'moveFolder', 'syncFolders'])
  })
})

test('the key is made once', () => {
  expect(planKey(nothing)).toMatchObject([{ kind: 'makeKey', path: '/b/keys/clone/shop-src' }])
  expect(planKey({ ...nothing, hasCloneKey: true })).toEqual([])
})

test('a host is known by the key that was expected, and by no other', () => {
  const key = { algorithm: 'ssh-ed25519', base64: 'AAAAC3NzaC1lZDI1NTE5AAAAIKVsMWF/wy8Ln4oIp4uSMZ87hhAsZYsC059XG+84Cf7U' }
  const other = { ...key, base64: key.base64.replace('Cf7U', 'Cf7V') }
  const fingerprint = openSshFingerprint(key) as HostKeyFingerprint
  expect(printKnownHost({ host: 'Git.example', port: 22 }, { keys: [other, key], fingerprint })).toBe(
    `git.example ssh-ed25519 ${key.base64}\n`,
  )
  expect(printKnownHost({ host: '[::1]', port: 2222 }, { keys: [key], fingerprint })).toMatch(/^\[::1\]:2222 ssh-ed25519 /)
  expect(() => printKnownHost({ host: 'git.example', port: 22 }, { keys: [other], fingerprint })).toThrow(
    expect.objectContaining({
      code: 'SOURCE_FAILED',
      cause: expect.objectContaining({ message: expect.stringContaining(openSshFingerprint(other)) }),
    }),
  )
})

test.each(['', 'engine=docker\n', 'image=acme/x\n', 'engine=lxc\nimage=acme/x\n', 'engine=docker\nimage=-x\n'])(
  'the record %j names no container to serve from',
  text => {
    expect(() => parseGithost(text)).toThrow()
  },
)

test.each(['', '[]', '{}', '{"baseImage":"acme/x","tag":"-x"}', '{"baseImage":"acme/x","tag":"acme/y","restart":"../x"}', 'null'])(
  'the record %s is none',
  text => {
    expect(() => parseBuild(text)).toThrow()
  },
)

describe('a repository is removed', () => {
  it.each<[situation: string, found: FoundRepository, kinds: readonly string[]]>([
    ['that was never there', nothing, []],
    ['that is whole', whole, ['moveFolder', 'endProcesses', 'removeFolder', 'removeAccount', 'removeFolder', 'syncFolders']],
    [
      'keys first',
      { ...whole, hasAccess: true },
      ['removeFolder', 'moveFolder', 'endProcesses', 'removeFolder', 'removeAccount', 'removeFolder', 'syncFolders'],
    ],
    ['of which only the key is there', { ...nothing, hasCloneKey: true }, ['removeFolder', 'syncFolders']],
    ['of which a build broke off', { ...nothing, hasCheckout: true, hasDeploys: true }, ['removeFolder', 'removeFolder', 'syncFolders']],
    ['of which a removal left the commits', { ...nothing, hasUnfinished: true }, ['removeFolder', 'syncFolders']],
    [
      'of which a removal left account and home',
      { ...nothing, hasAccount: true, hasHome: true },
      ['endProcesses', 'removeAccount', 'removeFolder', 'syncFolders'],
    ],
  ])('%s', (_, found, kinds) => {
    expect(planRemove(found).map(({ kind }) => kind)).toEqual(kinds)
  })
})

test('the branch of a clone is in HEAD', () => {
  expect(branchOf('ref: refs/heads/feature/one\n')).toBe('feature/one')
  expect(branchOf(`${'a'.repeat(40)}\n`)).toBeUndefined()
})

test('the end of a ref may ask for a form', () => {
  expect(refWithoutSuffix('v1.0.tar.gz')).toEqual({ ref: 'v1.0', format: 'tar.gz' })
  expect(refWithoutSuffix('feature/one.tgz')).toEqual({ ref: 'feature/one', format: 'tar.gz' })
  expect(refWithoutSuffix('main.zip')).toEqual({ ref: 'main', format: 'zip' })
  expect(refWithoutSuffix('main')).toBeUndefined()
})

test('an archive is named after its repository and ref, in plain characters', () => {
  expect(archiveName('shop', 'feature/"ü', 'zip')).toBe('shop-feature---.zip')
})
