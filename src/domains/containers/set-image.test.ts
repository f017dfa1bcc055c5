import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseUnitFile, readUnitMetadata, splitCommand } from '../../formats/index.ts'
import { withImage } from './set-image.ts'

const golden = new URL('../../../test/golden/units/', import.meta.url)
const units = readdirSync(golden).filter(name => name.endsWith('.service'))
const imageOf = (text: string) => readUnitMetadata(text).get('X-ContainerImage')?.[0] ?? ''

/** Every argument of every command, and everything that is no command. */
function parts(text: string): readonly string[] {
  return parseUnitFile(text).sections.flatMap(({ name, entries }) =>
    entries.flatMap(([key, value]) =>
      key.startsWith('Exec') ? splitCommand(value).map(argument => `${key} ${argument}`) : [`${name} ${key}=${value}`],
    ),
  )
}

describe('a unit with another image', () => {
  it.each(units)('%s differs in the image and the request id alone', name => {
    const text = readFileSync(new URL(name, golden), 'utf8')
    const changed = withImage(text, { image: 'other/image:2', requestId: 'another-request' })
    const before = parts(text)
    const differences = parts(changed).filter((part, index) => part !== before[index])
    expect(imageOf(changed)).toBe('other/image:2')
    expect(differences.filter(part => part.startsWith('Exec'))).toEqual([expect.stringMatching(/^Exec\w+ other\/image:2$/)])
    expect(differences.filter(part => !part.startsWith('Exec'))).toEqual([
      'Install X-ContainerImage=other/image:2',
      'Install X-ContainerRequestId=another-request',
    ])
  })

  it('and back again is the same', () => {
    for (const name of units) {
      const text = readFileSync(new URL(name, golden), 'utf8')
      const requestId = readUnitMetadata(text).get('X-ContainerRequestId')?.[0] ?? ''
      const there = withImage(text, { image: 'other/image:2', requestId: 'another-request' })
      expect(withImage(there, { image: imageOf(text), requestId })).toBe(withImage(text, { image: imageOf(text), requestId }))
    }
  })
})
