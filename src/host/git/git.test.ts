import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GitRef } from '../../api/index.ts'
import { parseCloneSource } from '../../formats/index.ts'
import { FakeClock } from '../clock/fake.ts'
import { FakeFiles } from '../files/fake.ts'
import { gitVariables, trustingUploadPack } from './environment.ts'
import { FakeGit } from './fake.ts'
import { gather, gitSuite } from './git.suite.ts'
import type { SshSource } from './port.ts'
import { processGit } from './process.ts'

describe('fake git', () => {
  gitSuite(async () => {
    const files = new FakeFiles(new FakeClock())
    const git = new FakeGit(files)
    const commit = 'a'.repeat(40)
    const source = '/srv/git/source.git'
    let count = 0
    git.sources.set(`file://${source}`, { refs: { main: commit, 'feature/one': commit, v1: commit }, files: { file: 'text' } })
    const place = async () => {
      const path = `/repository-${count++}`
      files.putFolder(path)
      return { path, account: undefined }
    }
    return { git, place, source, commit, isFilled: async folder => (await files.list(folder)).length > 0 }
  })
})

describe('git as processes', () => {
  let root = ''
  let commit = ''
  let count = 0
  const inSource = (...args: readonly string[]) =>
    execFileSync('/usr/bin/git', ['-C', join(root, 'allowed/source'), '-c', 'user.name=n', '-c', 'user.email=n@example', ...args], {
      encoding: 'utf8',
    }).trim()
  const place = async () => {
    const path = join(root, `repository-${count++}`)
    mkdirSync(path)
    return { path, account: undefined }
  }

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'gear-git-'))
    mkdirSync(join(root, 'allowed/source'), { recursive: true })
    inSource('init', '--quiet', '--initial-branch=main')
    writeFileSync(join(root, 'allowed/source/file'), 'text\n')
    inSource('add', '.')
    inSource('commit', '--quiet', '--message=first')
    inSource('branch', 'feature/one')
    inSource('tag', 'v1')
    commit = inSource('rev-parse', 'HEAD')
    execFileSync('/usr/bin/git', ['init', '--quiet', '--bare', join(root, 'outside')])
    symlinkSync(join(root, 'outside'), join(root, 'allowed/link'))
  })
  afterAll(() => rmSync(root, { recursive: true }))

  gitSuite(async () => ({
    git: processGit({ cloneRoot: join(root, 'allowed') }),
    place,
    source: join(root, 'allowed/source'),
    commit,
    isFilled: async folder =>
      readdirSync(folder)
        .filter(name => name !== '.git')
        .join() === 'file',
  }))

  test('a commit is the one of its name, whatever is to stand in its place', async () => {
    const git = processGit({ cloneRoot: join(root, 'allowed') })
    const replaced = join(root, 'replaced')
    execFileSync('/usr/bin/git', ['clone', '--quiet', join(root, 'allowed/source'), replaced])
    writeFileSync(join(replaced, 'file'), 'other\n')
    const inReplaced = (...args: readonly string[]) =>
      execFileSync('/usr/bin/git', ['-C', replaced, '-c', 'user.name=n', '-c', 'user.email=n@example', ...args])
    inReplaced('commit', '--quiet', '-am', 'other')
    inReplaced('replace', commit, 'HEAD')
    const { path: folder } = await place()
    await git.checkOut({ path: join(replaced, '.git'), account: undefined }, { commit, folder })
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('text\n')
  })

  test('the files of a commit may have any names', async () => {
    const git = processGit({ cloneRoot: join(root, 'allowed') })
    const names = join(root, 'names')
    const inNames = (...args: readonly string[]) =>
      execFileSync('/usr/bin/git', ['-C', names, '-c', 'user.name=n', '-c', 'user.email=n@example', ...args], { encoding: 'utf8' })
    mkdirSync(join(names, '.gear-index'), { recursive: true })
    const files = ['.gear-index/inside', '-rf', 'a\nb', '--help']
    inNames('init', '--quiet')
    for (const file of files) writeFileSync(join(names, file), file)
    inNames('add', '.')
    inNames('commit', '--quiet', '--message=names')
    const { path: folder } = await place()
    await git.checkOut({ path: join(names, '.git'), account: undefined }, { commit: inNames('rev-parse', 'HEAD').trim(), folder })
    expect(readdirSync(folder).sort()).toEqual(['--help', '-rf', '.gear-index', 'a\nb'])
  })

  test('a source outside of the root is refused, by its real path', async () => {
    const git = processGit({ cloneRoot: join(root, 'allowed') })
    for (const path of [join(root, 'outside'), join(root, 'allowed/link')]) {
      const lines = git.create(await place(), parseCloneSource(path))
      await expect(gather(lines)).rejects.toMatchObject({ code: 'COMMAND_FAILED', message: expect.stringContaining('not below') })
    }
  })

  test('what a repository is configured to run is not run', async () => {
    const git = processGit({ cloneRoot: join(root, 'allowed') })
    const at = await place()
    await gather(git.create(at, parseCloneSource(join(root, 'allowed/source'))))
    const owned = join(root, 'owned')
    writeFileSync(
      join(at.path, 'config'),
      `[core]\n\tbare = true\n\tfsmonitor = touch ${owned}\n[tar "tar.gz"]\n\tcommand = touch ${owned}\n`,
    )
    await gather(git.archive(at, { commit, format: 'tar.gz' }))
    expect(await git.commitOf(at, 'main' as GitRef)).toBe(commit)
    expect(existsSync(owned)).toBe(false)
  })

  test('a commit that a few objects make enormous is neither packed nor written out', async () => {
    const git = processGit({ cloneRoot: root })
    const at = await place()
    await gather(git.create(at, undefined))
    const run = (input: string, ...args: readonly string[]) =>
      execFileSync('/usr/bin/git', ['-C', at.path, '-c', 'user.name=n', '-c', 'user.email=n@example', ...args], {
        input,
        encoding: 'utf8',
      }).trim()
    const commitOfTree = (tree: string) => run('', 'commit-tree', '-m', 'bomb', tree)
    const times = (count: number, line: (name: string) => string) => Array.from({ length: count }, (_, index) => line(`n${index}`)).join('')
    const blob = run('x', 'hash-object', '-w', '--stdin')
    let tree = run(
      times(10, name => `100644 blob ${blob}\t${name}\n`),
      'mktree',
    )
    for (let level = 0; level < 9; level++) {
      const inner = tree
      tree = run(
        times(10, name => `040000 tree ${inner}\t${name}\n`),
        'mktree',
      )
    }
    const large = run('0'.repeat(20_000_000), 'hash-object', '-w', '--stdin')
    const heavy = run(
      times(600, name => `100644 blob ${large}\t${name}\n`),
      'mktree',
    )
    const bombs = [commitOfTree(tree), commitOfTree(heavy)]
    // packed, as what is pushed: git looks each file up, and opens a file of its own for each look at a loose object
    for (const bomb of bombs) run('', 'update-ref', `refs/heads/${bomb}`, bomb)
    run('', 'repack', '-adq')
    for (const bomb of bombs) {
      const { path: folder } = await place()
      await expect(git.checkOut(at, { commit: bomb, folder })).rejects.toMatchObject({ code: 'COMMIT_TOO_LARGE' })
      expect(readdirSync(folder)).toEqual([])
    }
    await git.requireSize(at, commitOfTree(run(`100644 blob ${blob}\tx\n`, 'mktree')))
  })

  async function copy(address: string, ref?: string): Promise<string> {
    const { path } = await place()
    const into = join(path, 'copy')
    const signal = new AbortController().signal
    const request = { address, into, mayReadFiles: true, mayReachHost: true, signal, say: () => undefined }
    await processGit({ cloneRoot: root }).clone(ref === undefined ? request : { ...request, ref })
    return into
  }

  test('a working copy has the state of its ref, also where it is an older one', async () => {
    const outer = join(root, 'older')
    execFileSync('/usr/bin/git', ['clone', '--quiet', join(root, 'allowed/source'), outer])
    writeFileSync(join(outer, 'file'), 'newer\n')
    execFileSync('/usr/bin/git', ['-C', outer, '-c', 'user.name=n', '-c', 'user.email=n@example', 'commit', '--quiet', '-am', 'second'])
    expect(readFileSync(join(await copy(`file://${outer}`), 'file'), 'utf8')).toBe('newer\n')
    for (const ref of ['v1', commit]) expect(readFileSync(join(await copy(`file://${outer}`, ref), 'file'), 'utf8'), ref).toBe('text\n')
  })

  test('a working copy says what git said when there is none, and no command is a way to one', async () => {
    await expect(copy(`file://${root}/allowed/source`, 'nowhere')).rejects.toMatchObject({
      cause: { message: expect.stringContaining('nowhere') },
    })
    const owned = join(root, 'owned')
    await expect(copy(`ext::sh -c touch% ${owned}`)).rejects.toMatchObject({
      cause: { message: expect.stringContaining("'ext' not allowed") },
    })
    expect(existsSync(owned)).toBe(false)
  })

  test('a working copy of a repository to which nothing was pushed is none, and says so', async () => {
    const empty = join(root, 'empty')
    execFileSync('/usr/bin/git', ['init', '--quiet', '--bare', empty])
    await expect(copy(`file://${empty}`)).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      cause: { message: expect.stringContaining('its default branch has no commits') },
    })
  })

  test('a working copy has no hooks', async () => {
    expect(existsSync(join(await copy(`file://${root}/allowed/source`), '.git/hooks'))).toBe(false)
  })

  test('a working copy takes no submodule from the files of this host', async () => {
    const outer = join(root, 'outer')
    const inOuter = (...args: readonly string[]) =>
      execFileSync('/usr/bin/git', ['-C', outer, '-c', 'user.name=n', '-c', 'user.email=n@example', ...args])
    execFileSync('/usr/bin/git', ['init', '--quiet', outer])
    inOuter('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', join(root, 'allowed/source'), 'inner')
    inOuter('commit', '--quiet', '-m', 'first')
    await expect(copy(`file://${outer}`)).rejects.toMatchObject({ cause: { message: expect.stringContaining("'file' not allowed") } })
  })

  test('a repository of another owner is served to a clone, as those of this host are', async () => {
    const at = join(root, 'of-another-owner')
    // git's own way to test that (Documentation of its test suite: GIT_TEST_ASSUME_DIFFERENT_OWNER)
    const env = { PATH: '/usr/bin:/bin', GIT_TEST_ASSUME_DIFFERENT_OWNER: '1', ...gitVariables({ protocols: { file: 'always' } }) }
    const run = (...args: readonly string[]) =>
      execFileSync('/usr/bin/git', ['clone', '--quiet', '--bare', ...args, `file://${root}/allowed/source`, at], { env, stdio: 'pipe' })
    expect(() => run()).toThrow('dubious ownership')
    run(trustingUploadPack)
    expect(readdirSync(at)).toContain('HEAD')
  })
})

