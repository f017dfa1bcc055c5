import { defineConfig } from 'vitest/config'

// biome-ignore lint/style/noDefaultExport: vitest reads its configuration from a default export
export default defineConfig({
  test: {
    // A limit for what hangs, not for what is slow: the machine may have other work.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    include: [
      'src/**/*.test.ts',
      'bench/**/*.test.ts',
      'tools/**/*.test.ts',
      'test/golden/**/*.test.ts',
      'test/compat/**/*.test.ts',
      'test/sim/**/*.test.ts',
    ],
  },
})
