/** The engines and systemd of this host as somebody uses them who has no gear: the peers of the claims about containers. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { childEnvironment } from './children.ts'
import { systemctl } from './systemd.ts'

export type Engine = 'docker' | 'podman'

/** What is told of an engine where the other one needs no word. */
export function onEngine(engine: Engine): string {
  return engine === 'docker' ? '' : ' on Podman'
}

/** Runs a command that has to succeed; its output. */
export async function run(command: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { env: childEnvironment, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ])
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${stderr}`)
  return stdout
}

/** How long it takes from its start to its end. */
export async function runMs(command: string, ...args: readonly string[]): Promise<number> {
  const startMs = performance.now()
  await run(command, ...args)
  return performance.now() - startMs
}

/** Returns when so many of Docker's containers have started since then, in seconds since 1970. */
export async function dockerStarts(count: number, sinceS: number): Promise<void> {
  const child = spawn('docker', ['events', '--since', String(sinceS), '--filter', 'event=start', '--format', '{{.ID}}'], {
    env: childEnvironment,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let seen = 0
  for await (const _id of createInterface(child.stdout)) if (++seen === count) break
  child.kill()
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  if (seen < count) throw new Error(`docker events ended after ${seen} of ${count} starts`)
}

/** Writes units by name, and has systemd read them, once. */
export function writeUnits(units: ReadonlyMap<string, string>): void {
  for (const [name, text] of units) writeFileSync(`/etc/systemd/system/${name}.service`, text)
  systemctl('daemon-reload')
}

interface Container {
  readonly name: string
  readonly image: string
  readonly port: number
}

/** What Podman writes for a container of this kind, which it needs to see for that; with as much patience as our units have for many at once. */
export async function generatedUnit({ name, image, port }: Container): Promise<string> {
  await run('podman', 'create', '--name', name, '-p', `${port}:8080`, image)
  const unit = await run('podman', 'generate', 'systemd', '--new', '--start-timeout', '1800', '--name', name)
  await run('podman', 'rm', name)
  return unit.replace(/^TimeoutStopSec=.*$/m, 'TimeoutStopSec=1800')
}

/** The unit that documentation and forums have for a container of Docker: the attached client is its main process. The original wrote such units, too. */
export function handWrittenUnit({ name, image, port }: Container): string {
  return `[Unit]
After=docker.service
[Service]
ExecStartPre=-/usr/bin/docker rm --force ${name}
ExecStart=/usr/bin/docker run --rm --name ${name} -p ${port}:8080 ${image}
ExecStop=/usr/bin/docker stop ${name}
TimeoutStopSec=1800
`
}

/** The program of the image `gear/httpd` without a container. It is active when it has been executed. */
export function plainUnit(port: number): string {
  mkdirSync('/srv/www', { recursive: true })
  return `[Service]
Type=exec
ExecStart=/bin/busybox httpd -f -p ${port} -h /srv/www
`
}
