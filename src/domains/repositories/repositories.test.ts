import { describe, expect, it } from 'vitest'
import { type CloneUrl, GearError, type GitRef, type HostKeyFingerprint, type Id, type RequestId } from '../../api/index.ts'
import { parseCloneSource } from '../../formats/index.ts'
import { type FakeHost, type FakeHostOptions, fakeHost } from '../../host/fakes.ts'
import { prepareHost } from '../node/index.ts'
import { makeRepository, removeRepository } from './maker.ts'
import { Repositories } from './service.ts'

const id = 'shop-src' as Id
const base = '/var/lib/containers'
const url = 'https://git.example/acme/shop.git'
const commit = 'c'.repeat(40)
const requestId = 'Qm9vbS1ub3QtcmVhbC1pZA' as RequestId
const unit = `job-create-repo-${requestId}.service`
const signal = new AbortController().signal

async function newHost(options?: FakeHostOptions): Promise<FakeHost> {
  const host = fakeHost(options)
  await prepareHost(host)
  host.git.sources.set(url, { refs: { main: commit, 'feature/one': commit, 'v1.0': commit, 'odd.zip': commit } })
  host.commands.answer('pkill', () => ({ exitCode: 1 }))
  return host
}

const make = (host: FakeHost, source?: string, say: string[] = []) =>
  makeRepository(
    host,
    { id, source: source === undefined ? undefined : parseCloneSource(source), build: undefined },
    { say: line => void say.push(line) },
  )

/** What of a repository is there. */
const leftOvers = (host: FakeHost) => ({
  disk: Object.keys(host.files.tree(base)).filter(path => path.includes('shop-src')),
  logins: host.accounts.logins,
})

describe('making a repository', () => {
  it('ends with a bare repository of an account of its own', async () => {
    const host = await newHost()
    await make(host)
    const account = await host.accounts.find('git-shop-src' as never)
    expect(account).toMatchObject({ comment: 'Repository user', home: `${base}/git-home/sh/shop-src/home` })
    expect(host.files.modeOf(`${base}/git/shop-src`)).toBe(0o700)
    expect(host.accounts.ownerOf(`${base}/git/.unfinished-shop-src`)).toBe(account?.uid)
    expect(await host.files.exists(`${base}/git/shop-src/HEAD`)).toBe(true)
  })

  it('survives a power cut once it is done', async () => {
    const host = await newHost()
    await make(host, url)
    host.files.crash()
    expect(await host.files.exists(`${base}/git/shop-src`)).toBe(true)
  })

  it('that exists is refused, and stays as it is', async () => {
    const host = await newHost()
    await make(host)
    await expect(make(host, url)).rejects.toMatchObject({ code: 'REPOSITORY_EXISTS' })
    expect(await host.git.commitOf({ path: `${base}/git/shop-src`, account: undefined }, 'main' as GitRef)).toBeUndefined()
  })

  it('of something that cannot be cloned leaves nothing, and says what git said', async () => {
    const host = await newHost()
    const said: string[] = []
    await expect(make(host, 'https://git.example/none', said)).rejects.toMatchObject({ code: 'COMMAND_FAILED' })
    expect(said).toEqual([`Cloning into bare repository '${base}/git/.unfinished-shop-src'...`])
    expect(leftOvers(host).logins).toEqual([])
    expect(leftOvers(host).disk).toEqual([])
  })

  it('says how far it is in a file of its own, which is gone when it has ended', async () => {
    const host = await newHost()
    host.git.sources.set(url, { progress: ['Receiving objects:  1% (2/200)', 'Receiving objects:  2% (4/200)'] })
    const seen: string[] = []
    const write = host.files.write.bind(host.files)
    host.files.write = async (path, text, mode) => {
      if (path === '/var/run/containers/clones/shop-src') seen.push(text)
      await write(path, text, mode)
    }
    await make(host, url)
    expect(seen).toEqual(['Receiving objects:  1% (2/200)'])
    expect(await host.files.exists('/var/run/containers/clones/shop-src')).toBe(false)
  })

  it('whose account is somebody else is refused', async () => {
    const host = await newHost()
    host.accounts.add('git-shop-src', { comment: 'A person' })
    await expect(make(host)).rejects.toMatchObject({ code: 'ACCOUNT_TAKEN' })
    expect(host.accounts.logins).toEqual(['git-shop-src'])
  })

  it('that another process is making already is refused', async () => {
    const host = await newHost()
    const release = host.git.hold('create')
    const first = make(host)
    await expect(make(host)).rejects.toMatchObject({ code: 'REPOSITORY_BUSY' })
    release()
    await first
  })

  it('whose place is taken meanwhile, or whose account goes meanwhile, is a failure that leaves nothing', async () => {
    const taken = await newHost()
    const release = taken.git.hold('create')
    const making = make(taken)
    making.catch(() => undefined)
    await taken.clock.advance(1)
    taken.files.putFolder(`${base}/git/shop-src`)
    release()
    await expect(making).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
    expect(taken.accounts.logins).toEqual([])
    const host = await newHost()
    const create = host.accounts.create.bind(host.accounts)
    host.accounts.create = async wanted => {
      const account = await create(wanted)
      await host.accounts.remove(wanted.login)
      return account
    }
    await expect(make(host)).rejects.toMatchObject({ code: 'ACCOUNT_FAILED' })
  })

  it('can be done again after a crash at any step', async () => {
    for (const operation of ['create', 'own'] as const) {
      const host = await newHost()
      host.accounts.fail(operation, '*', new Error('power cut'))
      host.accounts.fail('remove', '*', new Error('power cut'))
      await expect(make(host, url)).rejects.toThrow('power cut')
      await make(host, url)
      expect(await host.files.exists(`${base}/git/shop-src/HEAD`)).toBe(true)
    }
  })
})

