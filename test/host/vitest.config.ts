import { defineConfig } from 'vitest/config'
import { workersMax } from './workers.ts'

// biome-ignore lint/style/noDefaultExport: vitest reads its configuration from a default export
export default defineConfig({
  test: {
    include: ['test/host/scenarios/**/*.test.ts'],
    globalSetup: ['test/host/global-setup.ts'],
    setupFiles: ['test/host/worker-lab.ts'],
    maxWorkers: workersMax,
    testTimeout: 180_000,
    hookTimeout: 300_000,
  },
})
