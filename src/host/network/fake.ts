/** A network of which a test says who listens, who connects, and what is at which URL. */
import { GearError } from '../../api/index.ts'
import { Faults } from '../faults.ts'
import { isGuardedAddress } from './addresses.ts'
import type { Connection, Network } from './port.ts'

export class FakeNetwork extends Faults<keyof Network> implements Network {
  /** Ports that something on the host listens on. */
  readonly listening = new Set<number>()
  /** What URLs give. */
  readonly texts = new Map<string, string>()
  /** What names resolve to; one that is not here resolves to a public address. */
  readonly names = new Map<string, string>([['localhost', '127.0.0.1']])
  /** What was posted, and the status that each URL answers; 200 unless given. */
  readonly posted: { readonly url: string; readonly json: string }[] = []
  readonly statuses = new Map<string, number>()
  /** User ids by the remote port of a connection. */
  readonly owners = new Map<number, number>()

  async isPortFree(port: number): Promise<boolean> {
    await this.meet('isPortFree', String(port))
    return !this.listening.has(port)
  }

  async ownerOfConnection(connection: Connection): Promise<number | undefined> {
    await this.meet('ownerOfConnection', String(connection.remotePort))
    return this.owners.get(connection.remotePort)
  }

  async isOwnOrLocal(host: string): Promise<boolean> {
    await this.meet('isOwnOrLocal', host)
    return isGuardedAddress(this.#addressOf(host.replace(/^\[(.*)\]$/, '$1')), [])
  }

  async fetchText(
    url: string,
    options: { readonly maxBytes: number; readonly timeoutMs: number; readonly mayReachHost: boolean },
  ): Promise<string> {
    await this.meet('fetchText', url)
    const refuse = (why: string, status?: number): GearError =>
      new GearError('ENVIRONMENT_FETCH_FAILED', `Could not read ${url}`, {
        cause: new Error(why),
        ...(status === undefined ? {} : { data: { status } }),
      })
    const guard = this.#guard(url, options)
    if (guard !== undefined) throw refuse(guard)
    const text = this.texts.get(url)
    if (text === undefined) throw refuse('it answered 404', 404)
    if (Buffer.byteLength(text) > options.maxBytes) throw refuse(`it has more than ${options.maxBytes} bytes`)
    return text
  }

  async postJson(url: string, json: string, options: { readonly timeoutMs: number; readonly mayReachHost: boolean }): Promise<number> {
    await this.meet('postJson', url)
    const guard = this.#guard(url, options)
    if (guard !== undefined) throw new GearError('CALLBACK_FAILED', `Could not call ${url}`, { cause: new Error(guard) })
    this.posted.push({ url, json })
    return this.statuses.get(url) ?? (this.texts.size === 0 || this.texts.has(url) ? 200 : 404)
  }

  #guard(url: string, { mayReachHost }: { readonly mayReachHost: boolean }): string | undefined {
    const name = URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, '$1') : ''
    return !mayReachHost && isGuardedAddress(this.#addressOf(name), [])
      ? `${name} is an address of this host or its local network`
      : undefined
  }

  #addressOf(name: string): string {
    return this.names.get(name) ?? (/^[\d.]+$|:/.test(name) ? name : '203.0.113.1')
  }
}
