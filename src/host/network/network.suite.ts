/** What a network does for gear. Listeners, connections and pages are made past the port. */
import { beforeEach, describe, expect, test } from 'vitest'
import { codeOfFailure } from '../suites.ts'
import type { Connection, Network } from './port.ts'

export interface NetworkUnderTest {
  readonly network: Network
  /** Listens on a free port of the address until the test ends. */
  readonly listen: (address: string) => Promise<number>
  /** A connection within the host to a listener of the address, as that sees it, and whose it is. */
  readonly connect: (from: {
    readonly listener: string
    readonly to: string
    /** What the client has closed of it: nothing, its side (it still waits for an answer), or all. */
    readonly closed?: 'nothing' | 'sending' | 'all'
  }) => Promise<{ readonly connection: Connection; readonly uid: number }>
  /** Serves the text at a URL of this host. */
  readonly serve: (text: string) => Promise<string>
}

export function networkSuite(make: () => Promise<NetworkUnderTest>): void {
  let under: NetworkUnderTest
  let network: Network

  beforeEach(async () => {
    under = await make()
    network = under.network
  })

  describe('ports', () => {
    test.each(['0.0.0.0', '127.0.0.1', '::', '::1'])('one on which something listens at %s is not free', async address => {
      expect(await network.isPortFree(await under.listen(address))).toBe(false)
    })

    test('one on which nothing listens is free, for all who ask at once', async () => {
      expect(await Promise.all([network.isPortFree(1), network.isPortFree(1), network.isPortFree(1)])).toEqual([true, true, true])
      expect(await network.isPortFree(1)).toBe(true)
    })
  })

  describe('the owner of a connection', () => {
    test.each([
      { listener: '127.0.0.1', to: '127.0.0.1' },
      { listener: '::1', to: '::1' },
      { listener: '::', to: '127.0.0.1' },
      { listener: '::', to: '::ffff:127.0.0.1' },
    ])('is known for one to $to at a listener on $listener', async addresses => {
      const { connection, uid } = await under.connect(addresses)
      expect(await network.ownerOfConnection(connection)).toBe(uid)
    })

    test('is known when the client sends no more and waits for the answer', async () => {
      const { connection, uid } = await under.connect({ listener: '127.0.0.1', to: '127.0.0.1', closed: 'sending' })
      expect(await network.ownerOfConnection(connection)).toBe(uid)
    })

    test('is not known when the client has closed it: the kernel would name root', async () => {
      const { connection } = await under.connect({ listener: '127.0.0.1', to: '127.0.0.1', closed: 'all' })
      expect(await network.ownerOfConnection(connection)).toBeUndefined()
    })

    test('is not known for one that does not exist', async () => {
      const address = { localAddress: '127.0.0.1', localPort: 9, remoteAddress: '127.0.0.1', remotePort: 9 }
      expect(await network.ownerOfConnection(address)).toBeUndefined()
    })
  })

  test('a host is told apart from this one and its local network', async () => {
    for (const host of ['localhost', '127.0.0.1', '[::1]', '169.254.169.254', '0.0.0.0'])
      expect(await network.isOwnOrLocal(host), host).toBe(true)
    expect(await network.isOwnOrLocal('203.0.113.7')).toBe(false)
  })

  describe('fetching', () => {
    const options = { maxBytes: 100, timeoutMs: 5000, mayReachHost: true }

    test('gives the text', async () => {
      expect(await network.fetchText(await under.serve('A=1\nB=zwölf\n'), options)).toBe('A=1\nB=zwölf\n')
    })

    test('of too much fails, of just as much does not', async () => {
      expect(await network.fetchText(await under.serve('x'.repeat(100)), options)).toHaveLength(100)
      expect(await codeOfFailure(network.fetchText(await under.serve('x'.repeat(101)), options))).toBe('ENVIRONMENT_FETCH_FAILED')
    })

    test('of what is not there fails', async () => {
      expect(await codeOfFailure(network.fetchText(`${await under.serve('x')}/none`, options))).toBe('ENVIRONMENT_FETCH_FAILED')
    })

    test('of what is no web address fails', async () => {
      for (const url of ['file:///etc/passwd', 'nonsense', '']) {
        expect(await codeOfFailure(network.fetchText(url, options))).toBe('ENVIRONMENT_FETCH_FAILED')
      }
    })

    test.each([
      'http://127.0.0.1',
      'http://127.1.2.3',
      'http://2130706433',
      'http://0x7f.1',
      'http://0.0.0.0',
      'http://[::1]',
      'http://[::]',
      'http://[::ffff:127.0.0.1]',
      'http://[::ffff:7f00:1]',
      'http://169.254.169.254',
      'http://[fe80::1]',
      'http://224.0.0.1',
      'http://localhost',
    ])('from %s is refused to who may not reach the host', async origin => {
      const port = new URL(await under.serve('secret')).port
      await expect(network.fetchText(`${origin}:${port}/page`, { ...options, mayReachHost: false })).rejects.toMatchObject({
        code: 'ENVIRONMENT_FETCH_FAILED',
        cause: { message: expect.stringMatching(/address of this host/) },
      })
    })
  })

  describe('posting', () => {
    const options = { timeoutMs: 5000, mayReachHost: true }

    test('answers the status, whatever it is', async () => {
      const page = await under.serve('text')
      expect(await network.postJson(page, '{}', options)).toBe(200)
      expect(await network.postJson(`${page}-nowhere`, '{}', options)).toBe(404)
    })

    test.each(['http://127.0.0.1/', 'http://localhost/', 'http://[::1]/', 'http://169.254.169.254/'])(
      'to %s is not for everybody',
      async url => {
        await expect(network.postJson(url, '{}', { ...options, mayReachHost: false })).rejects.toMatchObject({
          code: 'CALLBACK_FAILED',
          cause: { message: expect.stringMatching(/address of this host/) },
        })
      },
    )
  })
}
