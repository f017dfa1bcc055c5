/**
 * Stories on machines with a kernel of their own and pure cgroup v2 (`make test-v2`): those of a container's life that hosts of the lab are told too,
 * and those that only such a machine can tell. Everything takes several times as long there, since its processor is mostly emulated.
 */
import { defineConfig } from 'vitest/config'

const ofEveryHost = ['lifecycle', 'isolate']

process.env['GEAR_LAB_KIND'] = 'machines'
process.env['GEAR_LAB'] ??= 'v2'
process.env['GEAR_LAB_PATIENCE'] ??= '5'

// biome-ignore lint/style/noDefaultExport: vitest reads its configuration from a default export
export default defineConfig({
  test: {
    include: [...ofEveryHost.map(name => `test/host/scenarios/${name}.test.ts`), 'test/host/machines/**/*.test.ts'],
    globalSetup: ['test/host/global-setup.ts'],
    setupFiles: ['test/host/worker-lab.ts'],
    maxWorkers: 1,
    isolate: false,
    testTimeout: 900_000,
    hookTimeout: 1_800_000,
  },
})
