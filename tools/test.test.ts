import { expect, test } from 'vitest'
import { countReport } from './test.ts'

const file = (status: string, ...results: readonly string[]) => ({ status, assertionResults: results.map(result => ({ status: result })) })

test('every test of a report counts, and a skipped one counts as failed', () => {
  const report = { testResults: [file('passed', 'passed', 'passed'), file('failed', 'passed', 'failed', 'skipped', 'todo')] }
  expect(countReport(report, 1)).toEqual({ passed: 3, failed: 3 })
})

test('a file that failed before its first test is one failure', () => {
  expect(countReport({ testResults: [file('failed'), file('passed', 'passed')] }, 1)).toEqual({ passed: 1, failed: 1 })
})

test('a suite that failed although its tests passed is one failure', () => {
  expect(countReport({ testResults: [file('passed', 'passed')] }, 1)).toEqual({ passed: 1, failed: 1 })
})

test('a suite without a report, or without a test, is one failure', () => {
  expect(countReport(undefined, 0)).toEqual({ passed: 0, failed: 1 })
  expect(countReport({ testResults: [] }, 0)).toEqual({ passed: 0, failed: 1 })
})