describe('a repository that is cloned over ssh', () => {
  const address = 'git@git.example:acme/shop'
  const secret = `${base}/keys/clone/shop-src`
  const lent = `${base}/git-home/sh/shop-src/clone-key`
  const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKVsMWF/wy8Ln4oIp4uSMZ87hhAsZYsC059XG+84Cf7U git-shop-src'

  async function newSshHost(): Promise<FakeHost> {
    const host = await newHost()
    host.git.sources.set(address, {})
    host.commands.answer('ssh-keygen', args => {
      if (args.includes('-y')) return { stdout: `${publicKey}\n` }
      host.files.put(args.at(-1) ?? '', 'PRIVATE KEY\n')
      host.files.put(`${args.at(-1)}.pub`, publicKey)
      return {}
    })
    return host
  }

  it('has a key of its own, which is root’s before and after', async () => {
    const host = await newSshHost()
    const release = host.git.hold('create')
    const making = make(host, address)
    await host.clock.advance(1)
    expect(host.files.tree(base)[lent]).toContain('PRIVATE KEY')
    expect(host.files.modeOf(lent)).toBe(0o600)
    expect(host.accounts.ownerOf(lent)).toBe((await host.accounts.find('git-shop-src' as never))?.uid)
    release()
    await making
    expect(host.git.created[0]).toMatchObject({ ssh: { keyPath: lent, publicKey } })
    expect(await host.files.exists(lent)).toBe(false)
    expect(host.files.modeOf(secret)).toBe(0o600)
    expect(host.files.modeOf(`${base}/keys/clone`)).toBe(0o700)
    expect(Object.keys(host.files.tree(`${base}/keys/clone`))).toEqual([secret])
    await removeRepository(host, id)
    expect(leftOvers(host)).toEqual({ disk: [], logins: [] })
  })

  it('keeps the key when it is not let in yet, and nothing else', async () => {
    const host = await newSshHost()
    host.git.fail('create', address, new Error('not let in'))
    await expect(make(host, address)).rejects.toThrow('not let in')
    expect(leftOvers(host)).toEqual({ disk: [secret], logins: [] })
    await make(host, address)
    expect(host.commands.calls.filter(call => call.includes('-t ed25519'))).toHaveLength(1)
  })

  it('leaves no key with an account that was there before', async () => {
    const host = await newSshHost()
    host.git.fail('create', address, new Error('power cut'))
    host.accounts.fail('remove', '*', new Error('power cut'))
    await expect(make(host, address)).rejects.toThrow('power cut')
    host.git.fail('create', address, new Error('not let in'))
    await expect(make(host, address)).rejects.toThrow('not let in')
    expect(await host.files.exists(lent)).toBe(false)
  })

  it('has its key before it is there, once', async () => {
    const host = await newSshHost()
    const key = await new Repositories(host).key({ id, dryRun: undefined })
    expect(key).toEqual({ publicKey, sha256: expect.stringMatching(/^SHA256:/) })
    expect(await new Repositories(host).key({ id, dryRun: undefined })).toEqual(key)
    expect(host.commands.calls.filter(call => call.includes('-t ed25519'))).toHaveLength(1)
  })

  it('is refused when no key can be made, or the one that is there cannot be read', async () => {
    const host = await newHost()
    host.commands.answer('ssh-keygen', () => ({ exitCode: 1, stderr: 'no' }))
    await expect(new Repositories(host).key({ id, dryRun: undefined })).rejects.toMatchObject({ code: 'COMMAND_FAILED' })
    host.files.put(secret, 'of a passphrase\n')
    await expect(new Repositories(host).key({ id, dryRun: undefined })).rejects.toMatchObject({ code: 'COMMAND_FAILED' })
    await expect(make(host, address)).rejects.toMatchObject({ code: 'COMMAND_FAILED' })
    expect(leftOvers(host).logins).toEqual([])
  })
})

