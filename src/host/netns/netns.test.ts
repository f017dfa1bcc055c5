import { describe, expect, test } from 'vitest'
import { FakeCommands } from '../commands/fake.ts'
import { FakeNamespaces } from './fake.ts'
import { namespacesSuite } from './netns.suite.ts'
import { linuxNamespaces } from './nsenter.ts'

describe('fake namespaces', () => {
  namespacesSuite(async () => {
    const namespaces = new FakeNamespaces()
    namespaces.gone.add(8)
    namespaces.answering.add('127.0.0.1:80')
    return { namespaces, pid: 7, gonePid: 8, open: { host: '127.0.0.1', port: 80 }, closed: { host: '127.0.0.1', port: 81 } }
  })
})

describe('namespaces entered with nsenter', () => {
  test('targets are single arguments of one call, after everything that is an option', async () => {
    const commands = new FakeCommands()
    let seen: readonly string[] = []
    commands.answer('nsenter', args => {
      seen = args
      return { stdout: '[{"answers":true},{"answers":true}]' }
    })
    const targets = [
      { host: '127.0.0.1', port: 80 },
      { host: 'db.example', port: 5432 },
    ]
    await linuxNamespaces(commands).connect(7, targets, { timeoutMs: 3000 })
    expect(seen[0]).toBe('--net=/proc/7/ns/net')
    expect(seen.slice(seen.indexOf('--'))).toEqual(['--', '3000', '127.0.0.1:80', 'db.example:5432'])
  })
})
