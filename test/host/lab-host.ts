/**
 * A lab host as the stories see it: run a command on it, look at a unit, reboot it, pull its plug. Nothing here knows what is tested.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../../', import.meta.url))
const lab = `${repository}lab/lab`

/** How many times as long as a host of the lab an emulated machine may take (machines.config.ts). */
const patience = Number(process.env['GEAR_LAB_PATIENCE'] ?? 1)

export interface Outcome {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string
  readonly timeoutMs?: number
}

/** The variables lab commands and their children see: the machine's own, without Node's. */
function cleanEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('NODE_') && !name.startsWith('npm_') && !name.startsWith('VITEST'),
  )
  return Object.fromEntries(kept.map(([name, value]) => [name, value ?? '']))
}

async function run(
  command: string,
  args: readonly string[],
  { input = '', timeoutMs = 120_000, variables = {} }: RunOptions & { readonly variables?: Readonly<Record<string, string>> } = {},
): Promise<Outcome> {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...cleanEnvironment(), ...variables },
    timeout: timeoutMs * patience,
    killSignal: 'SIGKILL',
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [exitCode, signal] = (await once(child, 'close')) as [number | null, string | null]
  return {
    exitCode: exitCode ?? 128,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString() + (signal === null ? '' : `\n(ended by ${signal} after ${timeoutMs * patience} ms)`),
  }
}

/** A lab command for several hosts, such as `up`; throws with its output when it fails. */
export function labCommand(...args: readonly string[]): Promise<string> {
  return labCommandWith({}, ...args)
}

/** The same in the lab of the name. */
export function labCommandIn(name: string, ...args: readonly string[]): Promise<string> {
  return labCommandWith({ GEAR_LAB: name }, ...args)
}

