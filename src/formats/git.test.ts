import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { FormatError } from './format-error.ts'
import { parseCloneSource, parseGitRef, parseGitRevision } from './git.ts'

describe('a ref', () => {
  test.each([
    'main',
    'feature/one/two',
    'v1.0',
    'HEAD',
    'refs/tags/v1',
    'deadbeef',
    'a'.repeat(40),
    'ünïcode',
    'a@b',
    'x.y',
    '%41',
    '+x',
    'release@2',
    '_x',
  ])('%s is one', text => {
    expect(parseGitRef(text)).toBe(text)
  })

  test.each([
    '',
    '-x',
    '--output=/tmp/x',
    '--upload-pack=x',
    '/main',
    'main/',
    'a//b',
    '../x',
    'a/../b',
    'a..b',
    '.hidden',
    'a/.b',
    'main.',
    'main.lock',
    'a.lock/b',
    '@',
    '@{1}',
    'main@{yesterday}',
    'main~1',
    'main^',
    'main^{tree}',
    'main:file',
    ':/text',
    'a b',
    'a*',
    'a?',
    'a[b',
    'a\\b',
    'a\nb',
    'a\0b',
    'a\u007fb',
    'a'.repeat(256),
    'ab\ud800',
  ])('%j is none', text => {
    expect(() => parseGitRef(text)).toThrow(FormatError)
  })

  it('may be followed by a way to a commit before it, where revisions are taken', () => {
    for (const text of ['main', 'main~1', 'HEAD~', 'v1.0^', 'feature/one^2~13', `${'a'.repeat(40)}~0`])
      expect(parseGitRevision(text)).toBe(text)
    for (const text of [
      '',
      '~1',
      '^main',
      'main~x',
      'main^{tree}',
      'main^{/x}',
      'main~1..v1',
      'main@{1}~1',
      'main~12345',
      '-x~1',
      ':/x~1',
      'main^^^^^^^^^',
    ])
      expect(() => parseGitRevision(text), text).toThrow(FormatError)
  })

  it('is never one that git does not take as the name of a branch or as HEAD', () => {
    const characters = fc.constantFrom(...'ab/.-@{}~^:?*[\\ lock'.split(''), '.lock', 'ü', '\n')
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 12 }), text => {
        try {
          parseGitRef(text)
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError)
          return
        }
        execFileSync('/usr/bin/git', ['check-ref-format', `refs/heads/${text}`])
      }),
      { numRuns: 60 },
    )
  })
})

describe('a clone URL', () => {
  test.each([
    ['https://host.example/acme/shop.git', 'https'],
    ['HTTPS://host.example/acme/shop.git', 'https'],
    ['http://127.0.0.1:8080/shop', 'http'],
    ['git://host/shop', 'git'],
    ['ssh://git@host:2222/shop.git', 'ssh'],
    ['ssh://host/~/shop', 'ssh'],
    ['git@host.example:acme/shop.git', 'ssh'],
    ['host:shop', 'ssh'],
    ['https://[::1]:8443/shop', 'https'],
  ])('%s is one', (text, protocol) => {
    expect(parseCloneSource(text)).toMatchObject({ kind: 'remote', protocol })
  })

  test.each([
    ['/srv/git/shop.git', '/srv/git/shop.git'],
    ['file:///srv/git/shop.git', '/srv/git/shop.git'],
  ])('%s is a file', (text, path) => {
    expect(parseCloneSource(text)).toEqual({ kind: 'file', path, text: `file://${path}` })
  })

  it('is given to git with its scheme in small letters', () => {
    expect(parseCloneSource('Ssh://host/x').text).toBe('ssh://host/x')
  })

  test.each([
    '',
    'shop',
    'ext::sh -c touch% /tmp/owned',
    'ext::/bin/true',
    'fd::17/foo',
    'ext://host/path',
    'transport::https://host/x',
    'ftp://host/x',
    'rsync://host/x',
    'file://host/x',
    'file:///',
    'file:///srv/../etc',
    '/srv/git/../../etc/x',
    '/srv//git',
    './shop',
    '../shop',
    '-oProxyCommand=touch',
    '--upload-pack=touch /tmp/owned',
    '-u./x',
    'ssh://-oProxyCommand=touch/x',
    'ssh://-oProxyCommand=touch@host/x',
    '-oProxyCommand=x@host:path',
    '-oProxyCommand=x:path',
    'host:-oProxyCommand=x',
    'user@-host:x',
    'https://user:secret@host/x',
    'https://token@host/x',
    'ssh://user:secret@host/x',
    'https://host/x?token=secret',
    'https://host/x#y',
    'https://host',
    'https://host/',
    'https:///x',
    'https://host:0/x',
    'https://host:99999/x',
    'https://ho st/x',
    'https://host/x y',
    'https://host/x\n',
    'https://host/ä',
    'https://0x7f.1/x',
    `https://host/${'a'.repeat(2048)}`,
  ])('%j is none', text => {
    expect(() => parseCloneSource(text)).toThrow(FormatError)
  })

  it('that holds a secret is not quoted in the refusal', () => {
    for (const text of ['https://user:secret@host/x', 'https://secret@host/x', 'https://host/x?secret', 'x y secret']) {
      expect(() => parseCloneSource(text)).toThrow(expect.not.objectContaining({ message: expect.stringContaining('secret') }))
    }
  })
})
