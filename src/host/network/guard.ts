/**
 * Addresses that are not reached for callers who may not reach this host itself. The check is the lookup: what is connected to is the address
 * that was checked, so a name that stands for another one a moment later gains nothing.
 */
import type { LookupFunction } from 'node:net'
import { addressBytes, isGuardedAddress } from './addresses.ts'
import { ownAddresses } from './own-addresses.ts'

export type Guard = (address: string, ownAddresses: readonly string[]) => boolean

export class GuardedAddress extends Error {}

/** A lookup that refuses, with a GuardedAddress. Throws for a host that is written as an address, which nobody looks up. */
export function guardedLookup(host: string, isGuarded: Guard = isGuardedAddress): LookupFunction {
  const own = ownAddresses()
  const name = withoutBrackets(host)
  const refusal = (address: string): Error => new GuardedAddress(refusalText(name, address))
  if (addressBytes(name) !== undefined && isGuarded(name, own)) throw refusal(name)
  return (wanted, options, callback) => {
    process.getBuiltinModule('node:dns').lookup(wanted, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '')
      const guarded = addresses.find(({ address }) => isGuarded(address, own))
      const [first] = addresses
      if (guarded !== undefined) return callback(refusal(guarded.address), '')
      if (first === undefined) return callback(new Error(`${wanted} has no address`), '')
      if (options.all === true) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
}

function refusalText(name: string, address: string): string {
  const what = 'an address of this host or of its local network'
  return name === address ? `${name} is ${what}` : `${name} is ${address}, ${what}`
}

/** Whether a host is, or stands for, such an address. One that nobody knows does not. */
export async function isOwnOrLocal(host: string, isGuarded: Guard): Promise<boolean> {
  const own = ownAddresses()
  const name = withoutBrackets(host)
  if (addressBytes(name) !== undefined) return isGuarded(name, own)
  const { promise, resolve } = Promise.withResolvers<readonly { readonly address: string }[]>()
  process.getBuiltinModule('node:dns').lookup(name, { all: true }, (error, addresses) => resolve(error === null ? addresses : []))
  return (await promise).some(({ address }) => isGuarded(address, own))
}

/** `[::1]`, as URLs have it. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}
