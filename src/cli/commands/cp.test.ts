import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FileKind, GearError, type Handlers, type SessionOutput } from '../../api/index.ts'
import { type NewTarEntry, printTar, readTar } from '../../formats/index.ts'
import { Handover } from '../../lib/index.ts'
import { gear } from '../fake-context.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gear-cp-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const at = (...names: readonly string[]): string => join(folder, ...names)
const plain = { mode: 0o640, modifiedMs: 1_700_000_000_000, size: 0, target: '', owner: { uid: 0, gid: 0 } } as const
const file = (name: string, text = 'text'): NewTarEntry => ({
  ...plain,
  name,
  type: 'file',
  size: text.length,
  bytes: from(Buffer.from(text)),
})
const dir = (name: string): NewTarEntry => ({ ...plain, name, type: 'folder', mode: 0o755 })
const link = (name: string, target: string): NewTarEntry => ({ ...plain, name, type: 'link', target })

/** Each time from the beginning. */
function from<Item>(...items: readonly Item[]): AsyncIterable<Item> {
  return {
    async *[Symbol.asyncIterator]() {
      yield* items
    },
  }
}

/** A container that has this under every path. */
function having(kind: FileKind, ...entries: readonly NewTarEntry[]) {
  const getFileKind: Handlers['getFileKind'] = async () => ({ kind })
  const readFiles: Handlers['readFiles'] = async () => ({ bytes: printTar(from(...entries)), mediaType: '', fileName: '' })
  return { hosts: { local: { getFileKind, readFiles } } }
}

describe('gear cp out of a container', () => {
  it('gives a file the name it is to have, with its mode and time', async () => {
    expect(await gear(['cp', 'web-1:/etc/conf', at('mine')], having('file', file('conf')))).toEqual({ out: '', err: '', exitCode: 0 })
    expect(readFileSync(at('mine'), 'utf8')).toBe('text')
    expect(statSync(at('mine')).mode & 0o7777).toBe(0o640)
    expect(statSync(at('mine')).mtimeMs).toBe(1_700_000_000_000)
    expect(readdirSync(folder)).toEqual(['mine'])
  })

  it('fills folders that are there, and replaces files', async () => {
    mkdirSync(at('data/sub'), { recursive: true })
    for (const name of ['data/old', 'data/sub/a']) writeFileSync(at(name), 'old')
    const container = having('folder', dir('data/'), dir('data/sub/'), file('data/sub/a'), link('data/up', 'sub/a'), file('data/b'))
    expect((await gear(['cp', 'web-1:/x/data', folder], container)).exitCode).toBe(0)
    expect(readdirSync(at('data')).sort()).toEqual(['b', 'old', 'sub', 'up'])
    expect(readFileSync(at('data/sub/a'), 'utf8')).toBe('text')
    expect(readlinkSync(at('data/up'))).toBe('sub/a')
    expect((await gear(['cp', 'web-1:/x/data/.', at('new')], container)).exitCode).toBe(0)
    expect(readdirSync(at('new')).sort()).toEqual(['b', 'sub', 'up'])
    expect((await gear(['cp', 'web-1:/x/data/.', at('new/sub')], container)).exitCode).toBe(0)
    expect(readdirSync(at('new/sub')).sort()).toEqual(['a', 'b', 'sub', 'up'])
  })

  it('follows a link that is its destination, and no other', async () => {
    mkdirSync(at('real'))
    mkdirSync(at('elsewhere'))
    symlinkSync('real', at('named'))
    symlinkSync(at('elsewhere'), at('real/data'))
    expect((await gear(['cp', 'web-1:/f', at('named')], having('file', file('f')))).exitCode).toBe(0)
    expect(readdirSync(at('real')).sort()).toEqual(['data', 'f'])
    const { err, exitCode } = await gear(['cp', 'web-1:/data', at('named')], having('folder', dir('data'), file('data/f')))
    expect(exitCode).toBe(1)
    expect(err).toContain('nothing was changed')
    expect(readdirSync(at('elsewhere'))).toEqual([])
    writeFileSync(at('kept'), 'kept')
    symlinkSync(at('kept'), at('real/l'))
    expect((await gear(['cp', 'web-1:/data/.', at('named')], having('folder', dir('data'), file('data/l')))).exitCode).toBe(0)
    expect(readFileSync(at('kept'), 'utf8')).toBe('kept')
    expect(lstatSync(at('real/l')).isFile()).toBe(true)
  })

  it('leaves out what leads out of it, says so and ends with 1', async () => {
    const container = having('folder', dir('data'), link('data/l', '/etc/shadow'), file('data/f'))
    const { err, exitCode } = await gear(['cp', 'web-1:/data', at('data')], container)
    expect(err).toBe('Left out: data/l: it leads to /etc/shadow, out of what is copied\n')
    expect(exitCode).toBe(1)
    expect(readdirSync(at('data'))).toEqual(['f'])
  })

  it.each([
    ['that is hostile', having('folder', dir('data'), file('data/f'), file('data/../../x'))],
    ['that breaks off', { hosts: { local: { ...having('folder').hosts.local, readFiles: brokenOff } } }],
    ['that is none', { hosts: { local: { ...having('folder').hosts.local, readFiles: noArchive } } }],
  ])('changes nothing with an archive %s', async (_, container) => {
    const { err, exitCode } = await gear(['cp', 'web-1:/data', at('data')], container)
    expect(exitCode).toBe(1)
    expect(err).toMatch(/^Error: .*\[(REPLY_UNEXPECTED|HOST_UNREACHABLE)\]/)
    expect(readdirSync(folder)).toEqual([])
  })

  it('gives the tar itself to standard output, but not to a terminal', async () => {
    const container = having('file', file('conf', 'the content'))
    expect((await gear('cp web-1:/conf -', container)).out).toContain('the content')
    expect((await gear('cp web-1:/conf -', { ...container, isTerminal: true })).err).toContain('not for a terminal')
  })
})

