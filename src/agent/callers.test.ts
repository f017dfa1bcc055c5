import { describe, expect, test } from 'vitest'
import { fakeHost } from '../host/fakes.ts'
import { groupEntry, hostRefusal, isLoopback, Members, memberIds, namesOfHost, pageRefusal, peerOf, Token } from './callers.ts'

const group = 'root:x:0:\ngear:x:990:alice,bob\ngears:x:991:mallory\n'
const passwd =
  'root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\nbob:x:1001:1001:::\ncarol:x:1002:990:::\nmallory:x:1003:991:::\nbroken\n'

test('the group has those it lists and those whose own group it is', () => {
  expect([...memberIds(group, passwd)].sort()).toEqual([1000, 1001, 1002])
})

test('without the group nobody is in it', () => {
  expect(memberIds('root:x:0:\n', passwd).size).toBe(0)
  expect(groupEntry('gear:x::alice\n')).toBeUndefined()
})

describe('at the other end of a loopback connection', () => {
  const connection = { localAddress: '127.0.0.1', localPort: 43273, remoteAddress: '127.0.0.1', remotePort: 5 }

  async function peer(uid: number | undefined): Promise<unknown> {
    const host = fakeHost()
    host.files.put('/etc/group', group)
    host.files.put('/etc/passwd', passwd)
    if (uid !== undefined) host.network.owners.set(5, uid)
    return peerOf(connection, host.network, new Members(host))
  }

  test.each([0, 1000, 1002])('user %d may call', async uid => {
    expect(await peer(uid)).toEqual({ isRoot: true })
  })

  test.each([1003, 65534, undefined])('user %s may not', async uid => {
    expect(await peer(uid)).toMatchObject({ code: 'CALLER_REFUSED' })
  })

  test('a failing look-up is a refusal', async () => {
    const host = fakeHost()
    expect(await peerOf(connection, { ownerOfConnection: () => Promise.reject(new Error('broken')) }, new Members(host))).toMatchObject({
      code: 'INTERNAL',
    })
  })
})

test('the members are read again after a while', async () => {
  const host = fakeHost()
  host.files.put('/etc/group', group)
  host.files.put('/etc/passwd', passwd)
  const members = new Members(host)
  expect(await members.includes(1000)).toBe(true)
  host.files.put('/etc/group', 'gear:x:990:\n')
  expect(await members.includes(1000)).toBe(true)
  host.clock.jump(-86_400_000)
  await host.clock.advance(6_000)
  expect(await members.includes(1000)).toBe(false)
  expect(await members.includes(0)).toBe(true)
})

test.each(['localhost', 'LOCALHOST.', '127.0.0.1', '127.9.9.9', '::1', '[::1]', '::ffff:127.0.0.1'])('%s is loopback', name => {
  expect(isLoopback(name)).toBe(true)
})

test.each(['localhost.evil.example', '127.0.0.1.evil.example', '128.0.0.1', '0.0.0.0', '::', '127', ''])('%j is not', name => {
  expect(isLoopback(name)).toBe(false)
})

test.each([
  { origin: 'http://evil.example' },
  { origin: 'null' },
  { origin: '' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-origin' },
])('a request with %j comes from a page', headers => {
  expect(pageRefusal(headers)).toMatchObject({ code: 'BROWSER_REFUSED' })
})

test('a request without them, or that somebody typed into a browser, does not', () => {
  expect(pageRefusal({})).toBeUndefined()
  expect(pageRefusal({ 'sec-fetch-site': 'none' })).toBeUndefined()
})

describe('the Host of a request', () => {
  const own = { localAddress: '::ffff:10.90.0.2', ownNames: new Set(['node7', 'node7.example', '192.0.2.7']), authority: undefined }

  test.each(['localhost:43273', '127.0.0.1', '[::1]:43273', '10.90.0.2:43273', 'Node7:43273', 'node7.example.', '192.0.2.7'])(
    'may be %s',
    host => {
      expect(hostRefusal({ headers: { host }, ...own })).toBeUndefined()
    },
  )

  test.each(['evil.example', 'node7.evil.example', '10.90.0.3', 'localhost.evil.example:43273', '[fe80::1]', 'a:b:c', 'node7,evil'])(
    'may not be %s',
    host => {
      expect(hostRefusal({ headers: { host }, ...own })).toMatchObject({ code: 'BROWSER_REFUSED' })
    },
  )

  test('may be missing, which no browser does', () => {
    expect(hostRefusal({ headers: {}, ...own })).toBeUndefined()
  })

  test('in the request line counts as well', () => {
    expect(hostRefusal({ headers: { host: 'localhost' }, ...own, authority: 'evil.example' })).toMatchObject({ code: 'BROWSER_REFUSED' })
  })
})

test('a host goes by its name, the short form of it, and those beside it in /etc/hosts', () => {
  const hosts = '127.0.0.1 localhost\n127.0.1.1\tNode7.example.com  node7 db # node9\n#10.0.0.1 node7 gone\n10.0.0.8 node8 other\n'
  expect(new Set(namesOfHost('node7', hosts))).toEqual(new Set(['node7', 'node7.example.com', 'db']))
  expect(new Set(namesOfHost('Node7.example.com', ''))).toEqual(new Set(['node7.example.com', 'node7']))
})

describe('a token', () => {
  const token = new Token('a-token-of-20-letters')

  test('opens to whoever has it', () => {
    expect(token.refusal({ authorization: 'Bearer a-token-of-20-letters' })).toBeUndefined()
    expect(token.refusal({ authorization: 'bearer  a-token-of-20-letters' })).toBeUndefined()
  })

  test.each([undefined, '', 'Bearer', 'Bearer ', 'Basic a-token-of-20-letters', 'Bearer a-token', 'Bearer a-token-of-20-letters more'])(
    'refuses %j',
    authorization => {
      expect(token.refusal(authorization === undefined ? {} : { authorization })).toMatchObject({ code: 'TOKEN_REQUIRED' })
    },
  )
})
