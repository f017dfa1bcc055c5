/**
 * The port to the accounts of this host: those of `/etc/passwd`, which are the only ones gear makes and the only ones it looks for (a directory
 * service that has the same login does not count).
 */
import type { Login } from '../../api/index.ts'
import type { Account } from '../../formats/index.ts'

export interface NewAccount {
  readonly login: Login
  readonly comment: string
  /** Absolute. Made with mode 0700 and its parents with 0775 (spec §5.4), where they are missing. */
  readonly home: string
  /** `/bin/sh` unless said otherwise. A forced command of sshd is run by it, so it must be a shell. */
  readonly shell?: string
}

/** Errors: ACCOUNT_FAILED (the tool's words are in it) and ACCOUNT_TAKEN. A missing account is undefined, not an error. */
export interface Accounts {
  find(login: Login): Promise<Account | undefined>
  /** The accounts whose login starts with the prefix and whose comment is this one, in the order of their making. */
  list(which: { readonly prefix: string; readonly comment: string }): Promise<readonly Account[]>
  /**
   * Makes the account with a group of its own name, without a password (but not locked: sshd takes its keys), and a home that is its own. One that is there
   * already with the same comment and home is left as it is, and its home is looked after. ACCOUNT_TAKEN when it has another comment or home.
   */
  create(account: NewAccount): Promise<Account>
  /** Removes the account and its group; the home stays. False when there is none. ACCOUNT_FAILED while a process of the account runs. */
  remove(login: Login): Promise<boolean>
  /**
   * Ends every process of the account on the host itself, its SSH connections among them, and what those started in its container, as root or not.
   * Processes of a container that has the same user id go on. An account that is missing is no error; ACCOUNT_FAILED when one does not end.
   */
  endLogins(login: Login): Promise<void>
  /** Makes a file, or a folder and everything in it, the account's own. Follows no link; a missing one is ACCOUNT_FAILED. */
  own(path: string, account: Pick<Account, 'uid' | 'gid'>): Promise<void>
}