async function brokenOff(): ReturnType<Handlers['readFiles']> {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for await (const piece of printTar(from(dir('data'), file('data/f')))) yield piece.subarray(0, 512)
    throw new GearError('HOST_UNREACHABLE', 'it is gone')
  }
  return { bytes: bytes(), mediaType: '', fileName: '' }
}

async function noArchive(): ReturnType<Handlers['readFiles']> {
  return { bytes: from(Buffer.alloc(2048, 'no tar')), mediaType: '', fileName: '' }
}

/** A container with these places, and what was unpacked in it. */
function taking(kinds: Readonly<Record<string, FileKind>>, onWrite?: () => never) {
  const unpacked: string[] = []
  const getFileKind: Handlers['getFileKind'] = async ({ query }) => {
    const kind = kinds[query.path]
    if (kind === undefined) throw new GearError('FILE_UNKNOWN', `no ${query.path}`)
    return { kind }
  }
  const writeFiles: Handlers['writeFiles'] = async ({ body }) => {
    const tar = new Handover<Uint8Array>()
    async function* output(): AsyncGenerator<SessionOutput> {
      onWrite?.()
      for await (const { name, type, target, bytes } of readTar(tar)) {
        let text = ''
        for await (const piece of bytes) text += Buffer.from(piece).toString()
        unpacked.push(`${body.folder} ${type} ${name} ${target}${text}`)
      }
      yield { kind: 'exit', exitCode: 0 }
    }
    return {
      output: output(),
      write: async input => {
        if (input.kind === 'input') await tar.put(input.bytes)
        else tar.end()
      },
      close: () => tar.fail(new Error('closed')),
    }
  }
  return { unpacked, hosts: { local: { getFileKind, writeFiles } } }
}

