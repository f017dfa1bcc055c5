import { describe, expect, it } from 'vitest'
import { limits } from '../../api/index.ts'
import type { TarEntry, TarType } from '../../formats/index.ts'
import { Unpacking } from './unpacking.ts'

const entry = (type: TarType, name: string, target = '', mode = 0o644): TarEntry => ({ name, type, mode, modifiedMs: 0, size: 0, target })
const folder = (name: string) => entry('folder', name)
const file = (name: string) => entry('file', name)
const link = (name: string, target: string) => entry('link', name, target)

/** What is done with the last of the entries. */
function last(entries: readonly TarEntry[], options: { readonly isRoot?: boolean; readonly isWindows?: boolean } = {}) {
  const unpacking = new Unpacking({ isRoot: options.isRoot ?? false, isWindows: options.isWindows ?? false })
  return entries.map(each => unpacking.take(each)).at(-1)
}

describe('unpacking', () => {
  it('keeps permissions, and nothing that lets a program run as somebody else', () => {
    expect(last([entry('file', 'data', '', 0o7751)])?.action).toEqual({ kind: 'file', path: [], mode: 0o751 })
    expect(last([entry('folder', 'data', '', 0o1000)])?.action).toEqual({ kind: 'folder', path: [], mode: 0o700 })
  })

  it('takes the names below the first, with or without slashes around them', () => {
    expect(last([folder('data/'), file('data/a/b')])).toEqual({
      folders: [['a']],
      action: { kind: 'file', path: ['a', 'b'], mode: 0o644 },
    })
    expect(last([folder('/'), file('/etc/passwd')], { isRoot: true })?.action).toMatchObject({ path: ['etc', 'passwd'] })
    expect(last([folder('data'), folder('data/')])?.action).toEqual({ kind: 'nothing' })
  })

  it.each([
    ['a name that climbs', [folder('data'), file('data/../../x')]],
    ['a first name that climbs', [file('../x')]],
    ['a name that is something else', [folder('data'), file('other/x')]],
    ['a first name with a folder', [file('data/x')]],
    ['a name that is absolute', [folder('data'), file('/etc/passwd')]],
    ['a name with NUL', [folder('data'), file('data/a\0b')]],
    ['a name without end', [folder('data'), file(`data/${'a/'.repeat(limits.containerPathBytes)}`)]],
    ['a file below a link', [folder('data'), link('data/l', 'inside'), file('data/l/x')]],
    ['a folder where a link is', [folder('data'), link('data/l', 'inside'), folder('data/l')]],
    ['a file where a link is', [folder('data'), link('data/l', 'inside'), file('data/l')]],
    ['a file below a file', [folder('data'), file('data/f'), file('data/f/x')]],
    ['a file twice', [folder('data'), file('data/f'), file('data/f')]],
    ['something below what is copied when that is a file', [file('data'), file('data/x')]],
  ])('refuses %s', (_, entries) => {
    expect(() => last(entries)).toThrow(expect.objectContaining({ code: 'REPLY_UNEXPECTED' }))
  })

  it('refuses names that mean something else on Windows, there', () => {
    for (const name of ['data/..\\x', 'data/C:x']) {
      expect(() => last([folder('data'), file(name)], { isWindows: true })).toThrow()
      expect(last([folder('data'), file(name)])?.action.kind).toBe('file')
    }
  })

  it.each(['b', '../b', '../../c/d', './b/c', '..', '../..', 'a/./b'])('makes a link to %s', target => {
    expect(last([folder('data'), link('data/x/y/l', target)])?.action).toEqual({ kind: 'link', path: ['x', 'y', 'l'], target })
  })

  it.each(['/etc/shadow', '../../../x', '../../..', 'b/../../../x', 'b/..', '', 'C:\\x', '..\\..\\x'])(
    'leaves out a link to %j',
    target => {
      const { folders, action } = last([folder('data'), link('data/x/y/l', target)]) ?? {}
      expect(action).toMatchObject({ kind: 'leaveOut' })
      expect(folders).toEqual([])
    },
  )

  it('leaves out what is copied when it is a link itself, and devices', () => {
    expect(last([link('data', 'b')])?.action.kind).toBe('leaveOut')
    expect(last([folder('data'), entry('other', 'data/sda')])?.action.kind).toBe('leaveOut')
  })

  it('makes another name only of a file that it has written', () => {
    const same = (target: string) => entry('same', 'data/g', target)
    expect(last([folder('data'), file('data/f'), same('data/f')])?.action).toEqual({ kind: 'same', path: ['g'], as: ['f'] })
    for (const target of ['data/none', '/etc/shadow', 'data/sub', 'data/l', 'other/f']) {
      expect(last([folder('data'), folder('data/sub'), link('data/l', 'sub'), same(target)])?.action.kind).toBe('leaveOut')
    }
    expect(() => last([folder('data'), same('data/../../f')])).toThrow()
  })
})
