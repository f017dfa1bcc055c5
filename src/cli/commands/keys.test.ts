import { describe, expect, it } from 'vitest'
import { GearError, type Handlers } from '../../api/index.ts'
import { gear } from '../fake-context.ts'

const line = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHKl1Ka7h5YGz6dzWTyZl7lmyrYqTTk1O5KYGB7FdhaC'
const wrong = `${line}\n\nssh-ed25519 AAAA me\n`

function recording() {
  const seen: unknown[] = []
  const putKeys: Handlers['putKeys'] = async ({ body }) => void seen.push(body)
  return { seen, hosts: { local: { putKeys }, node7: { putKeys } } }
}

describe('gear add-keys', () => {
  it('sends the keys of the standard input, without their comments, and says nothing', async () => {
    const { seen, hosts } = recording()
    expect(await gear('add-keys web-1 web-2', { hosts, input: `# mine\n${line} me@home\n` })).toEqual({ out: '', err: '', exitCode: 0 })
    expect(seen).toEqual([
      {
        keys: [{ type: 'authorized_keys', value: `${line}\n` }],
        permissions: [
          { type: 'container', with: 'web-1' },
          { type: 'container', with: 'web-2' },
        ],
        containers: [],
        repositories: [],
      },
    ])
  })

  it('asks each host once, for containers and repositories', async () => {
    const { seen, hosts } = recording()
    const words = 'add-keys repo://node7/shop-src node7/web-1 ctr://web-2 repo://shop-src --write --key-file ids'
    expect(await gear(words, { hosts, files: { ids: `${line}\n` } })).toMatchObject({ err: '', exitCode: 0 })
    expect(seen).toHaveLength(2)
    expect(seen).toContainEqual(
      expect.objectContaining({
        permissions: [
          { type: 'repository', with: { Id: 'shop-src', Write: true } },
          { type: 'container', with: 'web-1' },
        ],
      }),
    )
  })

  it('says that options are dropped, and sends the key without them', async () => {
    const { seen, hosts } = recording()
    const { err, exitCode } = await gear('add-keys web-1', { hosts, input: `command="/bin/evil",no-pty ${line}\n` })
    expect({ err, exitCode }).toEqual({
      err: 'Warning: standard input: line 1: the options before the key are dropped\n',
      exitCode: 0,
    })
    expect(seen).toMatchObject([{ keys: [{ value: `${line}\n` }] }])
  })

  it('sends more keys than fit into one request in several', async () => {
    const { seen, hosts } = recording()
    await gear('add-keys web-1', { hosts, input: `${line}\n`.repeat(1200) })
    const counts = seen.map(body => (body as { readonly keys: readonly unknown[] }).keys.length)
    expect(counts.length).toBeGreaterThan(2)
    expect(counts.reduce((sum, count) => sum + count)).toBe(1200)
  })

  it.each([
    ['add-keys', 'gear add-keys: give at least one container or repository'],
    ['add-keys router://web-1', 'gear add-keys: keys are for containers (ctr://) and repositories (repo://), not for router://'],
    ['add-keys web-1 --write', 'gear add-keys: --write is for repositories'],
    ['add-keys web-1 --key-file none', 'gear add-keys: none cannot be read (no such file)'],
    ['add-keys web-1 --key-file empty', 'gear add-keys: empty: there is no key in it'],
    ['add-keys web-1 --key-file wrong', 'gear add-keys: wrong: line 3: the key is cut off'],
    ['auth-keys-command', 'gear auth-keys-command: give one account: ctr-ID or git-ID'],
    ['auth-keys-command ctr-a ctr-b', 'gear auth-keys-command: give one account: ctr-ID or git-ID'],
    ['add-keys w --key-file right', 'gear add-keys: Permissions[0].With must be the id of a container'],
  ])('refuses before anything is sent: gear %s', async (words, message) => {
    const { seen, hosts } = recording()
    const { err, exitCode } = await gear(words, { hosts, files: { right: line, empty: '\n# none\n', wrong } })
    expect(err.slice(0, message.length)).toBe(message)
    expect({ exitCode, seen }).toEqual({ exitCode: 1, seen: [] })
  })

  it('tells what a host could not do', async () => {
    const putKeys = () => Promise.reject(new GearError('KEYS_FAILED', '1 of 1 keys could not be added: key 1: there is no container web-1'))
    const { err, exitCode } = await gear('add-keys web-1', { hosts: { local: { putKeys } }, input: line })
    expect(err).toMatch(/^Error: 1 of 1 keys could not be added: .* \[KEYS_FAILED\]\. Correct what is named/)
    expect(exitCode).toBe(1)
  })
})

describe('gear keys', () => {
  const fingerprint = 'I5F2ohFZ1whUO0NF62juMIuPG5nfKTgonWPaKWpY13M'
  const key = { fingerprint, sha256: 'SHA256:abc', algorithm: 'ssh-rsa' }

  function keeping() {
    const removed: unknown[] = []
    const listKeys: Handlers['listKeys'] = async () => ({
      keys: [{ ...key, containers: [{ id: 'web-1' }], repositories: [{ id: 'shop-src', write: true }] }],
    })
    const deleteKey: Handlers['deleteKey'] = async ({ params, query }) => void removed.push([params.fingerprint, query])
    return { removed, hosts: { local: { listKeys, deleteKey }, node7: { listKeys, deleteKey } } }
  }

  it('list has a line per key', async () => {
    const { out, exitCode } = await gear('keys list node7', keeping())
    expect(exitCode).toBe(0)
    expect(out.split('\n')[1]).toMatch(new RegExp(`^${fingerprint} +node7 +SHA256:abc +ssh-rsa +web-1, repo://shop-src \\(write\\)`))
  })

  it('remove takes keys by file and by either name out of places', async () => {
    const { removed, hosts } = keeping()
    const words = `keys remove web-1 repo://node7/shop-src --fingerprint ${fingerprint} --fingerprint SHA256:abc`
    expect(await gear(words, { hosts })).toMatchObject({ err: '', exitCode: 0 })
    await gear('keys remove web-1 --key-file ids', { hosts, files: { ids: line } })
    await gear(`keys remove --everywhere node7 --fingerprint ${fingerprint}`, { hosts })
    expect(removed).toHaveLength(6)
    expect(removed).toContainEqual([fingerprint, { container: 'web-1' }])
    expect(removed).toContainEqual([fingerprint, { repository: 'shop-src' }])
    expect(removed.at(-1)).toEqual([fingerprint, {}])
  })

  it.each([
    ['keys', 'gear keys: say what to do'],
    ['keys remove web-1', 'gear keys: remove needs --key-file or --fingerprint, and not both'],
    ['keys remove --fingerprint x', 'gear keys: give at least one container or repository'],
  ])('refuses: gear %s', async (words, message) => {
    const { err, exitCode } = await gear(words, keeping())
    expect(err.slice(0, message.length)).toBe(message)
    expect(exitCode).toBe(1)
  })

  it('says when no key has the fingerprint of ssh-keygen', async () => {
    const { err } = await gear('keys remove web-1 --fingerprint SHA256:none', keeping())
    expect(err).toMatch(/^Error: The key SHA256:none is not stored on this host \[KEY_UNKNOWN\]/)
  })
})
