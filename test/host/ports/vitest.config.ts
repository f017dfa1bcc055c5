import { defineConfig } from 'vitest/config'

/** The suites of the ports on real adapters: to be run as root on a host with systemd, Docker and Podman, from the root of the sources. */
// biome-ignore lint/style/noDefaultExport: vitest reads its configuration from a default export
export default defineConfig({
  test: { include: ['test/host/ports/**/*.test.ts'], testTimeout: 30_000, hookTimeout: 60_000 },
})
