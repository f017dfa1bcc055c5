import { defineConfig } from 'vitest/config'

// biome-ignore lint/style/noDefaultExport: vitest reads its configuration from a default export
export default defineConfig({
  test: {
    include: ['test/host/scenarios/**/*.test.ts'],
    globalSetup: ['test/host/global-setup.ts'],
    // The stories share hosts, so one file runs after the other.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 300_000,
  },
})
