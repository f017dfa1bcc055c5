/**
 * The addresses of this host, and those of the networks that its engines keep within it. Node lists the addresses of interfaces that have a carrier
 * only: the bridge of an engine without running containers has none, and its address is the host's all the same. The kernel's tables have all.
 */
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'

/** Addresses, and networks as `172.17.0.0/16`. */
export function ownAddresses(): readonly string[] {
  const listed = Object.values(networkInterfaces()).flatMap(addresses => (addresses ?? []).map(({ address }) => address))
  return [
    ...new Set([
      ...listed,
      ...localAddresses(table('fib_trie')),
      ...localAddresses6(table('if_inet6')),
      ...innerNetworks(table('route')),
      ...innerNetworks6(table('ipv6_route')),
    ]),
  ]
}

/** Empty on a kernel that has not this table. */
function table(name: string): string {
  try {
    return readFileSync(`/proc/net/${name}`, 'latin1')
  } catch {
    return ''
  }
}

/** `|-- 172.17.0.1` and below it `/32 host LOCAL`. */
export function localAddresses(fibTrie: string): readonly string[] {
  return [...fibTrie.matchAll(/\|-- ([\d.]+)\n\s+\/32 host LOCAL/g)].map(([, address = '']) => address)
}

/** `fe80…0001 02 40 20 80 eth0` */
export function localAddresses6(ifInet6: string): readonly string[] {
  return [...ifInet6.matchAll(/^([0-9a-f]{32}) /gm)].map(([, digits = '']) => colons(digits))
}

/** Bridges that Docker, Podman, CNI and libvirt make. What is behind others may be the network of a site. */
const innerBridge = /^(?:docker\d+|br-[0-9a-f]{12}|podman\d+|cni-\S+|virbr\d+)$/

/** Columns of proc(5): interface, destination, gateway, flags, …, mask; numbers are in the byte order of the machine. */
export function innerNetworks(route: string): readonly string[] {
  return route.split('\n').flatMap(line => {
    const [name = '', destination = '', , , , , , mask = ''] = line.split(/\s+/)
    if (!innerBridge.test(name) || !/^[0-9A-F]{8}$/.test(destination) || !/^[0-9A-F]{8}$/.test(mask)) return []
    const address = Buffer.from(destination, 'hex').reverse().join('.')
    const bits = [...Buffer.from(mask, 'hex')].reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)
    return bits === 0 ? [] : [`${address}/${bits}`]
  })
}

/** Destination and length of its prefix, and at the end the interface. */
export function innerNetworks6(ipv6Route: string): readonly string[] {
  return ipv6Route.split('\n').flatMap(line => {
    const [digits = '', length = '', ...rest] = line.trim().split(/\s+/)
    const bits = Number.parseInt(length, 16)
    return innerBridge.test(rest.at(-1) ?? '') && /^[0-9a-f]{32}$/.test(digits) && bits > 0 ? [`${colons(digits)}/${bits}`] : []
  })
}

function colons(digits: string): string {
  return digits.replace(/(.{4})(?!$)/g, '$1:')
}
