import { describe, expect, it } from 'vitest'
import { contract } from './contract.ts'
import { GearError } from './errors.ts'
import { fromWire } from './wire.ts'

const body = contract.installContainer.body ?? expect.fail('an install has a body')

/** The field that is refused, with its rule; undefined when the wish is taken. */
function refusal(wish: object): string | undefined {
  try {
    fromWire(body, { Image: 'acme/shop', ...wish })
    return undefined
  } catch (error) {
    if (error instanceof GearError) return error.message
    throw error
  }
}

describe('wishes of an install', () => {
  it.each([
    ['capabilities for a user who gets none', { Isolate: true, CapAdd: ['NET_ADMIN'] }, /^CapAdd must not be given with Isolate/],
    ['a capability given and taken', { CapAdd: ['CHOWN'], CapDrop: ['cap_chown'] }, /^CapDrop must not name what CapAdd names$/],
    [
      'capabilities taken that an isolated one could win back',
      { Isolate: true, CapDrop: ['KILL'], NewPrivileges: true },
      /^CapDrop must not be given/,
    ],
    ['a read-only image whose user has to be written', { Isolate: true, ReadOnly: true }, /^ReadOnly must not be given with Isolate/],
    [
      'a user of the host in a namespace without it',
      { Isolate: true, UserNamespace: 'auto' },
      /^UserNamespace must not be given with Isolate/,
    ],
    [
      'folders of the host for numbers that it has not',
      { UserNamespace: 'auto', VolumeConfig: { VolumeMounts: [{ Path: '/srv', HostPath: '/data' }] } },
      /^UserNamespace .* with VolumeMounts/,
    ],
    ['a quota of nobody', { Quota: '1g' }, /^Quota must be given with Isolate/],
  ])('%s exclude each other', (_, wish, message) => {
    expect(refusal(wish)).toMatch(message)
  })

  it.each([
    { CapAdd: ['NET_RAW'], CapDrop: ['ALL'], NewPrivileges: true, ReadOnly: true, SeccompProfile: 'unconfined' },
    { Isolate: true, CapDrop: ['ALL'], Quota: '1g' },
    { Isolate: true, NewPrivileges: true, ReadOnly: false, UserNamespace: '', Quota: '10g' },
    { UserNamespace: 'auto', ReadOnly: true, Quota: '0', VolumeConfig: { Volumes: [{ Path: '/data' }] } },
    { CapAdd: null, CapDrop: [], SeccompProfile: '', Quota: null },
  ])('%j go together', wish => {
    expect(refusal(wish)).toBeUndefined()
  })

  it.each(['seccomp.json', '/', '/etc/../x', '/a:b', '/a,b', 'Unconfined'])('no profile is called %j', path => {
    expect(refusal({ SeccompProfile: path })).toMatch(/^SeccompProfile must be unconfined or/)
  })
})
