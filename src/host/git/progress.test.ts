import { expect, it } from 'vitest'
import { linesOf } from '../journal/lines.ts'
import { quarters, withoutReturns } from './progress.ts'

it('is told by quarters of long phases and by the end of all', async () => {
  const states = Array.from({ length: 101 }, (_, percent) => `Receiving objects: ${String(percent).padStart(3)}% (${percent * 2}/200)`)
  const text = [
    'Cloning into bare repository ...\n',
    'remote: Counting objects:  50% (1/2)\rremote: Counting objects: 100% (2/2), done.\n',
    states.join('\r'),
    '\rReceiving objects: 100% (200/200), 1.00 MiB, done.\n',
  ]
  async function* chunks() {
    for (const piece of text) yield Buffer.from(piece)
  }
  const isTold = quarters()
  const lines: string[] = []
  for await (const line of linesOf(withoutReturns(chunks()), 1000)) if (isTold(line)) lines.push(line)
  expect(lines).toEqual([
    'Cloning into bare repository ...',
    'remote: Counting objects: 100% (2/2), done.',
    'Receiving objects:  25% (50/200)',
    'Receiving objects:  50% (100/200)',
    'Receiving objects:  75% (150/200)',
    'Receiving objects: 100% (200/200), 1.00 MiB, done.',
  ])
})
