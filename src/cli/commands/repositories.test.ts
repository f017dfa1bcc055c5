import { describe, expect, it } from 'vitest'
import { GearError, type Handlers } from '../../api/index.ts'
import { gear } from '../fake-context.ts'

function agent() {
  const calls: string[] = []
  const existing = new Set<string>()
  async function* text(id: string, source: string | undefined, isLive: boolean): AsyncGenerator<string> {
    yield 'Cloning ...\n'
    if (isLive) yield* ['Receiving: 1%\r', 'Receiving: 2', '%\rReceiving: 100%, done.\n']
    // As it comes from an agent over HTTP, where the status was sent before.
    if (source?.includes('missing')) yield `Error: Repository ${id} could not be created: fatal: not found\n`
    else {
      existing.add(id)
      yield `Repository ${id} is created\n`
    }
  }
  const createRepository: Handlers['createRepository'] = async ({ params, query, body }) => {
    calls.push([`create ${params.id}`, query.source, body.hostKey, query.progress && 'live'].filter(Boolean).join(' '))
    return { text: text(params.id, query.source, query.progress === true) }
  }
  const getRepository: Handlers['getRepository'] = async ({ params }) => {
    if (!existing.has(params.id)) throw new GearError('REPOSITORY_UNKNOWN', 'There is none')
    return { id: params.id, branch: 'main', account: `git-${params.id}` }
  }
  const listRepositories: Handlers['listRepositories'] = async () => ({
    repositories: [{ id: 'shop-src', branch: 'main', account: 'git-shop-src' }],
  })
  const deleteRepository: Handlers['deleteRepository'] = async ({ params }) => void calls.push(`delete ${params.id}`)
  return { calls, handlers: { createRepository, getRepository, listRepositories, deleteRepository } }
}

