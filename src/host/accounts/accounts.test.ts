import { describe, expect, test } from 'vitest'
import type { Login } from '../../api/index.ts'
import { FakeClock } from '../clock/fake.ts'
import { FakeCommands } from '../commands/fake.ts'
import { FakeFiles } from '../files/fake.ts'
import { accountsSuite } from './accounts.suite.ts'
import { FakeAccounts } from './fake.ts'
import { passwdAccounts } from './passwd.ts'

describe('fake accounts', () => {
  accountsSuite(async () => {
    const files = new FakeFiles(new FakeClock())
    files.putFolder('/base')
    const accounts = new FakeAccounts(files)
    return {
      accounts,
      files,
      base: '/base',
      ownerOf: async path => accounts.ownerOf(path),
      modeOf: async path => files.modeOf(path),
      runAs: async login => {
        accounts.busy.add(login)
        return async () => void accounts.busy.delete(login)
      },
    }
  })
})

describe('accounts of /etc/passwd', () => {
  const wanted = { login: 'ctr-web-1' as Login, comment: 'Container user', home: '/base/home' }
  const line = 'ctr-web-1:x:1001:1001:Container user:/base/home:/bin/sh\n'

  function make(passwd = 'root:x:0:0:root:/root:/bin/sh\n') {
    const files = new FakeFiles(new FakeClock())
    files.put('/etc/passwd', passwd)
    const commands = new FakeCommands()
    return { commands, accounts: passwdAccounts(files, commands) }
  }

  test('a tool that fails is quoted', async () => {
    const { commands, accounts } = make()
    commands.answer('make-account', () => ({ exitCode: 1, stderr: 'useradd: cannot lock /etc/passwd; try again later.\n' }))
    commands.answer('userdel', () => ({ exitCode: 8, stderr: 'userdel: user ctr-web-1 is currently used by process 7\n' }))
    await expect(accounts.create(wanted)).rejects.toMatchObject({ code: 'ACCOUNT_FAILED', cause: { message: /cannot lock/ } })
    await expect(accounts.remove(wanted.login)).rejects.toMatchObject({ code: 'ACCOUNT_FAILED', cause: { message: /process 7/ } })
  })

  test("somebody else's account is told from a failure", async () => {
    const { commands, accounts } = make()
    commands.answer('make-account', () => ({ exitCode: 3, stderr: "the account ctr-web-1 is there with the name 'Otto'\n" }))
    await expect(accounts.create(wanted)).rejects.toMatchObject({ code: 'ACCOUNT_TAKEN', cause: { message: /Otto/ } })
  })

  test('one that somebody removes in the same moment is a failure', async () => {
    const { commands, accounts } = make()
    commands.answer('make-account', () => ({}))
    await expect(accounts.create(wanted)).rejects.toMatchObject({ code: 'ACCOUNT_FAILED' })
  })

  test('nothing is run to find one', async () => {
    const { commands, accounts } = make(line)
    expect(await accounts.find(wanted.login)).toMatchObject({ uid: 1001, home: '/base/home' })
    expect(commands.calls).toEqual([])
  })
})