async function labCommandWith(variables: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<string> {
  const outcome = await run(lab, args, { timeoutMs: 300_000, variables })
  if (outcome.exitCode !== 0) throw new Error(`lab ${args.join(' ')} failed (${outcome.exitCode}):\n${outcome.stdout}${outcome.stderr}`)
  return outcome.stdout
}

export class LabHost {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  /** Runs a command on the host; any exit code is a result. */
  exec(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return run(lab, ['exec', this.name, '--', ...command], options)
  }

  /** Runs a command that has to succeed; its output. */
  async do(command: readonly string[], options: RunOptions = {}): Promise<string> {
    const outcome = await this.exec(command, options)
    if (outcome.exitCode !== 0) {
      throw new Error(`on ${this.name}: ${command.join(' ')} ended with ${outcome.exitCode}\n${outcome.stdout}${outcome.stderr}`)
    }
    return outcome.stdout
  }

  /** Runs a line of shell on the host; for what an administrator would type with pipes. */
  sh(line: string, options: RunOptions = {}): Promise<string> {
    return this.do(['/bin/sh', '-euc', line], options)
  }

  gear(...args: readonly string[]): Promise<Outcome> {
    return this.exec(['gear', ...args])
  }

  /** A gear command that has to succeed; its output. */
  gearDo(...args: readonly string[]): Promise<string> {
    return this.do(['gear', ...args])
  }

  async address(): Promise<string> {
    return (await labCommand('ip', this.name)).trim()
  }

  reboot(): Promise<string> {
    return labCommand('reboot', this.name)
  }

  /** A power cut, and the host booted again from the same disk. */
  crash(): Promise<string> {
    return labCommand('crash', this.name)
  }

  /** The same for a machine (`lab/machines.sh`) whose disk has everything, and whose kernel is started with these words from then on. */
  async bootWith(kernelWords: string): Promise<string> {
    await this.sh('sync')
    return labCommandWith({ GEAR_LAB_KERNEL_WORDS: kernelWords }, 'crash', this.name)
  }

  /** Properties of a unit, as systemctl names them. */
  async unit<const Name extends string>(unit: string, ...names: readonly Name[]): Promise<Record<Name, string>> {
    const text = await this.do(['systemctl', 'show', '--property', names.join(','), unit])
    const values = new Map(text.split('\n').map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const))
    return Object.fromEntries(names.map(name => [name, values.get(name) ?? ''])) as Record<Name, string>
  }

  async activeState(id: string): Promise<string> {
    return (await this.unit(`ctr-${id}.service`, 'ActiveState')).ActiveState
  }

  /** Waits until the unit of a container is in one of the states. */
  untilState(id: string, ...states: readonly string[]): Promise<void> {
    return until(`ctr-${id} is ${states.join(' or ')}`, async () => {
      const state = await this.activeState(id)
      return states.includes(state) ? true : `it is ${state}`
    })
  }

  /** The page a container serves on an external port, or undefined while nothing answers. */
  async page(port: number): Promise<string | undefined> {
    const outcome = await this.exec(['curl', '-q', '-s', '-m', `${5 * patience}`, `http://127.0.0.1:${port}/`])
    return outcome.exitCode === 0 ? outcome.stdout : undefined
  }

  async untilPage(port: number, text: string): Promise<void> {
    await until(`port ${port} serves "${text}"`, async () => {
      const page = await this.page(port)
      return page?.includes(text) ? true : `it serves ${JSON.stringify(page)}`
    })
  }

  async untilAgentIsUp(): Promise<void> {
    await until('the agent answers', async () => {
      const outcome = await this.exec(['curl', '-q', '-s', '--unix-socket', '/run/gear/gear.sock', 'http://gear/healthz'])
      return outcome.exitCode === 0 ? true : `curl says ${outcome.exitCode}`
    }).catch(async (error: unknown) => {
      const status = await this.exec(['systemctl', 'status', '--full', '--no-pager', '--lines=30', 'gear.service'])
      const jobs = await this.exec(['systemctl', 'list-jobs', '--no-pager'])
      throw new Error(`${String(error)}\n${status.stdout}${status.stderr}${jobs.stdout}`)
    })
  }

  /** The first external port of a container. */
  async port(id: string): Promise<number> {
    const { Ports } = JSON.parse(
      await this.do(['curl', '-q', '-sS', '--unix-socket', '/run/gear/gear.sock', `http://gear/container/${id}/ports`]),
    ) as {
      Ports: { External: number }[]
    }
    const port = Ports[0]?.External
    if (port === undefined) throw new Error(`container ${id} has no ports`)
    return port
  }

  /** A call of the API as root on the host, with curl: status line, headers and body as they came. */
  async api(
    method: string,
    path: string,
    options: { readonly body?: string; readonly headers?: readonly string[] } = {},
  ): Promise<ApiAnswer> {
    const headers = (options.headers ?? []).flatMap(header => ['-H', header])
    const body = options.body === undefined ? [] : ['--data-binary', '@-']
    const text = await this.do(
      ['curl', '-q', '-sS', '-i', '-X', method, '--unix-socket', '/run/gear/gear.sock', ...headers, ...body, `http://gear${path}`],
      { input: options.body ?? '' },
    )
    return parseAnswer(text)
  }
}

export interface ApiAnswer {
  readonly status: number
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

function parseAnswer(text: string): ApiAnswer {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...headerLines] = text.slice(0, end).split('\r\n')
  if (statusLine.includes(' 100 ')) return parseAnswer(text.slice(end + 4))
  const headers = new Map(
    headerLines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()] as const),
  )
  return { status: Number(statusLine.split(' ')[1]), headers, body: text.slice(end + 4) }
}

/** Looks again and again until `look` answers true; what it answered last is in the error when the time is over. */
export async function until(what: string, look: () => Promise<true | string>, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs * patience
  for (;;) {
    const seen = await look()
    if (seen === true) return
    if (Date.now() > deadline) throw new Error(`after ${timeoutMs * patience} ms it is not so that ${what}: ${seen}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}