describe('removing a repository', () => {
  it('leaves nothing of it: commits, account, home, access of keys', async () => {
    const host = await newHost()
    await make(host, url)
    host.files.putFolder(`${base}/access/git/sh/shop-src`)
    await host.files.link('/key', `${base}/access/git/sh/shop-src/fingerprint.read`)
    expect(await removeRepository(host, id)).toBe(true)
    expect(leftOvers(host)).toEqual({ disk: [], logins: [] })
    expect(host.commands.calls.map(call => call.replace(/\d+$/, 'UID'))).toEqual(['run pkill --signal KILL --uid UID'])
    expect(await removeRepository(host, id)).toBe(false)
  })

  it('is refused while it is being made, by this agent or by anybody', async () => {
    const host = await newHost()
    const release = host.git.hold('create')
    const making = make(host)
    await host.clock.advance(1)
    await expect(removeRepository(host, id)).rejects.toMatchObject({ code: 'REPOSITORY_BUSY' })
    release()
    await making
    const other = await newHost()
    const repositories = new Repositories(other)
    const wanted = { id, requestId, signal, dryRun: undefined }
    await repositories.create({ ...wanted, source: undefined, build: undefined, caller: { isRoot: true } })
    other.files.putFolder(`${base}/git/.unfinished-shop-src`)
    await expect(repositories.delete(wanted)).rejects.toMatchObject({ code: 'REPOSITORY_BUSY', retryAfterSeconds: 5 })
  })

  it('that does not succeed says why', async () => {
    const host = await newHost()
    await make(host)
    host.commands.answer('pkill', () => ({ exitCode: 3, stderr: 'no memory\n' }))
    await expect(removeRepository(host, id)).rejects.toThrow('could not be ended: no memory')
    const deleting = new Repositories(host).delete({ id, requestId, signal, dryRun: undefined })
    deleting.catch(() => undefined)
    await host.clock.advance(1)
    const job = `job-delete-repo-${requestId}.service` as never
    host.journal.add(job, 'Error: The processes of git-shop-src could not be ended')
    host.units.exit(job, { exitCode: 2 })
    await host.clock.advance(6000)
    await expect(deleting).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      cause: { message: 'The processes of git-shop-src could not be ended' },
    })
  })

  it('waits for the last process of its account to go', async () => {
    const host = await newHost()
    await make(host)
    host.accounts.busy.add('git-shop-src')
    const removal = removeRepository(host, id)
    await host.clock.advance(250)
    host.accounts.busy.clear()
    await host.clock.advance(100)
    expect(await removal).toBe(true)
  })

  it('goes on where one broke off', async () => {
    const host = await newHost()
    await make(host)
    host.accounts.fail('remove', 'git-shop-src', new Error('power cut'))
    await expect(removeRepository(host, id)).rejects.toThrow('power cut')
    expect(await host.files.exists(`${base}/git/shop-src`)).toBe(false)
    await removeRepository(host, id)
    expect(leftOvers(host)).toEqual({ disk: [], logins: [] })
  })
})

