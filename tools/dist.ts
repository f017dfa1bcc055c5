/**
 * Packs what is built as a client of Linux hosts, for macOS and Windows: `build/gear-VERSION-client.tar.gz` and `.zip`. No Node is inside, no agent and
 * no compiled code, which would fit one V8 only. Run `make build` before.
 *
 * Usage: node tools/dist.ts [FOLDER]
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { completionScripts } from '../src/cli/completion-scripts.ts'
import { clientScripts } from './build.ts'

const repository = new URL('..', import.meta.url).pathname

/** Fills a folder with the client, from a `dist/`. */
export function layOutClient(folder: string, dist: string): void {
  const client = join(repository, 'packaging/client')
  for (const name of ['bin', 'lib/dist', 'completions', 'man']) mkdirSync(join(folder, name), { recursive: true })
  for (const name of ['main.cjs', ...clientScripts.map(script => `${script}.js`), 'openapi.json', 'licenses.txt'])
    copyFileSync(join(dist, name), join(folder, 'lib/dist', name))
  copyFileSync(join(client, 'gear.cjs'), join(folder, 'lib/gear.cjs'))
  for (const name of ['gear', 'gear.cmd']) copyFileSync(join(client, name), join(folder, 'bin', name))
  chmodSync(join(folder, 'bin/gear'), 0o755)
  copyFileSync(join(client, 'README.txt'), join(folder, 'README.txt'))
  copyFileSync(join(repository, 'LICENSE'), join(folder, 'LICENSE'))
  // A client has no sti, which works on this machine only.
  cpSync(join(repository, 'docs/reference/man'), join(folder, 'man'), { recursive: true, filter: path => !path.endsWith('sti.1') })
  const scripts = {
    'gear.bash': completionScripts.bash('gear'),
    _gear: completionScripts.zsh('gear'),
    'gear.fish': completionScripts.fish('gear'),
  }
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(folder, 'completions', name), text)
}

function pack(folder: string): void {
  const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { readonly version: string }
  const name = `gear-${version}-client`
  rmSync(join(folder, name), { recursive: true, force: true })
  layOutClient(join(folder, name), join(repository, 'dist'))
  for (const [program, args] of [
    ['tar', ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '-czf', `${name}.tar.gz`, name]],
    ['zip', ['-q', '-r', '-X', `${name}.zip`, name]],
  ] as const) {
    rmSync(join(folder, args.find(word => word.startsWith(`${name}.`)) ?? ''), { force: true })
    execFileSync(program, args, { cwd: folder, stdio: 'inherit' })
  }
  rmSync(join(folder, name), { recursive: true })
  process.stdout.write(`${join(folder, name)}.tar.gz\n${join(folder, name)}.zip\n`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const folder = process.argv[2] ?? join(repository, 'build')
  mkdirSync(folder, { recursive: true })
  pack(folder)
}
