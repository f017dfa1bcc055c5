/**
 * A Node application of a few hundred packages, as a measuring host finds it: a builder image on both engines, the source, and a way to the npm registry,
 * which keeps what was fetched once, so that a first build is as fast as a network can make it. Runs on the machine of the lab.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LabHost } from '../test/host/lab-host.ts'
import { makeNodeBuilder } from '../test/host/node-builder.ts'
import { openNpmRelay } from '../test/host/npm-relay.ts'
import { application } from './application.ts'

/** What an application in TypeScript with tests, lint and a bundler has. */
const dependencies = {
  express: '5.1.0',
  pino: '9.9.0',
  zod: '4.1.5',
  typescript: '5.9.2',
  webpack: '5.101.3',
  'webpack-cli': '6.0.1',
  eslint: '9.35.0',
  jest: '30.1.3',
}

export async function prepareApplication(host: LabHost): Promise<AsyncDisposable> {
  const registry = await openNpmRelay(host)
  await host.sh('podman load --quiet --input /usr/share/gear-lab/images.tar >/dev/null')
  for (const engine of ['docker', 'podman'] as const) await makeNodeBuilder(host, engine, application.builder)
  await host.sh(`mkdir -p ${application.folder}/.s2i; echo NPM_CONFIG_REGISTRY=${registry.url} > ${application.folder}/.s2i/environment`)
  for (const [name, text] of Object.entries(packageFiles())) {
    await host.do(['/usr/bin/tee', `${application.folder}/${name}`], { input: text })
  }
  return registry
}

/** What npm makes of the dependencies today. */
function packageFiles(): Readonly<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'gear-bench-'))
  try {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'bench-shop', version: '1.0.0', private: true, dependencies }))
    execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], { cwd: folder })
    const names = ['package.json', 'package-lock.json']
    return Object.fromEntries(names.map(name => [name, readFileSync(join(folder, name), 'utf8')]))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