describe('a request to create a repository', () => {
  const request = { id, requestId, source: url as CloneUrl, build: undefined, caller: { isRoot: true }, signal, dryRun: undefined }

  async function textOf(pieces: AsyncIterable<string>): Promise<string> {
    let text = ''
    for await (const piece of pieces) text += piece
    return text
  }

  /** Begins to read the text, which starts the unit. */
  async function begin(host: FakeHost): Promise<Promise<string>[]> {
    const text = textOf(await new Repositories(host).create(request))
    text.catch(() => undefined)
    await host.clock.advance(1)
    return [text]
  }

  async function end(host: FakeHost, exitCode: number): Promise<void> {
    host.units.exit(unit as never, { exitCode })
    await host.clock.advance(6000)
  }

  it('runs a unit, passes its words on, and says how to go on', async () => {
    const host = await newHost()
    const [text] = await begin(host)
    expect(host.units.transients).toMatchObject([
      {
        name: unit,
        command: ['/usr/bin/gear', 'init-repo', '--', id, url],
        slice: 'githost.slice',
        variables: { GEARD_BASE_PATH: base, GEARD_RUN_PATH: '/var/run/containers', GEARD_CLONE_ROOT: '/srv/git' },
      },
    ])
    host.journal.add(unit as never, 'Cloning ...')
    await end(host, 0)
    expect(await text).toBe('Cloning ...\nRepository shop-src is created; clone it with: git clone git-shop-src@HOST:~\n')
  })

  it('that fails is a failure, with the reason', async () => {
    const host = await newHost()
    const [text] = await begin(host)
    host.journal.add(unit as never, 'Error: Could not run git clone: fatal: not found')
    await end(host, 2)
    await expect(text).rejects.toMatchObject({
      code: 'REPOSITORY_CREATE_FAILED',
      cause: { message: 'Could not run git clone: fatal: not found' },
    })
  })

  it('clones files of the host only from below the root that is set', async () => {
    const host = await newHost({ paths: { cloneRoot: '/srv/mirrors' } })
    const create = (source: string) => new Repositories(host).create({ ...request, source: source as CloneUrl })
    await expect(create('/srv/git/shop.git')).rejects.toMatchObject({
      fields: [{ field: 'source', rule: 'must be below /srv/mirrors when it is a file' }],
    })
    await create('/srv/mirrors/shop.git')
  })

  it('is refused while another makes it, and when it exists', async () => {
    const host = await newHost()
    const repositories = new Repositories(host)
    await repositories.create(request)
    await expect(repositories.create(request)).rejects.toMatchObject({ code: 'REPOSITORY_EXISTS' })
    await make(host)
    await expect(new Repositories(host).create(request)).rejects.toMatchObject({ code: 'REPOSITORY_EXISTS' })
  })

  it('joins the unit of the same request that an agent before it began', async () => {
    const host = await newHost()
    const [first] = await begin(host)
    const [second] = await begin(host)
    await end(host, 0)
    expect(await first).toBe(await second)
    expect(host.units.calls.filter(call => call.startsWith('runTransient'))).toHaveLength(1)
  })

  it('of a caller who is not root may not reach the host itself, nor be led there', async () => {
    const host = await newHost()
    const guest = { ...request, caller: { isRoot: false } }
    for (const source of ['https://localhost/x', 'git://127.0.0.1/x', 'ssh://[::1]/x', 'git@169.254.169.254:x']) {
      await expect(new Repositories(host).create({ ...guest, source: source as CloneUrl })).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    }
    const text = textOf(await new Repositories(host).create(guest))
    text.catch(() => undefined)
    await host.clock.advance(1)
    expect(host.units.transients[0]?.command).toContain('--not-this-host')
    await end(host, 0)
    await text
  })

  it('names the key of a host only for one that is reached by ssh', async () => {
    const host = await newHost()
    const hostKey = `SHA256:${'a'.repeat(43)}` as HostKeyFingerprint
    await expect(new Repositories(host).create({ ...request, hostKey })).rejects.toMatchObject({ fields: [{ field: 'HostKey' }] })
    const text = textOf(await new Repositories(host).create({ ...request, hostKey, source: 'git@git.example:x' as CloneUrl }))
    text.catch(() => undefined)
    await host.clock.advance(1)
    expect(host.units.transients[0]?.command).toContain(`--host-key=${hostKey}`)
    await end(host, 0)
    await text
  })

  it('tells how far it is to those who want to see it move, in place of the milestones', async () => {
    const host = await newHost()
    const milestone = 'Receiving objects:  25% (50/200)'
    const plain = textOf(await new Repositories(host).create(request))
    await host.clock.advance(1)
    const live = textOf(await new Repositories(host).create({ ...request, isLive: true }))
    await host.clock.advance(1)
    host.journal.add(unit as never, milestone)
    host.files.put('/var/run/containers/clones/shop-src', 'Receiving objects:  42% (84/200), 2.00 MiB | 1.00 MiB/s')
    await host.clock.advance(600)
    host.files.put('/var/run/containers/clones/shop-src', 'Receiving objects:  43% (86/200)')
    await host.clock.advance(300)
    host.journal.add(unit as never, 'Receiving objects: 100% (200/200), done.')
    await end(host, 0)
    const rest = 'Receiving objects: 100% (200/200), done.\nRepository shop-src is created; clone it with: git clone git-shop-src@HOST:~\n'
    expect(await plain).toBe(`${milestone}\n${rest}`)
    expect(await live).toBe(`Receiving objects:  42% (84/200), 2.00 MiB | 1.00 MiB/s\rReceiving objects:  43% (86/200)\r${rest}`)
  })

  it('names an engine only for a container that git runs in', async () => {
    const failure = new Repositories(await newHost()).create({ ...request, engine: 'podman' })
    await expect(failure).rejects.toMatchObject({ fields: [{ field: 'Engine' }] })
  })

  it('for a file outside of the root is refused before anything is begun', async () => {
    const host = await newHost()
    const failure = new Repositories(host).create({ ...request, source: 'file:///etc/x' as CloneUrl })
    await expect(failure).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  })
})

