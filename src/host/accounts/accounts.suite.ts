/** What accounts are, wherever they are kept. `base` is an existing empty folder; `ownerOf` and `modeOf` look past the port. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Login } from '../../api/index.ts'
import type { Files } from '../files/port.ts'
import { codeOfFailure } from '../suites.ts'
import type { Accounts, NewAccount } from './port.ts'

export interface AccountsUnderTest {
  readonly accounts: Accounts
  readonly files: Files
  readonly base: string
  readonly ownerOf: (path: string) => Promise<number | undefined>
  readonly modeOf: (path: string) => Promise<number | undefined>
  /** Starts a process of the account; the function returned ends it. */
  readonly runAs: (login: Login) => Promise<() => Promise<void>>
}

/** Logins of the suite; the longest that useradd takes, with everything an id may have. */
const short = 'ctr-suite.A_b-1' as Login
const long = 'git-Suite.678_0123456789-abcdefg' as Login

export function accountsSuite(make: () => Promise<AccountsUnderTest>): void {
  let under: AccountsUnderTest
  let accounts: Accounts

  beforeEach(async () => {
    under = await make()
    accounts = under.accounts
  })

  afterEach(async () => {
    for (const login of [short, long]) await accounts.remove(login)
  })

  const wanted = (login: Login): NewAccount => ({ login, comment: 'Suite user', home: `${under.base}/${login}/deep/home` })

  test('one that is made is found, with a home of its own', async () => {
    for (const login of [short, long]) {
      expect(await accounts.find(login)).toBeUndefined()
      const made = await accounts.create(wanted(login))
      expect(made).toMatchObject({ login, comment: 'Suite user', home: wanted(login).home, shell: '/bin/sh' })
      expect(made.uid).toBeGreaterThan(0)
      expect(await accounts.find(login)).toEqual(made)
      expect(await under.modeOf(made.home)).toBe(0o700)
      expect(await under.ownerOf(made.home)).toBe(made.uid)
    }
  })

  test('making it again changes nothing, and brings back a home that is gone', async () => {
    const made = await accounts.create(wanted(short))
    await under.files.removeTree(made.home)
    expect(await accounts.create(wanted(short))).toEqual(made)
    expect(await under.ownerOf(made.home)).toBe(made.uid)
  })

  test('one that many make at once is one', async () => {
    const made = await Promise.all(Array.from({ length: 4 }, () => accounts.create(wanted(short))))
    expect(new Set(made.map(account => account.uid)).size).toBe(1)
  })

  test('one of another name or home is not taken over', async () => {
    await accounts.create(wanted(short))
    expect(await codeOfFailure(accounts.create({ ...wanted(short), comment: 'Other user' }))).toBe('ACCOUNT_TAKEN')
    expect(await codeOfFailure(accounts.create({ ...wanted(short), home: `${under.base}/elsewhere` }))).toBe('ACCOUNT_TAKEN')
    expect((await accounts.find(short))?.comment).toBe('Suite user')
  })

  test('they are listed by the start of their login and their comment', async () => {
    await accounts.create(wanted(short))
    await accounts.create(wanted(long))
    const logins = async (prefix: string, comment: string) => (await accounts.list({ prefix, comment })).map(account => account.login)
    expect(await logins('ctr-', 'Suite user')).toEqual([short])
    expect(await logins('git-', 'Suite user')).toEqual([long])
    expect(await logins('ctr-', 'Other user')).toEqual([])
  })

  test('one that is removed is gone, its home is not, and again is no error', async () => {
    const { home } = await accounts.create(wanted(short))
    expect(await accounts.remove(short)).toBe(true)
    expect(await accounts.find(short)).toBeUndefined()
    expect(await under.files.exists(home)).toBe(true)
    expect(await accounts.remove(short)).toBe(false)
  })

  test('one with a running process is not removed', async () => {
    await accounts.create(wanted(short))
    const end = await under.runAs(short)
    expect(await codeOfFailure(accounts.remove(short))).toBe('ACCOUNT_FAILED')
    await end()
    expect(await accounts.remove(short)).toBe(true)
  })

  test('one whose processes are ended can be removed', async () => {
    await accounts.create(wanted(short))
    const end = await under.runAs(short)
    await accounts.endLogins(short)
    expect(await accounts.remove(short)).toBe(true)
    await accounts.endLogins(short)
    await end()
  })

  test('it is given folders with all that is in them, and links but not what they lead to', async () => {
    const account = await accounts.create(wanted(short))
    await under.files.makeFolder(`${under.base}/given/inner`, 0o755)
    await under.files.write(`${under.base}/given/inner/file`, '', 0o600)
    await under.files.write(`${under.base}/kept`, '', 0o600)
    await under.files.link(`${under.base}/kept`, `${under.base}/given/link`)
    await accounts.own(`${under.base}/given`, account)
    expect(await under.ownerOf(`${under.base}/given/inner/file`)).toBe(account.uid)
    expect(await under.ownerOf(`${under.base}/given/link`)).toBe(account.uid)
    expect(await under.ownerOf(`${under.base}/kept`)).not.toBe(account.uid)
    expect(await codeOfFailure(accounts.own(`${under.base}/none`, account))).toBe('ACCOUNT_FAILED')
  })
}
