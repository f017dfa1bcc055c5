/** Every file of fixtures/ against an agent with hand-made handlers. A new case is a new file. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { exchange, type RawAnswer, startFakeAgent } from '../../src/agent/fake-agent.ts'
import { parseFixture } from './fixture.ts'
import { fixtureHandlers, type SeenCall } from './handlers.ts'

const folder = `${import.meta.dirname}/fixtures`
const fixtures = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.http'))

test.each(fixtures.sort())('%s', async name => {
  const { exchanges } = parseFixture(readFileSync(`${folder}/${name}`, 'utf8'))
  const seen: SeenCall[] = []
  await using agent = await startFakeAgent(fixtureHandlers(seen))
  for (const { request, answer, call } of exchanges) {
    seen.length = 0
    const got = await exchange(agent.socketPath, request)
    expect(headOf(got, answer.head)).toEqual(expectedHead(answer.head, got.body.length))
    expectBody(got.body.toString(), answer.body.replaceAll('{{id}}', idOf(got)))
    expect(JSON.parse(JSON.stringify(seen))).toEqual(call === undefined ? [] : [call])
  }
})

/** Lines that belong to the connection, not to the answer. */
const connectionLines = /^(date|connection|keep-alive):/i

function headOf({ status, headers }: RawAnswer, expected: readonly string[]): readonly string[] {
  const lines = headers.map(([name, value]) => `${name}: ${value}`).filter(line => !connectionLines.test(line))
  const isAnyId = expected.some(line => /^x-request-id: \{\{id\}\}$/i.test(line))
  return [status, ...lines.map(line => (isAnyId ? line.replace(/^(x-request-id): [A-Za-z0-9_-]{22}$/i, '$1: {{id}}') : line)).sort()]
}

function expectedHead([status = '', ...lines]: readonly string[], bodyLength: number): readonly string[] {
  return [status, ...lines.map(line => line.replace('{{length}}', String(bodyLength))).sort()]
}

/** Where the words are a parser's own, `{{any}}` stands for the rest of the line. */
function expectBody(got: string, expected: string): void {
  const [start = '', end] = expected.split('{{any}}')
  if (end === undefined) {
    expect(got).toBe(expected)
    return
  }
  expect(`${got.slice(0, start.length)}{{any}}${got.slice(got.length - end.length)}`).toBe(expected)
  expect(got.slice(start.length, got.length - end.length)).toMatch(/^[^\n]+$/)
}

function idOf({ headers }: RawAnswer): string {
  return headers.find(([name]) => name.toLowerCase() === 'x-request-id')?.[1] ?? 'no request id'
}
