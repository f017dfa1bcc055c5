import { describe, expect, it } from 'vitest'
import { parseBuildSource, parseScriptsUrl, printBuildSource } from './build-source.ts'
import { FormatError } from './format-error.ts'

describe('a source', () => {
  it.each([
    ['https://example.com/shop.git', undefined, { kind: 'git', address: 'https://example.com/shop.git', ref: undefined, isFile: false }],
    ['https://example.com/shop', 'v1', { kind: 'git', address: 'https://example.com/shop', ref: 'v1', isFile: false }],
    ['https://example.com/shop#v1', undefined, { kind: 'git', address: 'https://example.com/shop', ref: 'v1', isFile: false }],
    ['https://example.com/shop#v1', 'v2', { kind: 'git', address: 'https://example.com/shop', ref: 'v2', isFile: false }],
    ['ssh://git@example.com:22/shop', undefined, { kind: 'git', address: 'ssh://git@example.com:22/shop', ref: undefined, isFile: false }],
    ['git://127.0.0.1/shop', undefined, { kind: 'git', address: 'git://127.0.0.1/shop', ref: undefined, isFile: false }],
    ['git@example.com:acme/shop', undefined, { kind: 'git', address: 'git@example.com:acme/shop', ref: undefined, isFile: false }],
    ['file:///srv/shop', undefined, { kind: 'git', address: 'file:///srv/shop', ref: undefined, isFile: true }],
    ['/srv/shop.git', undefined, { kind: 'git', address: '/srv/shop.git', ref: undefined, isFile: true }],
    ['shop.git/', undefined, { kind: 'git', address: 'shop.git', ref: undefined, isFile: true }],
    ['/srv/shop', 'main', { kind: 'git', address: '/srv/shop', ref: 'main', isFile: true }],
    ['/srv/shop/', undefined, { kind: 'local', path: '/srv/shop' }],
    [
      'HTTPS://me:secret@example.com/shop?x',
      'ünï',
      { kind: 'git', address: 'https://me:secret@example.com/shop?x', ref: 'ünï', isFile: false },
    ],
    ['http://127.0.0.1:8080', undefined, { kind: 'git', address: 'http://127.0.0.1:8080', ref: undefined, isFile: false }],
    ['.', undefined, { kind: 'local', path: '.' }],
    ['/', undefined, { kind: 'local', path: '/' }],
    ['a file with spaces.js', undefined, { kind: 'local', path: 'a file with spaces.js' }],
  ])('%s at %s', (text, ref, expected) => {
    expect(parseBuildSource(text, ref)).toEqual(expected)
  })

  it.each([
    '',
    '-x',
    '--upload-pack=touch /tmp/x',
    'ext::sh -c touch% /tmp/x',
    'fd::17/foo',
    'file::/x',
    'ftp://example.com/x',
    'rsync://example.com/x',
    'javascript://x',
    'ssh://-oProxyCommand=x/y',
    'ssh://-oProxyCommand=x@example.com/y',
    'ssh://%2DoProxyCommand=x@example.com/y',
    'https:///x',
    'https://example.com/a b',
    'file://other.example/srv',
    '-o@example.com:x',
    'git@-oProxyCommand=x:y',
    'git@example.com:-x',
    'git@example.com:',
    'ssh://git:secret@example.com/shop',
    'git://me@example.com/shop',
    'https://example.com:99999/shop',
    'https://0x7f.1/shop',
    'two\nlines',
    'nul\0',
    'x'.repeat(3000),
  ])('%j is refused', text => {
    expect(() => parseBuildSource(text)).toThrow(FormatError)
  })

  it('has a ref by the rules of refs, wherever it is named', () => {
    expect(() => parseBuildSource('/srv/shop', '--upload-pack=x')).toThrow(FormatError)
    expect(() => parseBuildSource('https://example.com/shop#main..v1')).toThrow(FormatError)
  })

  it('is shown without what is secret', () => {
    expect(printBuildSource(parseBuildSource('https://me:secret@example.com/shop.git?token=x'))).toBe('https://example.com/shop.git')
  })
})

describe('a folder of scripts', () => {
  it.each([
    ['https://example.com/s/', { kind: 'web', url: 'https://example.com/s' }],
    ['file:///srv/scripts', { kind: 'file', folder: '/srv/scripts' }],
    ['image:///usr/libexec/s2i/', { kind: 'image', folder: '/usr/libexec/s2i' }],
  ])('%s', (text, expected) => {
    expect(parseScriptsUrl(text)).toEqual(expected)
  })

  it.each([
    '',
    '/x',
    'ftp://x/y',
    'image://x',
    'image:///a/../b',
    'image:///a b',
    'file://host/x',
    'http://a b',
    `https://x/${'y'.repeat(3000)}`,
  ])('%j is none', text => {
    expect(() => parseScriptsUrl(text)).toThrow(FormatError)
  })
})
