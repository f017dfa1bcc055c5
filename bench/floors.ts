/**
 * Floors: the least that an answer costs on this machine, measured between the agent's own. An HTTP server of the same Node that does
 * nothing, and one small file written so that it survives a power cut.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Caller } from './caller.ts'

/** A server in a process of its own, as the agent is. It reads what it is sent, and answers `GET /N` with N bytes. */
export async function startEmptyServer(): Promise<EmptyServer> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('empty-server.ts', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return new EmptyServer(child, Number(line.toString()))
}

export class EmptyServer implements Disposable {
  readonly #child: ChildProcess
  readonly #caller: Caller
  readonly port: number

  constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.#caller = new Caller(port)
    this.port = port
  }

  async putMs(body: unknown): Promise<number> {
    return (await this.#caller.do({ method: 'PUT', path: '/0', body })).ms
  }

  [Symbol.dispose](): void {
    this.#caller[Symbol.dispose]()
    this.#child.kill()
  }
}

/** A folder on the disk that holds the agent's state. */
export function openDurableFloor(): DurableFloor {
  return new DurableFloor('/var/lib/containers/bench-floor')
}

export class DurableFloor implements Disposable {
  readonly #folder: string
  #written = 0

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder)
  }

  /** Write, sync, rename, sync the folder: what every record of the agent takes at least. */
  writeMs(): number {
    const name = `${this.#folder}/${++this.#written}`
    const startMs = performance.now()
    const file = openSync(`${name}.new`, 'wx')
    writeSync(file, 'x'.repeat(1000))
    fsyncSync(file)
    closeSync(file)
    renameSync(`${name}.new`, name)
    const folder = openSync(this.#folder, 'r')
    fsyncSync(folder)
    closeSync(folder)
    return performance.now() - startMs
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true })
  }
}
