import { expect, test } from 'vitest'
import { withoutCredentials } from './credentials.ts'

test.each([
  ['https://me:se%2Fcret@host:8443/acme/shop.git', 'https://host:8443/acme/shop.git', 'https://host:8443', 'me', 'se/cret'],
  ['http://token@host/shop', 'http://host/shop', 'http://host', 'token', ''],
  ['https://me:a@b@host/shop', 'https://host/shop', 'https://host', 'me', 'a@b'],
  ['https://me:100%@host/shop', 'https://host/shop', 'https://host', 'me', '100%'],
  ['https://me:a%0Ahost=other@host/shop', 'https://host/shop', 'https://host', 'me', 'ahost=other'],
])('of %s git is given no more than %s', (address, plain, host, user, password) => {
  const { settings, ...rest } = withoutCredentials(address)
  expect(Object.keys(settings)).toEqual([`credential.${host}.helper`])
  expect(rest).toEqual({ address: plain, variables: { GEAR_GIT_USER: user, GEAR_GIT_PASSWORD: password } })
})

test.each(['https://host/a@b', 'ssh://git@host/shop', 'git@host:shop', 'file:///srv/git/a@b', 'http://host/?a@b'])(
  '%s stays as it is',
  address => {
    expect(withoutCredentials(address)).toEqual({ address, settings: {}, variables: {} })
  },
)