describe('git for callers who may not reach this host', () => {
  let root = ''
  let place = 0
  let url = ''
  /** On an address that is guarded here; every request that reaches it is one too many. */
  let inner = ''
  const reached: string[] = []
  const servers: Server[] = []
  const git = () => processGit({ cloneRoot: '/srv/git' }, { isGuarded: address => address === '127.0.0.2' })
  const sh = (lines: string) => execFileSync('/bin/sh', ['-euc', lines], { cwd: root, stdio: 'pipe' })

  async function listen(address: string, answer: RequestListener): Promise<string> {
    const server = createServer(answer).listen(0, address)
    await once(server, 'listening')
    servers.push(server)
    return `http://${address}:${(server.address() as AddressInfo).port}`
  }

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'gear-git-guard-'))
    inner = await listen('127.0.0.2', (request, response) => {
      reached.push(request.url ?? '')
      response.end()
    })
    // a repository as plain files (gitprotocol-http(5), dumb clients); what is under /led/ and /home/ leads away
    url = await listen('127.0.0.1', (request, response) => {
      const { pathname: path, search } = new URL(request.url ?? '', 'http://x')
      const [, where, rest] = /^\/(led|home)(\/.*)$/.exec(path) ?? []
      const file = join(root, 'served', path)
      if (where !== undefined) response.writeHead(302, { location: `${where === 'led' ? inner : url}${rest}${search}` }).end()
      else if (existsSync(file)) response.end(readFileSync(file))
      else response.writeHead(404).end()
    })
    const identity = '-c user.name=n -c user.email=n@example'
    sh(`git init -q -b main plain; cd plain; echo text > file; git add .; git ${identity} commit -q -m one; cd ..
      for protocol in http ssh git; do
        git init -q -b main outer-$protocol; cd outer-$protocol
        printf '[submodule "inner"]\\n\\tpath = inner\\n\\turl = %s://${new URL(inner).host}/x.git\\n' $protocol > .gitmodules; git add .
        git update-index --add --cacheinfo 160000,${'1'.repeat(40)},inner; git ${identity} commit -q -m one; cd ..
      done
      for each in plain outer-http outer-ssh outer-git; do git clone -q --bare $each served/$each.git; git -C served/$each.git update-server-info; done`)
  })
  afterAll(() => {
    for (const server of servers) server.close()
    rmSync(root, { recursive: true })
  })

  const create = async (address: string): Promise<readonly string[]> => {
    const path = join(root, `made-${place++}`)
    mkdirSync(path)
    return gather(git().create({ path, account: undefined }, parseCloneSource(address), { mayReachHost: false }))
  }
  const copy = (address: string): Promise<string> =>
    git().clone({
      address,
      into: join(root, `made-${place++}`),
      mayReadFiles: false,
      mayReachHost: false,
      signal: new AbortController().signal,
      say: () => undefined,
    })

  test('clones from elsewhere, also by a redirect', async () => {
    for (const path of ['/plain.git', '/home/plain.git']) {
      await create(`${url}${path}`)
      expect(await copy(`${url}${path}`)).toMatch(/^[0-9a-f]{40}$/)
    }
  })

  test.each([
    ['an address', () => `${inner}/plain.git`],
    ['an address that leads there', () => `${url}/led/plain.git`],
    ['an address of git://', () => `git://${new URL(inner).host}/plain.git`],
    ['an address of ssh', () => `ssh://git@${new URL(inner).host}/plain.git`],
  ])('is not led to this host by %s, and nothing arrives there', async (_, address) => {
    const refusal = expect.stringContaining('127.0.0.2 is an address of this host or of its local network')
    await expect(create(address())).rejects.toMatchObject({ code: 'COMMAND_FAILED', cause: { message: refusal } })
    await expect(copy(address())).rejects.toMatchObject({ code: 'SOURCE_FAILED', cause: { message: refusal } })
    expect(reached).toEqual([])
  })

  test.each([
    ['http', '127.0.0.2 is an address of this host or of its local network'],
    ['ssh', "transport 'ssh' not allowed"],
    ['git', "transport 'git' not allowed"],
  ])('is not led to this host by a submodule of %s', async (protocol, refusal) => {
    const message = expect.stringContaining(refusal)
    await expect(copy(`${url}/outer-${protocol}.git`)).rejects.toMatchObject({ code: 'SOURCE_FAILED', cause: { message } })
    expect(reached).toEqual([])
  })

  test('is told no host key of this host', async () => {
    const source = parseCloneSource(`ssh://git@${new URL(inner).host}/x`) as SshSource
    const account = userInfo().username
    await expect(git().hostKeys(source, { account, mayReachHost: false })).rejects.toMatchObject({ code: 'SOURCE_FAILED' })
    expect(reached).toEqual([])
  })
})

test('git sees no settings of the host, asks nobody, and reaches only what it is to reach', () => {
  const variables = gitVariables({ protocols: { https: 'always' } })
  expect(variables).toMatchObject({ GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0' })
  const count = Number(variables['GIT_CONFIG_COUNT'])
  const settings = Array.from({ length: count }, (_, index) => [
    variables[`GIT_CONFIG_KEY_${index}`],
    variables[`GIT_CONFIG_VALUE_${index}`],
  ])
  expect(Object.fromEntries(settings)).toMatchObject({
    'protocol.allow': 'never',
    'protocol.https.allow': 'always',
    'core.hooksPath': '/dev/null',
  })
})
