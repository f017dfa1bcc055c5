import { describe, expect, it } from 'vitest'
import { type KnownFlags, readCommandLine, readHosts, readTargets, splitVariables, withLastFlags, withPlainFlags } from './arguments.ts'

describe('withPlainFlags', () => {
  const aliases = new Set(['p', 'v'])

  it.each([
    [['-p8080:0'], ['-p=8080:0']],
    [['-p=8080:0'], ['-p=8080:0']],
    [
      ['-p', '8080:0'],
      ['-p', '8080:0'],
    ],
    [['--ports='], ['--ports', '']],
    [['-p='], ['-p', '']],
    [['--env-id=a=b'], ['--env-id=a=b']],
    [['-ak'], ['-ak']],
    [
      ['A=B', '-10m', '-'],
      ['A=B', '-10m', '-'],
    ],
    [['--url=a\nb'], ['--url', 'a\nb']],
    [
      ['-p80:0', '--', '-p80:0', '--ports='],
      ['-p=80:0', '--', '-p80:0', '--ports='],
    ],
  ])('%j becomes %j', (args, expected) => {
    expect(withPlainFlags(args, aliases)).toEqual(expected)
  })
})

describe('readCommandLine', () => {
  it.each([
    ['start web-1', { command: 'start', args: ['web-1'] }],
    ['-k --token-file f start web-1', { command: 'start', args: ['-k', '--token-file', 'f', 'web-1'] }],
    ['--transport=http list', { command: 'list', args: ['--transport=http'] }],
    ['help start', { command: 'start', args: ['--help'] }],
    ['help', { command: undefined, args: [] }],
    ['--with', { command: undefined, args: ['--with'] }],
    ['', { command: undefined, args: [] }],
  ])('reads %j', (words, expected) => {
    expect(readCommandLine(words === '' ? [] : words.split(' '))).toEqual(expected)
  })
})

describe('splitVariables', () => {
  it('takes every argument with = as a variable, wherever it stands, in its order', () => {
    expect(splitVariables(['B=2', 'image', 'A=1=x', 'web-1', 'Q="a b"', 'E='])).toEqual({
      variables: [
        { name: 'B', value: '2' },
        { name: 'A', value: '1=x' },
        { name: 'Q', value: 'a b' },
        { name: 'E', value: '' },
      ],
      others: ['image', 'web-1'],
    })
  })

  it.each(['A B=1', '=1', '--9=1'])('refuses %j', arg => {
    expect(() => splitVariables([arg])).toThrow(expect.objectContaining({ name: 'UsageError' }))
  })
})

describe('readTargets', () => {
  it('puts names of one host together, hosts in the order in which they come', () => {
    const groups = readTargets(['b:80/web-1', 'web-2', 'a/web-3', 'ctr://b:80/web-4', 'local/web-5'], 'container')
    expect(groups.map(({ targets }) => targets.map(({ name }) => name))).toEqual([
      ['b:80/web-1', 'b:80/web-4'],
      ['web-2', 'web-5'],
      ['a/web-3'],
    ])
  })
})

describe('readHosts', () => {
  it('names each host once, and this machine when none is given', () => {
    expect(readHosts(['a', 'b:80', 'a']).map(({ targets }) => targets[0]?.name)).toEqual(['a', 'b:80'])
    expect(readHosts([]).map(({ targets }) => targets[0]?.name)).toEqual(['local'])
  })
})

describe('a flag that is given several times', () => {
  const known: KnownFlags = {
    flags: {
      wait: { kind: 'boolean' },
      all: { kind: 'boolean' },
      output: { kind: 'enum' },
      envFile: { kind: 'parsed' },
      ports: { kind: 'parsed', variadic: true },
    },
    aliases: { o: 'output', p: 'ports', w: 'wait', a: 'all' },
  }

  it.each([
    ['--wait web-1 --wait', 'web-1 --wait'],
    ['--wait=false web-1 -w', 'web-1 -w'],
    ['--output json -o text', '-o text'],
    ['--output=json --env-file a web-1 --envFile=b --output text', 'web-1 --envFile=b --output text'],
    ['-p 80:0 -p=22:0 --ports 1:0', '-p 80:0 -p=22:0 --ports 1:0'],
    ['-wa -a', '-w -a'],
    ['-wx -p80', '-wx -p80'],
    ['--env-file --wait --env-file b', '--env-file b'],
    ['--output json -- --output --output', '--output json -- --output --output'],
    ['--nosuch --nosuch web-1', '--nosuch --nosuch web-1'],
    ['--constructor x', '--constructor x'],
    ['--output', '--output'],
  ])('counts the last time: %s', (words, expected) => {
    expect(withLastFlags(words.split(' '), known).join(' ')).toBe(expected)
  })

  it.each([
    [
      ['web-1', '--env-file', '', '--wait'],
      ['web-1', '--wait'],
    ],
    [['--env-file', 'a', '--env-file', ''], []],
    [
      ['--env-file', '', '--env-file', 'a'],
      ['--env-file', 'a'],
    ],
    [
      ['--output', ''],
      ['--output', ''],
    ],
    [
      ['--', '--env-file', ''],
      ['--', '--env-file', ''],
    ],
  ])('takes a flag of the original with an empty value for none: %j', (words, expected) => {
    expect(withLastFlags(words, known)).toEqual(expected)
  })
})
