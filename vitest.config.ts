import { defineConfig } from 'vitest/config'

// biome-ignore lint/style/noDefaultExport: vitest reads its configuration from a default export
export default defineConfig({
  test: {
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
