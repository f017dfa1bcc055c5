import { expect, test } from 'vitest'
import { type Log, type LogOptions, openLog } from './log.ts'

function written(options: Partial<LogOptions>, use: (log: Log) => void): string {
  let text = ''
  use(openLog({ format: 'text', level: 'info', isJournal: false, write: line => (text += line), ...options }))
  return text
}

test('a line has a message and fields', () => {
  const text = written({}, log => log.info({ id: 'web-1', ms: 41, request: 'Qm9vbS1ub3QtcmVhbC1pZA' }, 'unit started'))
  expect(text).toBe('msg="unit started" id=web-1 ms=41 request=Qm9vbS1ub3QtcmVhbC1pZA\n')
})

test('under systemd it begins with its priority', () => {
  const text = written({ isJournal: true, level: 'debug' }, log => {
    log.debug({}, 'a')
    log.info({}, 'b')
    log.warn({}, 'c')
    log.error({}, 'd')
  })
  expect(text).toBe('<7>msg="a"\n<6>msg="b"\n<4>msg="c"\n<3>msg="d"\n')
})

test('values cannot break out of their line or fake another field', () => {
  const text = written({}, log => log.info({ path: '/a b" status=200', stack: 'Error\n    at x', escape: '\u001b[31m\u009b' }, 'request'))
  expect(text).toBe('msg="request" path="/a b\\" status=200" stack="Error\\n    at x" escape="\\u001b[31m\\u009b"\n')
})

test('lines below the level are left out', () => {
  expect(written({ level: 'warn' }, log => log.info({}, 'no'))).toBe('')
})

test('as JSON a line has its time', () => {
  const line = JSON.parse(written({ format: 'json' }, log => log.info({ id: 'web-1' }, 'unit started')))
  expect(line).toMatchObject({ msg: 'unit started', id: 'web-1', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) })
})

test.each(['text', 'json'] as const)('bodies, environments and tokens are blacked out in %s, wherever they turn up', format => {
  const variables = [{ Name: 'PASSWORD', Value: 'hunter2' }]
  const text = written({ format }, log => {
    log.info({ body: { Variables: variables } }, 'a')
    log.info({ request: { body: '{"Value":"hunter2"}' } }, 'b')
    log.info({ call: { body: { environment: 'hunter2' } } }, 'c')
    log.info({ environment: { variables }, value: 'hunter2' }, 'd')
    log.info({ Environment: { Variables: variables }, Value: 'hunter2' }, 'e')
    log.info({ call: { environment: { variables } } }, 'f')
    log.info({ headers: { authorization: 'Bearer hunter2' } }, 'g')
    log.info({ step: { Value: 'hunter2', token: 'hunter2' } }, 'h')
  })
  expect(text).not.toContain('hunter2')
  expect(text.match(/redacted/g)?.length).toBeGreaterThanOrEqual(8)
})
