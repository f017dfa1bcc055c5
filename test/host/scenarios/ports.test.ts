/** The adapters of every port pass, on a real host, the suites that their fakes pass. They run inside the host, one file after the other. */
import { describe, expect, it } from 'vitest'
import { LabHost } from '../lab-host.ts'

const host = new LabHost('web2')
/** Where the lab shows this checkout to its hosts. */
const checkout = '/usr/src/gear'

describe('the suite of ports', () => {
  it.each(['base', 'builder', 'engine', 'journal', 'network', 'units'])('%s', async name => {
    const vitest = `${checkout}/node_modules/vitest/vitest.mjs`
    const outcome = await host.exec([
      '/bin/sh',
      '-c',
      `cd ${checkout} && exec /usr/lib/gear/bin/node ${vitest} run --config test/host/ports/vitest.config.ts --configLoader native test/host/ports/${name}.test.ts`,
    ])
    expect(outcome.exitCode, outcome.stdout + outcome.stderr).toBe(0)
  })
})
