import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parseRequestId } from '../formats/index.ts'
import { connect, freshRequestId } from './connect.ts'
import { startFakeServer } from './fake-server.ts'
import { request } from './request.ts'

const folder = mkdtempSync(join(tmpdir(), 'gear-connect-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileWith(text: string, mode = 0o600): string {
  const path = join(folder, `token-${Math.random()}`)
  writeFileSync(path, text, { mode })
  return path
}

describe('connect', () => {
  it('sends the token of a file', async () => {
    await using server = await startFakeServer(response => response.writeHead(204).end())
    const client = connect(server.address, { tokenFile: fileWith('s3cret\n') })
    await client.call(request('startContainer', { params: { id: 'web-1' } }))
    await client.close()
    expect(server.received[0]?.headers.authorization).toBe('Bearer s3cret')
  })

  it('refuses a token file that is missing, empty, or is none', () => {
    const address = { kind: 'socket', path: '/nonexistent' } as const
    const refused = expect.objectContaining({ code: 'TOKEN_FILE_REFUSED' })
    expect(() => connect(address, { tokenFile: join(folder, 'missing') })).toThrow(refused)
    expect(() => connect(address, { tokenFile: fileWith('\n') })).toThrow(refused)
    expect(() => connect(address, { tokenFile: fileWith('a\nInjected: more words') })).toThrow(/line 1/)
  })

  it.each([0o640, 0o604, 0o620, 0o602])('refuses a token file of mode %o, and says nothing of what is in it', mode => {
    const path = fileWith('s3cret', mode)
    chmodSync(path, mode)
    const address = { kind: 'tcp', host: 'node7', port: 43273 } as const
    expect(() => connect(address, { tokenFile: path })).toThrow(
      expect.objectContaining({ code: 'TOKEN_FILE_REFUSED', message: expect.not.stringContaining('s3cret') }),
    )
  })

  it('sends each host the token that the file has for it, and none to others', async () => {
    await using server = await startFakeServer(response => response.writeHead(204).end())
    const tokenFile = fileWith('node7 for-node7\n')
    const client = connect(server.address, { tokenFile })
    await client.call(request('startContainer', { params: { id: 'web-1' } }))
    await client.close()
    expect(server.received[0]?.headers.authorization).toBeUndefined()
  })

  it('names the agent as it is reached', async () => {
    const call = connect({ kind: 'tcp', host: '::1', port: 1 }).call(request('listContainers', {}))
    await expect(call).rejects.toThrow('The agent at [::1]:1 cannot be reached')
  })
})

describe('freshRequestId', () => {
  it('draws another id each time, in the form of the wire', () => {
    const ids = Array.from({ length: 10 }, freshRequestId)
    expect(new Set(ids).size).toBe(10)
    for (const id of ids) expect(parseRequestId(id)).toBe(id)
  })
})
