/**
 * Accounts of the host: `/etc/passwd` is read as it is, so that finding one costs no process; it is changed by `libexec/make-account`, which containers
 * that start use too, and by userdel. useradd of Debian 12 (shadow 4.13) takes logins of up to 32 characters with dots and capitals.
 */
import { GearError } from '../../api/index.ts'
import { findAccount, parseAccountFile } from '../../formats/index.ts'
import type { Commands } from '../commands/port.ts'
import type { Files } from '../files/port.ts'
import { accountFailed } from './errors.ts'
import type { Accounts } from './port.ts'

const accountFile = '/etc/passwd'
/** 100,000 accounts of 160 bytes. */
const accountFileBytesMax = 16 * 1024 * 1024

/** Exit codes of make-account and of userdel(8). */
const accountTaken = 3
const accountUnknown = 6

export function passwdAccounts(files: Pick<Files, 'read'>, commands: Commands): Accounts {
  const read = async (): Promise<string> => (await files.read(accountFile, accountFileBytesMax)) ?? ''

  const accounts: Accounts = {
    find: async login => findAccount(await read(), login),

    list: async ({ prefix, comment }) =>
      parseAccountFile(await read()).filter(account => account.login.startsWith(prefix) && account.comment === comment),

    async create({ login, home, comment, shell = '/bin/sh' }) {
      const { exitCode, stderr } = await commands.run('make-account', [login, home, comment, shell])
      if (exitCode === accountTaken) {
        throw new GearError('ACCOUNT_TAKEN', `Could not make the account ${login}`, { cause: new Error(stderr.trim()) })
      }
      if (exitCode !== 0) throw accountFailed(`make the account ${login}`, stderr)
      const account = await accounts.find(login)
      if (account === undefined) throw accountFailed(`make the account ${login}`, `it is gone from ${accountFile} again`)
      return account
    },

    async remove(login) {
      const { exitCode, stderr } = await commands.run('userdel', [login])
      if (exitCode === accountUnknown) return false
      if (exitCode !== 0) throw accountFailed(`remove the account ${login}`, stderr)
      return true
    },

    async endLogins(login) {
      const { exitCode, stderr } = await commands.run('end-logins', [login])
      if (exitCode !== 0) throw accountFailed(`end the logins of ${login}`, stderr)
    },

    async own(path, { uid, gid }) {
      const { exitCode, stderr } = await commands.run('chown', ['--recursive', '--no-dereference', '-P', '--', `${uid}:${gid}`, path])
      if (exitCode !== 0) throw accountFailed(`give ${path} to user ${uid}`, stderr)
    },
  }
  return accounts
}