describe('gear create-repo', () => {
  it('shows what the host says, line by line', async () => {
    const { calls, handlers } = agent()
    const { out, exitCode } = await gear('create-repo repo://node7/shop-src https://git.example/shop', { hosts: { node7: handlers } })
    expect({ out, exitCode, calls }).toEqual({
      out: 'Cloning ...\nRepository shop-src is created\n',
      exitCode: 0,
      calls: ['create shop-src https://git.example/shop'],
    })
  })

  it('shows on a terminal how far it is, in a line that is written over', async () => {
    const { calls, handlers } = agent()
    const { out, err } = await gear('create-repo shop-src https://git.example/shop', { hosts: { local: handlers }, isTerminal: true })
    expect(out).toBe('Cloning ...\nReceiving: 100%, done.\nRepository shop-src is created\n')
    expect(err).toMatch(/shop-src: Receiving: 1%.*shop-src: Receiving: 2%/s)
    expect(calls).toEqual(['create shop-src https://git.example/shop live'])
    const json = await gear('create-repo shop-src https://git.example/shop --output json', { hosts: { local: handlers }, isTerminal: true })
    expect(JSON.parse(json.out)).toMatchObject([{ lines: ['Cloning ...', 'Repository shop-src is created'] }])
  })

  it('says by which key another host is known', async () => {
    const { calls, handlers } = agent()
    const hostKey = `SHA256:${'a'.repeat(43)}`
    await gear(`create-repo shop-src git@git.example:shop --host-key ${hostKey}`, { hosts: { local: handlers } })
    expect(calls).toEqual([`create shop-src git@git.example:shop ${hostKey}`])
  })

  it('that fails in the middle of its text ends with 1 and the reason', async () => {
    const { handlers } = agent()
    const { out, err, exitCode } = await gear('create-repo shop-src https://git.example/missing', { hosts: { local: handlers } })
    expect(out).toBe('Cloning ...\n')
    expect(err).toMatch(/^Error: Repository shop-src could not be created: fatal: not found \[REPOSITORY_CREATE_FAILED\]/)
    expect(exitCode).toBe(1)
  })

  it('passes on what an original agent says, which cannot be asked for a repository', async () => {
    const { handlers } = agent()
    const getRepository: Handlers['getRepository'] = async () => {
      throw new GearError('METHOD_NOT_ALLOWED', 'Method not allowed')
    }
    const { out, err, exitCode } = await gear('create-repo shop-src', { hosts: { local: { ...handlers, getRepository } } })
    expect({ out, err, exitCode }).toEqual({ out: 'Cloning ...\nRepository shop-src is created\n', err: '', exitCode: 0 })
  })

  it('asks the next agent when one goes away in the middle, by the same request', async () => {
    const { handlers } = agent()
    const requestIds: string[] = []
    const createRepository: Handlers['createRepository'] = async call => {
      requestIds.push(call.requestId)
      if (requestIds.length > 1) return handlers.createRepository(call)
      return {
        text: (async function* () {
          yield 'Cloning ...\n'
          throw new GearError('HOST_UNREACHABLE', 'The agent stopped answering')
        })(),
      }
    }
    const { out, exitCode } = await gear('create-repo shop-src', { hosts: { local: { ...handlers, createRepository } } })
    expect(out).toBe('The agent went away; asking the next one\nCloning ...\nRepository shop-src is created\n')
    expect(exitCode).toBe(0)
    expect(requestIds[1]).toBe(requestIds[0])
  })

  it.each([
    ['create-repo', 'give the name of one repository'],
    ['create-repo ctr://shop-src', 'create-repo makes repositories (repo://), not ctr://'],
    ['create-repo a', 'must be 4 to 24 characters'],
    ['create-repo shop-src ext::sh', 'must not name a remote helper'],
    ['create-repo shop-src https://user:secret@git.example/x', 'must not hold a password'],
    ['create-repo shop-src x y', 'at most one URL'],
    ['create-repo shop-src git@git.example:x --host-key MD5:aa', '--host-key must be a fingerprint'],
    ['create-repo shop-src --build acme/node', '--build BASE_IMAGE and --tag TAG belong together'],
    ['create-repo shop-src --restart shop', '--build BASE_IMAGE and --tag TAG belong together'],
    ['create-repo shop-src --build acme/node --tag acme/shop --restart ../x', '--restart must be 4 to 24'],
    ['create-repo shop-src --build acme/node --tag a:b:c', '--tag'],
    ['create-repo shop-src --engine podman', '--engine is for --githost IMAGE'],
    ['create-repo shop-src --githost UPPER', '--githost'],
    ['deploy-repo ctr://shop-src', 'deploy-repo deploys repositories (repo://), not ctr://'],
    ['delete-repo ctr://shop-src', 'delete-repo removes repositories (repo://), not ctr://'],
  ])('%s is refused before anything is sent', async (words, message) => {
    const { calls, handlers } = agent()
    const { err, exitCode } = await gear(words, { hosts: { local: handlers } })
    expect(err).toContain(message)
    expect({ exitCode, calls }).toEqual({ exitCode: 1, calls: [] })
  })
})

describe('gear list-repos and delete-repo', () => {
  it('list and remove', async () => {
    const { calls, handlers } = agent()
    const hosts = { local: handlers }
    expect((await gear('list-repos', { hosts })).out).toEqual(
      expect.stringMatching(/^ID +SERVER +BRANCH +ACCOUNT +IMAGE +CONTAINER +GITHOST\nshop-src local +main +git-shop-src *\n$/),
    )
    expect((await gear('delete-repo shop-src repo://other', { hosts })).out).toContain('Deleted shop-src\n')
    expect(calls).toEqual(['delete shop-src', 'delete other'])
    expect((await gear('delete-repo ctr://shop-src', { hosts })).exitCode).toBe(1)
  })
})