describe('an archive', () => {
  const want = (ref: string, more: { readonly format?: 'zip' | 'tar.gz'; readonly mediaTypes?: readonly string[] } = {}) => ({
    id,
    ref: ref as GitRef,
    format: more.format,
    mediaTypes: more.mediaTypes ?? ['*/*'],
  })

  async function cloned(): Promise<Repositories> {
    const host = await newHost()
    await make(host, url)
    const place = `${base}/git/shop-src`
    host.git.push(place, { main: commit, 'feature/one': commit, 'v1.0': commit, 'odd.zip': commit })
    return new Repositories(host)
  }

  it.each([
    ['main', {}, 'application/zip', 'shop-src-main.zip'],
    ['master', {}, 'application/zip', 'shop-src-master.zip'],
    ['feature/one', {}, 'application/zip', 'shop-src-feature-one.zip'],
    [commit, {}, 'application/zip', `shop-src-${commit}.zip`],
    ['v1.0.tar.gz', {}, 'application/gzip', 'shop-src-v1.0.tar.gz'],
    ['v1.0.tgz', {}, 'application/gzip', 'shop-src-v1.0.tar.gz'],
    ['v1.0.zip', { mediaTypes: ['application/gzip'] }, 'application/zip', 'shop-src-v1.0.zip'],
    ['odd.zip', {}, 'application/zip', 'shop-src-odd.zip.zip'],
    ['main', { format: 'tar.gz' as const }, 'application/gzip', 'shop-src-main.tar.gz'],
    ['main', { mediaTypes: ['application/gzip'] }, 'application/gzip', 'shop-src-main.tar.gz'],
  ])('of %s with %j is %s', async (ref, more, mediaType, fileName) => {
    expect(await (await cloned()).archive(want(ref, more))).toMatchObject({ mediaType, fileName })
  })

  it('of a commit before another is one', async () => {
    const repositories = await cloned()
    await expect(repositories.archive(want('main~1'))).rejects.toMatchObject({ code: 'REF_UNKNOWN' })
    await expect(repositories.archive(want('main~1.zip'))).rejects.toMatchObject({ code: 'REF_UNKNOWN' })
  })

  it('of a commit that is too large is refused before anything is packed', async () => {
    const host = await newHost()
    await make(host, url)
    host.git.push(`${base}/git/shop-src`, { main: commit })
    host.git.fail('requireSize', '*', new GearError('COMMIT_TOO_LARGE', 'The commit is too large'))
    await expect(new Repositories(host).archive(want('main'))).rejects.toMatchObject({ code: 'COMMIT_TOO_LARGE' })
  })

  it('of what is not there is refused before anything is packed', async () => {
    const repositories = await cloned()
    for (const ref of ['missing', 'missing.zip', 'main..zip']) {
      await expect(repositories.archive(want(ref))).rejects.toMatchObject({ code: 'REF_UNKNOWN' })
    }
    await expect(repositories.archive({ ...want('main'), id: 'other' as Id })).rejects.toBeInstanceOf(GearError)
  })
})

describe('repositories', () => {
  it('are listed by what is on disk, without those that are being made', async () => {
    const host = await newHost()
    await make(host)
    host.files.putFolder(`${base}/git/.unfinished-other`)
    expect(await new Repositories(host).list()).toEqual([{ id, branch: 'main', account: 'git-shop-src' }])
    await expect(new Repositories(host).get('other' as Id)).rejects.toMatchObject({ code: 'REPOSITORY_UNKNOWN' })
  })

  it('whose records were spoiled say where', async () => {
    const host = await newHost()
    await make(host)
    for (const record of ['build.json', 'githost']) {
      host.files.put(`${base}/git-home/sh/shop-src/${record}`, 'nonsense')
      await expect(new Repositories(host).get(id)).rejects.toMatchObject({
        code: 'STORAGE_FAILED',
        message: expect.stringContaining(record),
      })
      await host.files.remove(`${base}/git-home/sh/shop-src/${record}`)
    }
  })
})
