import { describe, expect, it } from 'vitest'
import { type Destination, readContainerPath, readPlace, type Source, type Target, targetOf } from './places.ts'

const local = { kind: 'local' }
const node7 = { kind: 'remote', name: 'node7', port: undefined }

describe('a place', () => {
  it.each([
    ['web-1:/data', { kind: 'container', host: local, id: 'web-1', path: '/data' }],
    ['node7/web-1:/a:/b', { kind: 'container', host: node7, id: 'web-1', path: '/a:/b' }],
    ['node7:43273/web-1:/', { kind: 'container', host: { ...node7, port: 43_273 }, id: 'web-1', path: '/' }],
    ['[::1]:43273/web-1:/x', { kind: 'container', host: { kind: 'remote', name: '::1', port: 43_273 }, id: 'web-1', path: '/x' }],
    ['ctr://node7/web-1:/x', { kind: 'container', host: node7, id: 'web-1', path: '/x' }],
    ['-', { kind: 'stream' }],
    ['./web-1:/data', { kind: 'disk', path: './web-1:/data' }],
    ['/tmp/web-1:/data', { kind: 'disk', path: '/tmp/web-1:/data' }],
    ['C:/data', { kind: 'disk', path: 'C:/data' }],
    ['web-1:data', { kind: 'disk', path: 'web-1:data' }],
    ['file', { kind: 'disk', path: 'file' }],
  ])('%s', (argument, place) => {
    expect(readPlace(argument)).toEqual(place)
  })

  it.each(['', 'a b/c/d:/x'])('is not %j', argument => {
    expect(() => readPlace(argument)).toThrow()
  })
})

describe('a path in a container', () => {
  it.each([
    ['/a/b', { path: '/a/b', parent: '/a', name: 'b', isContent: false, isFolderMeant: false }],
    ['/a/b/', { path: '/a/b', parent: '/a', name: 'b', isContent: false, isFolderMeant: true }],
    ['//a/./b/.', { path: '/a/b', parent: '/a', name: 'b', isContent: true, isFolderMeant: true }],
    ['/', { path: '/', parent: '/', name: '', isContent: false, isFolderMeant: true }],
  ])('%s', (path, read) => {
    expect(readContainerPath(path)).toEqual(read)
  })
})

/** `file`, `folder` and `content` (a folder with /. at its end), each called src; to /to/dst, which is nothing, nothing with a slash, a file or a folder. */
describe('a copy of', () => {
  const table: readonly (readonly [from: string, to: string, target: Target | RegExp])[] = [
    ['file', 'nothing', { folder: '/to', name: 'dst' }],
    ['file', 'nothing/', /there is no folder/],
    ['file', 'file', { folder: '/to', name: 'dst' }],
    ['file', 'file/', /is a file/],
    ['file', 'folder', { folder: '/to/dst', name: 'src' }],
    ['folder', 'nothing', { folder: '/to', name: 'dst' }],
    ['folder', 'nothing/', { folder: '/to', name: 'dst' }],
    ['folder', 'file', /cannot be copied to/],
    ['folder', 'folder', { folder: '/to/dst', name: 'src' }],
    ['content', 'nothing', { folder: '/to', name: 'dst' }],
    ['content', 'file', /cannot be copied to/],
    ['content', 'folder', { folder: '/to/dst', name: undefined }],
    ['root', 'folder', { folder: '/to/dst', name: undefined }],
    ['root', 'nothing', { folder: '/to', name: 'dst' }],
    ['content of a file', 'folder', /is a file/],
  ]
  it.each(table)('a %s to a %s', (from, to, expected) => {
    const source: Source = {
      kind: from === 'file' || from === 'content of a file' ? 'file' : 'folder',
      given: 'src',
      name: from === 'root' ? '' : 'src',
      isContent: from.startsWith('content'),
    }
    const destination: Destination = {
      given: 'dst',
      path: '/to/dst',
      kind: to.startsWith('file') ? 'file' : to === 'folder' ? 'folder' : undefined,
      isFolderMeant: to.endsWith('/'),
      parent: '/to',
      name: 'dst',
    }
    if (expected instanceof RegExp) expect(() => targetOf(source, destination)).toThrow(expected)
    else expect(targetOf(source, destination)).toEqual(expected)
  })
})
