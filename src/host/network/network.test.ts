import { describe, expect, test } from 'vitest'
import { addressBytes, asIpv6, isGuardedAddress, procAddress } from './addresses.ts'
import { FakeNetwork } from './fake.ts'
import { linuxNetwork } from './linux.ts'
import { networkSuite } from './network.suite.ts'
import type { SocketOwner } from './socket-diagnosis.ts'

describe('the fake network', () => {
  networkSuite(async () => {
    const network = new FakeNetwork()
    let port = 20_000
    return {
      network,
      listen: async () => {
        network.listening.add(++port)
        return port
      },
      connect: async ({ to, closed }) => {
        port += 1
        if (closed !== 'all') network.owners.set(port, 1000)
        return { uid: 1000, connection: { localAddress: to, localPort: 1, remoteAddress: to, remotePort: port } }
      },
      serve: async text => {
        const url = `http://127.0.0.1:${++port}/page`
        network.texts.set(url, text)
        return url
      },
    }
  })
})

describe('whose a connection is', () => {
  test('is what the kernel says of it, and no table is read', async () => {
    const answers: SocketOwner[] = [1001, 'none']
    const network = linuxNetwork(
      { read: () => Promise.reject(new Error('read')) },
      {
        diagnose: end => {
          expect(end).toEqual({
            address: Uint8Array.of(127, 0, 0, 1),
            port: 41_001,
            peerAddress: Uint8Array.of(127, 0, 0, 1),
            peerPort: 43_273,
          })
          return answers.shift() ?? 'none'
        },
      },
    )
    expect(await network.ownerOfConnection(connection(41_001))).toBe(1001)
    expect(await network.ownerOfConnection(connection(41_001))).toBeUndefined()
  })

  const row = '   0: 0100007F:{port} 0100007F:A909 01 00000000:00000000 00:00000000 00000000  {uid}        0 71234 1 0\n'
  const connection = (remotePort: number) => ({ localAddress: '127.0.0.1', localPort: 43273, remoteAddress: '127.0.0.1', remotePort })

  test('is asked with few readings of the table, however many connections come at once', async () => {
    const table = [1001, 1002]
      .map(uid => row.replace('{port}', (uid + 40_000).toString(16).toUpperCase()).replace('{uid}', String(uid)))
      .join('')
    const readings: string[] = []
    const network = linuxNetwork(
      {
        read: async path => {
          readings.push(path)
          await new Promise(resolve => setImmediate(resolve))
          return path.endsWith('/tcp') ? table : undefined
        },
      },
      { diagnose: () => 'unknown' },
    )
    const asked = Array.from({ length: 500 }, (_, index) => network.ownerOfConnection(connection(index % 2 === 0 ? 41_001 : 41_002)))
    const owners = await Promise.all(asked)
    expect([...new Set(owners)]).toEqual([1001, 1002])
    expect(readings).toEqual(['/proc/net/tcp'])
  })

  test('is not told from a table that was read before the connection was there', async () => {
    let table = ''
    const network = linuxNetwork(
      {
        read: async path => {
          const text = path.endsWith('/tcp') ? table : undefined
          await new Promise(resolve => setImmediate(resolve))
          return text
        },
      },
      { diagnose: () => 'unknown' },
    )
    const early = network.ownerOfConnection(connection(41_001))
    await Promise.resolve()
    table = row.replace('{port}', 'A029').replace('{uid}', '1001')
    const late = network.ownerOfConnection(connection(41_001))
    expect([await early, await late]).toEqual([undefined, 1001])
  })
})

describe('addresses', () => {
  test.each([
    ['127.0.0.1', '0100007F'],
    ['10.90.0.60', '3C005A0A'],
    ['::1', '00000000000000000000000001000000'],
    ['fe80::1:2', '000080FE000000000000000002000100'],
  ])('%s is spelled %s in /proc/net', (address, spelled) => {
    expect(procAddress(addressBytes(address) ?? Uint8Array.of())).toBe(spelled)
  })

  test('IPv4 within IPv6 is taken apart, and put together again for tables of IPv6', () => {
    expect(addressBytes('::ffff:10.0.0.1')).toEqual(Uint8Array.of(10, 0, 0, 1))
    expect(addressBytes('::ffff:a00:1')).toEqual(Uint8Array.of(10, 0, 0, 1))
    expect(procAddress(asIpv6(Uint8Array.of(127, 0, 0, 1)))).toBe('0000000000000000FFFF00000100007F')
  })

  test.each([
    '127.0.0.1',
    '0.1.2.3',
    '169.254.1.1',
    '239.1.1.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'febf::1',
    'ff02::1',
    '168.63.129.16',
    '100.100.100.200',
    'fd00:ec2::254',
  ])('%s is guarded', address => {
    expect(isGuardedAddress(address, [])).toBe(true)
  })

  test.each(['::ffff:127.0.0.1', '::127.0.0.1', '64:ff9b::7f00:1', '::ffff:0:127.0.0.1', 'fe80::1%eth0'])(
    '%s is guarded in its disguise',
    address => {
      expect(isGuardedAddress(address, [])).toBe(true)
    },
  )

  test.each(['8.8.8.8', '10.0.0.1', '192.168.1.1', '128.0.0.1', '::ffff:8.8.8.8', '2001:db8::1', 'fec0::1', 'fd00::1'])(
    '%s is not',
    address => {
      expect(isGuardedAddress(address, ['10.0.0.2', 'fd00::2'])).toBe(false)
    },
  )

  test('the own addresses of the host are guarded in any form, and what is no address is too', () => {
    expect(isGuardedAddress('::ffff:10.0.0.2', ['10.0.0.2'])).toBe(true)
    expect(isGuardedAddress('fd00:0::2', ['fd00::2'])).toBe(true)
    expect(isGuardedAddress('example.com', [])).toBe(true)
  })
})
