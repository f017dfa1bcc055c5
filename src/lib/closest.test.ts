import { expect, test } from 'vitest'
import { closest } from './closest.ts'

test.each([
  ['startContaner', 'startContainer'],
  ['STARTCONTAINER', 'startContainer'],
  ['statrContainer', 'startContainer'],
  ['listcontainer', 'listContainers'],
  ['x', undefined],
  ['somethingElse', undefined],
  ['', undefined],
])('of %s, %s is meant', (word, expected) => {
  expect(closest(word, ['stopContainer', 'startContainer', 'listContainers'])).toBe(expected)
})
