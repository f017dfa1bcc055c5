/** Accounts in memory, with homes in the fake files. */
import { accountKinds, GearError, type Login } from '../../api/index.ts'
import type { Account } from '../../formats/index.ts'
import { Faults } from '../faults.ts'
import type { Files } from '../files/port.ts'
import { accountFailed } from './errors.ts'
import type { Accounts, NewAccount } from './port.ts'

export class FakeAccounts extends Faults<keyof Accounts> implements Accounts {
  /** Logins of which a process runs. */
  readonly busy = new Set<string>()
  readonly #files: Pick<Files, 'exists' | 'makeFolder'>
  readonly #accounts = new Map<string, Account>()
  readonly #owners = new Map<string, number>()
  #lastUid = 1000

  constructor(files: Pick<Files, 'exists' | 'makeFolder'>) {
    super()
    this.#files = files
  }

  /** An account as if somebody had made it; what is not given is that of a container's. */
  add(login: string, given: Partial<Account> = {}): Account {
    const uid = ++this.#lastUid
    const comment = accountKinds.container.comment
    const account: Account = { login, uid, gid: uid, comment, home: `/home/${login}`, shell: '/bin/sh', ...given }
    this.#accounts.set(login, account)
    return account
  }

  get logins(): readonly string[] {
    return [...this.#accounts.keys()]
  }

  /** Who owns the file, as far as it was given to anybody. */
  ownerOf(path: string): number | undefined {
    return this.#owners.get(path) ?? [...this.#owners].findLast(([folder]) => path.startsWith(`${folder}/`))?.[1]
  }

  async find(login: Login): Promise<Account | undefined> {
    await this.meet('find', login)
    return this.#accounts.get(login)
  }

  async list({ prefix, comment }: { readonly prefix: string; readonly comment: string }): Promise<readonly Account[]> {
    await this.meet('list', prefix)
    return [...this.#accounts.values()].filter(account => account.login.startsWith(prefix) && account.comment === comment)
  }

  async create(wanted: NewAccount): Promise<Account> {
    await this.meet('create', wanted.login)
    const { login, comment, home, shell = '/bin/sh' } = wanted
    const account = this.#accounts.get(login) ?? this.add(login, { comment, home, shell })
    if (account.comment !== comment || account.home !== home) throw new GearError('ACCOUNT_TAKEN', `Could not make the account ${login}`)
    await this.#files.makeFolder(home.slice(0, home.lastIndexOf('/')), 0o775)
    await this.#files.makeFolder(home, 0o700)
    this.#owners.set(home, account.uid)
    return account
  }

  async remove(login: Login): Promise<boolean> {
    await this.meet('remove', login)
    if (this.busy.has(login)) throw accountFailed(`remove the account ${login}`, `user ${login} is currently used by process 1`)
    return this.#accounts.delete(login)
  }

  async endLogins(login: Login): Promise<void> {
    await this.meet('endLogins', login)
    this.busy.delete(login)
  }

  async own(path: string, { uid }: Pick<Account, 'uid' | 'gid'>): Promise<void> {
    await this.meet('own', path)
    if (!(await this.#files.exists(path))) throw accountFailed(`give ${path} to user ${uid}`, 'No such file or directory')
    this.#owners.set(path, uid)
  }
}
