/** Public keys on a real host: as they are on disk, as ssh-keygen reads them, and who may change what. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSshFingerprint, parseAuthorizedKey, parseAuthorizedKeys, sshKeyFingerprint } from '../../../src/formats/index.ts'
import { LabHost } from '../lab-host.ts'

const host = new LabHost('web1')
const base = '/var/lib/containers'

beforeAll(() => host.gearDo('install', 'gear/busybox', 'keyed1'))
afterAll(async () => {
  await host.gear('delete', 'keyed1')
})

describe('keys of every kind', () => {
  it('are read as ssh-keygen reads them', async () => {
    const kinds = ['rsa -b 1024', 'rsa -b 4096', 'ecdsa -b 256', 'ecdsa -b 384', 'ecdsa -b 521', 'ed25519', 'dsa']
    await host.sh(
      `rm -rf /tmp/kinds; mkdir /tmp/kinds; cd /tmp/kinds; n=0
       for kind in ${kinds.map(kind => `'${kind}'`).join(' ')}; do n=$((n+1)); ssh-keygen -q -N '' -C "key $n" -f k$n -t $kind; done
       for n in 1 3 6; do ssh-keygen -q -s k2 -I id -n user k$n.pub; done`,
    )
    const text = await host.sh('cat /tmp/kinds/*.pub')
    const keys = parseAuthorizedKeys(text)
    const theirs = (
      await host.sh('cd /tmp/kinds; for f in *-cert.pub; do ssh-keygen -Lf $f >&2; done; for f in *.pub; do ssh-keygen -lf $f; done')
    )
      .trim()
      .split('\n')
    expect(keys).toHaveLength(10)
    expect(theirs).toHaveLength(10)
    for (const [index, { key }] of keys.entries()) {
      // Of a certificate ssh-keygen prints the fingerprint of the key in it.
      if (!key.algorithm.includes('-cert-')) expect(theirs[index]).toContain(` ${openSshFingerprint(key)} `)
    }
  })

  it('are stored once and let in by links, in the layout of the original', async () => {
    const line = await host.sh('cat /tmp/kinds/k6.pub')
    const { key } = parseAuthorizedKey(line)
    const fingerprint = sshKeyFingerprint(key)
    expect(await host.exec(['gear', 'add-keys', 'keyed1'], { input: `no-pty ${line}` })).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Warning: standard input: line 1: the options before the key are dropped\n',
    })
    const file = `${base}/keys/public/${fingerprint.slice(0, 2)}/${fingerprint}`
    const link = `${base}/access/containers/ssh/ke/keyed1/${fingerprint}`
    expect(await host.do(['cat', file])).toBe(`${key.algorithm} ${key.base64}\n`)
    expect(await host.do(['readlink', link])).toBe(`${file}\n`)
    expect(await host.do(['stat', '-c', '%a', file])).toBe('664\n')
    expect(await host.sh(`runuser -u nobody -- cat ${link}`)).toBe(`${key.algorithm} ${key.base64}\n`)
  })

  it('come in by the example of the original, too', async () => {
    const value = (await host.sh('cat /tmp/kinds/k2.pub')).trim()
    const body = JSON.stringify({
      Keys: [{ Type: 'authorized_keys', Value: value }],
      Containers: [{ Id: 'keyed1' }, { Id: 'nobody-knows' }],
    })
    const answer = await host.api('POST', '/keys', { body })
    expect(answer.status).toBe(500)
    expect(JSON.parse(answer.body)).toMatchObject({
      Data: [{ index: 0, message: 'there is no container nobody-knows on this host' }],
      Code: 'KEYS_FAILED',
    })
    expect((await host.sh(`ls ${base}/access/containers/ssh/ke/keyed1`)).trim().split('\n')).toHaveLength(2)
  })

  it('that are wrong are named by their line, and nothing is sent', async () => {
    const outcome = await host.exec(['gear', 'add-keys', 'keyed1', '--key-file', '/dev/stdin'], { input: '# ours\n\nssh-rsa AAAA me\n' })
    expect(outcome).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^gear add-keys: standard input: line 3: /) })
  })

  it('are let in no more once the container is deleted', async () => {
    await host.gearDo('delete', 'keyed1')
    expect((await host.exec(['ls', `${base}/access/containers/ssh/ke/keyed1`])).exitCode).not.toBe(0)
  })
})
