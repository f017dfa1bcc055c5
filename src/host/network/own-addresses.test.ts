import { describe, expect, test } from 'vitest'
import { isGuardedAddress } from './addresses.ts'
import { innerNetworks, innerNetworks6, localAddresses, localAddresses6, ownAddresses } from './own-addresses.ts'

describe('the addresses of this host', () => {
  test('are those of interfaces without a carrier, too', () => {
    const trie = `Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 172.17.0.0/16 2 0 2
        |-- 172.17.0.0
           /16 link UNICAST
        |-- 172.17.0.1
           /32 host LOCAL
        |-- 172.17.255.255
           /32 link BROADCAST
`
    expect(localAddresses(trie)).toEqual(['172.17.0.1'])
    expect(localAddresses6('fd000000000000000000000000000002 04 40 00 82     eth0\n')).toEqual(['fd00:0000:0000:0000:0000:0000:0000:0002'])
  })

  test('have loopback among them', () => {
    expect(ownAddresses()).toContain('127.0.0.1')
  })
})

describe('networks within this host', () => {
  const route = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
podman0\t0000580A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
br-lan\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
`
  test('are those of the bridges of engines, not those of a site', () => {
    expect(innerNetworks(route)).toEqual(['172.17.0.0/16', '10.88.0.0/16'])
    const zero = '0'.repeat(32)
    expect(innerNetworks6(`fd001234000000000000000000000000 40 ${zero} 00 ${zero} 00000100 1 0 1 docker0\n`)).toEqual([
      'fd00:1234:0000:0000:0000:0000:0000:0000/64',
    ])
    expect(innerNetworks('')).toEqual([])
  })

  test.each([
    ['172.17.3.4', true],
    ['10.88.0.7', true],
    ['::ffff:172.17.3.4', true],
    ['172.18.0.1', false],
    ['192.168.1.7', false],
    ['fd00:1234::7', true],
    ['fd00:1235::7', false],
  ])('have %s: %s', (address, isInner) => {
    expect(isGuardedAddress(address, [...innerNetworks(route), 'fd00:1234::/64'])).toBe(isInner)
  })
})
