import { expect, test } from 'vitest'
import { adviceOn } from './advice.ts'

test.each([
  [
    'No ED25519 host key is known for node7 and you have requested strict checking.\nHost key verification failed.',
    'is not known to git-shop',
  ],
  ['@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.', 'has another key than the one'],
  ['git-shop@node7: Permission denied (publickey).', 'lets no key of git-shop in'],
  ['fatal: unable to access: server certificate verification failed. CAfile: none CRLfile: none', 'update-ca-certificates'],
  ["SSL: certificate subject name 'a' does not match target hostname 'b'", 'update-ca-certificates'],
])('%j is advised on', (said, advice) => {
  expect(adviceOn(said, 'git-shop')).toContain(advice)
})

test('what speaks for itself is left as it is', () => {
  expect(adviceOn('fatal: repository not found', 'git-shop')).toBe(undefined)
})
