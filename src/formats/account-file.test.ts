import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findAccount, parseAccountFile } from './account-file.ts'

const file = `root:x:0:0:root:/root:/bin/bash
ctr-web-1:x:1001:1002:Container user,,,:/var/lib/containers/home/we/web-1/home:/bin/sh
ctr-web-1x:x:1003:1003:Container user:/home/x:
+nis:::::::
:x:1:1:::
ctr-short:x:1004:1004:Container user
ctr-text:x:one:1004:Container user:/:/bin/sh
ctr-large:x:4294967295:1004:Container user:/:/bin/sh
ctr-colon:x:1:1:Container user:/:/bin/sh:more`

test('accounts are read with the name of their comment', () => {
  expect(parseAccountFile(file).map(({ login, comment, uid, gid, shell }) => ({ login, comment, uid, gid, shell }))).toEqual([
    { login: 'root', comment: 'root', uid: 0, gid: 0, shell: '/bin/bash' },
    { login: 'ctr-web-1', comment: 'Container user', uid: 1001, gid: 1002, shell: '/bin/sh' },
    { login: 'ctr-web-1x', comment: 'Container user', uid: 1003, gid: 1003, shell: '' },
  ])
})

test('an account is found by its whole login', () => {
  expect(findAccount(file, 'ctr-web-1')?.home).toBe('/var/lib/containers/home/we/web-1/home')
  expect(findAccount(file, 'ctr-web')).toBeUndefined()
  expect(findAccount(file, 'ctr-short')).toBeUndefined()
})

test('any text is read without failing, and every entry can be found again', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-c:,x0-9\n+]*$/)), lines => {
      const text = lines.join('\n')
      for (const { login } of parseAccountFile(text)) expect(findAccount(text, login)?.login).toBe(login)
    }),
  )
})