describe('gear cp into a container', () => {
  beforeEach(() => {
    mkdirSync(at('site/sub'), { recursive: true })
    writeFileSync(at('site/index'), 'hello')
    writeFileSync(at('site/empty'), '')
    symlinkSync('../index', at('site/sub/up'))
  })

  it('packs a folder under its name, or what it is to be called, or what is in it', async () => {
    const inside = taking({ '/srv': 'folder' })
    expect(await gear(['cp', at('site'), 'web-1:/srv'], inside)).toEqual({ out: '', err: '', exitCode: 0 })
    expect(inside.unpacked).toEqual([
      '/srv folder site/ ',
      '/srv file site/empty ',
      '/srv file site/index hello',
      '/srv folder site/sub/ ',
      '/srv link site/sub/up ../index',
    ])
    const named = taking({})
    await gear(['cp', at('site/index'), 'web-1:/srv/new'], named)
    expect(named.unpacked).toEqual(['/srv file new hello'])
    const content = taking({ '/srv': 'folder' })
    await gear(['cp', `${at('site/sub')}/.`, 'web-1:/srv/'], content)
    expect(content.unpacked).toEqual(['/srv link up ../index'])
  })

  it('passes a tar on as it is', async () => {
    const inside = taking({})
    expect((await gear('cp - web-1:/srv', { ...inside, input: 'no tar' })).exitCode).toBe(1)
    expect(inside.unpacked).toEqual([])
  })

  it('tells what the other end said, at once', async () => {
    const inside = taking({}, () => {
      throw new GearError('ENGINE_FAILED', 'The disk is full')
    })
    const { err, exitCode } = await gear(['cp', at('site'), 'web-1:/srv'], inside)
    expect(err).toMatch(/^Error: The disk is full \[ENGINE_FAILED\]/)
    expect(exitCode).toBe(1)
  })
})

describe('gear cp', () => {
  it.each([
    ['cp web-1:/a', 'give a source and a destination'],
    ['cp web-1:/a web-2:/b', 'one of both must be on this machine'],
    ['cp a b', 'neither place is in a container'],
    ['cp web-1:/a b --owner 5', '--owner is for copies into a container'],
    ['cp a web-1:/a --owner ann', '--owner must be UID or UID:GID'],
    ['cp /no/such web-1:/a', 'there is no file or folder /no/such'],
    ['cp web-1:/a /no/such/folder', 'there is no folder /no/such'],
    ['cp /dev/null web-1:/a', '/dev/null is neither a file nor a folder'],
  ])('refuses: gear %s', async (words, message) => {
    const { err, exitCode } = await gear(words, having('file', file('a')))
    expect(err).toContain(`gear cp: ${message}`)
    expect(exitCode).toBe(1)
  })

  it('tells of a path with a way up before anything is sent', async () => {
    const { err } = await gear(['cp', 'web-1:/a/../b', at('b')], having('file', file('b')))
    expect(err).toContain('without ".."')
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('gear cp --dry-run', () => {
  it('tells where a copy out of a container would go, and makes nothing', async () => {
    writeFileSync(at('mine'), 'old')
    const { out, exitCode } = await gear(['cp', '--dry-run', 'web-1:/etc/conf', at('mine')], having('file', file('conf')))
    expect({ out, exitCode }).toEqual({
      out: `web-1: 1 step\n  1. copy  web-1:/etc/conf ${at('mine')}\n     the file that is there is replaced\n`,
      exitCode: 0,
    })
    expect(readFileSync(at('mine'), 'utf8')).toBe('old')
  })

  it('asks the host whether a copy into it could be, and sends nothing', async () => {
    writeFileSync(at('conf'), 'text')
    const getFileKind: Handlers['getFileKind'] = async () => ({ kind: 'folder' })
    const writeFiles: Handlers['writeFiles'] = async ({ params, body, dryRun }) => {
      const step = { kind: 'unpack', id: params.id, path: body.folder, reason: 'a copy was asked for' }
      dryRun?.add([step])
      if (dryRun === undefined) throw new Error('carried out')
      return { output: from<SessionOutput>(), write: async () => undefined, close: () => undefined }
    }
    const words = ['cp', '--dry-run', '-o', 'json', at('conf'), 'web-1:/etc']
    const { out } = await gear(words, { hosts: { local: { getFileKind, writeFiles } } })
    expect(JSON.parse(out)).toMatchObject([
      {
        host: 'local',
        id: 'web-1',
        ok: true,
        steps: [
          { kind: 'copy', on: [at('conf'), 'web-1:/etc/conf'] },
          { kind: 'unpack', on: ['web-1', '/etc'] },
        ],
      },
    ])
  })
})