describe('gear repo-key', () => {
  it('prints the public key, and nothing else', async () => {
    const makeRepositoryKey: Handlers['makeRepositoryKey'] = async ({ params }) => ({
      publicKey: `ssh-ed25519 AAAA git-${params.id}`,
      sha256: 'SHA256:abc',
    })
    const { out, exitCode } = await gear('repo-key node7/shop-src', { hosts: { node7: { makeRepositoryKey } } })
    expect({ out, exitCode }).toEqual({ out: 'ssh-ed25519 AAAA git-shop-src\n', exitCode: 0 })
    expect((await gear('repo-key ctr://shop-src', { hosts: {} })).err).toContain('repo-key is for repositories (repo://), not ctr://')
  })
})

describe('gear deploy-repo', () => {
  type Events = readonly ({ readonly event: 'log' | 'deployed' | 'failed'; readonly message: string; readonly code?: string } | GearError)[]

  /** An agent that gives the next of these at every call. */
  function deploying(...runs: readonly Events[]) {
    let calls = 0
    const deployRepository: Handlers['deployRepository'] = async () =>
      (async function* () {
        for (const event of runs[calls++] ?? []) {
          if (event instanceof GearError) throw event
          yield event
        }
      })()
    return { hosts: { local: { deployRepository } }, calls: () => calls }
  }
  const gone = new GearError('HOST_UNREACHABLE', 'The agent is being stopped')
  const building = { event: 'log', message: 'Building' } as const

  it('prints what the build says, and how it ended', async () => {
    const { hosts } = deploying([building, { event: 'deployed', message: 'abc runs as shop' }])
    expect(await gear('deploy-repo shop-src', { hosts })).toMatchObject({ out: 'Building\nabc runs as shop\n', exitCode: 0 })
  })

  it('prints nothing that could steer the terminal at the end of a push', async () => {
    const { hosts } = deploying([
      { event: 'log', message: '\x1b[2Aup\rback\u009b' },
      { event: 'deployed', message: 'abc runs' },
    ])
    expect((await gear('deploy-repo shop-src', { hosts })).out).toBe('?[2Aup?back?\nabc runs\n')
  })

  it('ends with 1 and the reason when it failed', async () => {
    const { hosts } = deploying([building, { event: 'failed', message: 'assemble ended with 3', code: 'BUILD_FAILED' }])
    const { err, exitCode } = await gear('deploy-repo shop-src', { hosts })
    expect(err).toMatch(/^Error: assemble ended with 3 \[BUILD_FAILED\]/)
    expect(exitCode).toBe(1)
  })

  it('asks once more when the agent goes away in the middle, but not when it was never there', async () => {
    const broken = deploying([building, gone], [building, { event: 'deployed', message: 'abc runs as shop' }])
    expect(await gear('deploy-repo shop-src', broken)).toMatchObject({
      out: 'Building\nThe agent went away; once more from the beginning\nBuilding\nabc runs as shop\n',
      exitCode: 0,
    })
    const absent = deploying([gone])
    expect((await gear('deploy-repo shop-src', absent)).err).toContain('HOST_UNREACHABLE')
    expect(absent.calls()).toBe(1)
    const dying = deploying([building, gone], [building, gone], [building, gone])
    expect((await gear('deploy-repo shop-src', dying)).exitCode).toBe(1)
    expect(dying.calls()).toBe(3)
  })
})

describe('gear init-repo', () => {
  it.each([
    ['init-repo', 'give an id'],
    ['init-repo ../x', 'must be 4 to 24 characters'],
    ['init-repo a', 'must be 4 to 24 characters'],
    ['init-repo shop-src -- --upload-pack=x', 'clone URL'],
    ['init-repo shop-src ext::sh', 'clone URL'],
    ['init-repo --remove shop-src https://git.example/x', 'at most one URL'],
  ])('%s ends with 1', async (words, message) => {
    const { err, exitCode } = await gear(words, { hosts: {} })
    expect(err).toContain(message)
    expect(exitCode).toBe(1)
  })
})
