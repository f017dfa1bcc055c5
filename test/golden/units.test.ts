/**
 * Golden unit files. Each `units/*.service` carries its own input: the first lines are comments with the request as it is on the wire
 * (`# request:`) and the ports that were decided (`# ports:`); the rest is the unit file expected, to the letter. A new case is a new file;
 * `GOLDEN=write npx vitest run test/golden` writes what is rendered now, to be read before it is committed.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { contract, fromWire, type Id, type RequestId } from '../../src/api/index.ts'
import { renderUnit, specOf } from '../../src/domains/containers/index.ts'
import { parsePortPairs } from '../../src/formats/index.ts'
import { defaultPaths } from '../../src/host/fakes.ts'

const folder = new URL('units/', import.meta.url)

const installBody = contract.installContainer.body ?? expect.fail('an install has a body')

describe('unit files', () => {
  for (const file of readdirSync(folder).filter(name => name.endsWith('.service'))) {
    it(file, () => {
      const golden = readFileSync(new URL(file, folder), 'utf8')
      const { head, expected, request, ports } = readCase(golden)
      const body = fromWire(installBody, request)
      const spec = specOf('shop-web.1' as Id, body, {
        requestId: 'Qm9vbS1ub3QtcmVhbC1pZA' as RequestId,
        engine: body.engine ?? 'docker',
        ports,
      })
      const rendered = renderUnit(spec, defaultPaths)
      if (process.env['GOLDEN'] === 'write') writeFileSync(new URL(file, folder), head + rendered)
      else expect(rendered).toBe(expected)
    })
  }
})

function readCase(golden: string) {
  const lines = golden.split('\n')
  const headLines = lines.slice(
    0,
    lines.findIndex(line => !line.startsWith('#')),
  )
  const comment = (key: string) => headLines.find(line => line.startsWith(`# ${key}: `))?.slice(key.length + 4)
  const head = headLines.map(line => `${line}\n`).join('')
  const ports = comment('ports')
  return {
    head,
    expected: golden.slice(head.length),
    request: JSON.parse(comment('request') ?? '{}') as unknown,
    ports: ports === undefined ? [] : parsePortPairs(ports),
  }
}
