import { describe, expect, it } from 'vitest'
import {
  accountKinds,
  containerOfUnit,
  containerUnit,
  type EnvironmentId,
  type Id,
  idOfAccount,
  isEnvironmentId,
  isId,
  loginOf,
  partition,
} from './ids.ts'

describe('ids', () => {
  it.each(['abcd', 'shop-web.1', 'A_b-c.d', '0123456789abcdefghijklmn'])('%s is one', id => {
    expect(isId(id)).toBe(true)
    expect(containerOfUnit(containerUnit(id as Id))).toBe(id)
  })

  it.each(['', 'abc', '0123456789abcdefghijklmno', '..ab', '.abc', '-abc', '_abc', 'ab/cd', 'abcd\n', 'ab cd', 'äbcd', 'abcd\0'])(
    '%j is none',
    id => {
      expect(isId(id)).toBe(false)
      expect(containerOfUnit(`ctr-${id}.service`)).toBeUndefined()
    },
  )

  it('do not appear in units of others', () => {
    expect(containerOfUnit('docker.service')).toBeUndefined()
    expect(containerOfUnit('ctr-abcd.socket')).toBeUndefined()
  })
})

describe('ids of environments', () => {
  it.each(['abcd', '-kTrNBsz2Zf0dmg6Ff3Vhw', '_kTrNBsz2Zf0dmg6Ff3Vhw', '-_ab', '-..a'])('%s is one, as the original draws them', id => {
    expect(isEnvironmentId(id)).toBe(true)
    expect(partition(id as EnvironmentId)).not.toBe('..')
  })

  it.each(['', '-ab', '-123456789012345678901234', '..ab', '.abc', '-a/b', '-abc\n', '-a b'])('%j is none', id => {
    expect(isEnvironmentId(id)).toBe(false)
  })
})

describe('accounts', () => {
  const { comment } = accountKinds.container

  it('carry the id they are for', () => {
    const login = loginOf('container', 'shop-web.1' as Id)
    expect(login).toBe('ctr-shop-web.1')
    expect(idOfAccount('container', { login, comment })).toBe('shop-web.1')
    expect(loginOf('repository', 'test-repo' as Id)).toBe('git-test-repo')
    expect(idOfAccount('repository', { login: 'git-test-repo', comment: 'Repository user' })).toBe('test-repo')
  })

  it.each([
    ['ctr-shop', 'Repository user'],
    ['ctr-shop', ''],
    ['git-shop', comment],
    ['ctr-abc', comment],
    ['root', comment],
  ])('%s with the name %j is no container', (login, name) => {
    expect(idOfAccount('container', { login, comment: name })).toBeUndefined()
  })
})
