import { expect, test } from 'vitest'
import { adviceOn, refusalIn } from './advice.ts'

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
  const refusal = refusalIn(said)
  expect(refusal === undefined ? '' : adviceOn(refusal, 'git-shop')).toContain(advice)
})

test('what speaks for itself is left as it is', () => {
  expect(refusalIn('fatal: repository not found')).toBe(undefined)
})

test('a key that is not let in is told, to be added there', () => {
  const publicKey = 'ssh-ed25519 AAAA git-shop'
  expect(adviceOn('keyRefused', 'git-shop', { publicKey })).toMatch(/add it there.*: ssh-ed25519 AAAA git-shop$/)
})

test('a host that is not known is told by what it shows, with the key that it has to let in', () => {
  const advice = adviceOn('hostUnknown', 'git-shop', { publicKey: 'ssh-ed25519 AAAA git-shop', shown: ['SHA256:abc'] })
  expect(advice).toMatch(/It shows SHA256:abc: .*--host-key.*let in there: ssh-ed25519 AAAA git-shop$/)
})
