/**
 * Builds with the command line of docker or podman, whose commands for this are the same. What goes into a container is piped as tar: nothing
 * of the host is mounted in it, and nothing that comes out of it is unpacked on the host.
 */
import { type EngineKind, GearError, limits } from '../../api/index.ts'
import { TarEnd } from '../../formats/index.ts'
import { type CommandResult, type Commands, tools } from '../commands/port.ts'
import { type Streaming, stream } from '../commands/streaming.ts'
import { engineFailed, engineUnavailable } from '../engine/errors.ts'
import type { BuildContainer, Builder, BuilderImage, BuildRun, Commit, Goods, Streams, Tree, Unpacking } from './port.ts'

export interface EngineAddress {
  readonly kind: EngineKind
  /** Such as `unix:///var/run/docker.sock`; its usual one unless given. */
  readonly address?: string
}

/** The engine is asked for at every use, as the choice of a host's engine may change. Below `base` is what a pull has in hand. */
export function engineCliBuilder(commands: Commands, choose: () => Promise<EngineAddress>, base: string): Builder {
  return new EngineCliBuilder(commands, choose, base)
}

/** The engine's program, with the arguments that come first. */
interface Cli {
  readonly tool: EngineKind
  readonly args: readonly string[]
}

class EngineCliBuilder implements Builder {
  readonly #commands: Commands
  readonly #choose: () => Promise<EngineAddress>
  readonly #base: string
  readonly #cgroupDrivers = new Map<EngineKind, Promise<string>>()

  constructor(commands: Commands, choose: () => Promise<EngineAddress>, base: string) {
    this.#commands = commands
    this.#choose = choose
    this.#base = base
  }

  async image(name: string): Promise<BuilderImage | undefined> {
    const attempted = `read image ${name}`
    // containers will be made next: what they need is asked for meanwhile
    this.#driver().catch(() => undefined)
    const result = await this.#run(['image', 'inspect', '--format', '{{.Id}}\n{{json .Config}}', name])
    if (result.exitCode !== 0) {
      if (/no such image|image not known/i.test(result.stderr)) return undefined
      throw this.#failed(attempted, result.stderr)
    }
    const [id = '', config = ''] = result.stdout.split('\n')
    try {
      return imageOf(id, JSON.parse(config))
    } catch (error) {
      throw engineFailed(attempted, error)
    }
  }

  async pull(name: string, { signal, say }: Streams): Promise<void> {
    const { kind, address } = await this.#choose()
    let verdict = ''
    const { exitCode, complaint } = await stream({
      tool: 'pull-image',
      args: [kind, name, ...(address === undefined ? [] : [address])],
      variables: { GEARD_BASE_PATH: this.#base },
      signal,
      isToldToEnd: true,
      onStdout: text => {
        verdict = (verdict + text).slice(0, limits.toolOutputBytes)
      },
      onStderr: say,
    })
    if (exitCode !== 0) throw pullFailed(name, kind, verdict === '' ? complaint : verdict)
  }

  async create(container: BuildContainer): Promise<void> {
    const { kind } = await this.#choose()
    const make = (driver: string) => this.#run(createArguments(container, { kind, parent: cgroupParent(driver, container.slice) }))
    const driver = await this.#driver()
    const result = await make(driver)
    if (result.exitCode === 0) return
    const other = otherDriver(result.stderr)
    const again = other === undefined ? result : await make(other)
    if (again.exitCode !== 0) throw this.#failed(`make container ${container.name}`, again.stderr)
    if (other !== undefined) this.#cgroupDrivers.set(kind, Promise.resolve(other))
  }

  async put(container: string, goods: Goods): Promise<void> {
    await this.#stream(`copy into container ${container}`, {
      args: intoFolder(container, goods.below),
      signal: goods.signal,
      // 1: a file changed while it was read, as those of a local source may
      input: { tool: 'tar', args: tarArguments(goods), accepted: [1] },
    })
  }

  async hand(
    from: { readonly container: string; readonly folder: string },
    to: { readonly container: string; readonly below: string; readonly signal: AbortSignal },
  ): Promise<void> {
    await this.#stream(`copy from container ${from.container} into ${to.container}`, {
      args: intoFolder(to.container, to.below),
      signal: to.signal,
      input: await this.#cli(['cp', `${from.container}:${from.folder}`, '-']),
    })
  }

  async list(container: string, folder: string): Promise<readonly string[] | undefined> {
    let names = ''
    const end = await stream({
      tool: 'tar',
      args: ['--list', '--file=-'],
      onStdout: text => {
        if (names.length < limits.toolOutputBytes) names += text
      },
      input: await this.#cli(['cp', `${container}:${folder}/.`, '-']),
    })
    if (end.exitCode !== 0) return undefined
    // Docker calls them ./NAME, Podman NAME
    return names
      .split('\n')
      .flatMap(path => /^(?:\.\/)?([^/]+)\/?$/.exec(path)?.[1] ?? [])
      .filter(name => name !== '.')
  }

  async read(container: string, path: string, maxBytes: number): Promise<string | undefined> {
    let text = ''
    const end = await stream({
      tool: 'tar',
      args: ['--extract', '--to-stdout', '--file=-'],
      onStdout: piece => {
        if (text.length < maxBytes) text += piece
      },
      input: await this.#cli(['cp', `${container}:${path}`, '-']),
    })
    return end.exitCode === 0 ? text.slice(0, maxBytes) : undefined
  }

  async run(container: string, { signal, say, into }: Streams & { readonly into?: Unpacking }): Promise<BuildRun> {
    const output = into === undefined ? undefined : { headBytes: tarHeadBytes, isExpected: isTarHead, take: this.#unpack(into, signal) }
    const end = await stream({
      ...(await this.#cli(['start', '--attach', container])),
      signal,
      onStdout: say,
      onStderr: say,
      ...(output === undefined ? {} : { output }),
    })
    const { exitCode, complaint, isTaken: isUnpacked } = end
    if (exitCode === 0) return { exitCode, isOutOfMemory: false, isUnpacked }
    // a failure of the engine to start it has an exit code as well
    const state = await this.#run(['inspect', '--format', '{{.State.OOMKilled}} {{.State.StartedAt}} {{.State.Error}}', container])
    const [isOutOfMemory, startedAt = '', ...error] = state.stdout.trim().split(' ')
    if (state.exitCode !== 0 || startedAt.startsWith('0001-')) {
      throw this.#failed(`run container ${container}`, error.length > 0 ? error.join(' ') : complaint)
    }
    return { exitCode, isOutOfMemory: isOutOfMemory === 'true', isUnpacked }
  }

  /** Nothing of it is on the host in between. */
  #unpack({ container, folder, maxBytes }: Unpacking, signal: AbortSignal): (bytes: AsyncIterable<Buffer>) => Promise<void> {
    return async bytes => {
      let isTooMuch = false
      const tarEnd = new TarEnd()
      const bounded = async function* (): AsyncGenerator<Buffer> {
        let sizeBytes = 0
        for await (const piece of bytes) {
          sizeBytes += piece.length
          isTooMuch = sizeBytes > maxBytes
          if (isTooMuch) return
          // Podman fails on a pipe that its reader has left at the end of the tar
          const taken = tarEnd.take(piece)
          if (taken > 0) yield piece.subarray(0, taken)
        }
      }
      const attempted = `copy into container ${container}`
      const end = await stream({ ...(await this.#cli(intoFolder(container, folder))), signal, input: bounded() })
      if (isTooMuch) throw new GearError('BUILD_FAILED', `What was saved for ${container} is more than ${maxBytes} bytes`)
      if (end.exitCode !== 0) throw this.#failed(attempted, end.complaint)
    }
  }

  async commit(container: string, { name, command, user, labels }: Commit): Promise<string> {
    const changes = [
      `CMD ${JSON.stringify(command)}`,
      ...(user === undefined ? [] : [`USER ${user === '' ? '0' : user}`]),
      ...Object.entries(labels).map(([label, value]) => `LABEL ${label}=${value}`),
    ]
    const attempted = `make image ${name}`
    let printed = ''
    const onStdout = (text: string): void => {
      printed += text
    }
    const args = [...changes.flatMap(change => ['--change', change]), container, name]
    const { exitCode, complaint } = await stream({ ...(await this.#committing(args)), onStdout })
    if (exitCode !== 0) throw this.#failed(attempted, complaint)
    const id = /([0-9a-f]{64})\s*$/.exec(printed)?.[1]
    if (id === undefined) throw engineFailed(attempted, new Error(`it printed ${printed.trim()}`))
    return `sha256:${id}`
  }

  /** Podman of this host, for root, with a third less work. */
  async #committing(args: readonly string[]): Promise<Pick<Streaming, 'tool' | 'args'>> {
    const { kind, address } = await this.#choose()
    const isOwn = kind === 'podman' && address === undefined && process.getuid?.() === 0
    return isOwn ? { tool: 'podman-commit', args } : this.#cli(['commit', ...args])
  }

  async removeImage(id: string): Promise<boolean> {
    const { exitCode, stderr } = await this.#run(['image', 'rm', id])
    if (exitCode === 0 || /no such image|image not known/i.test(stderr)) return true
    if (/conflict|in use|used by|being used/i.test(stderr)) return false
    throw this.#failed(`remove image ${id}`, stderr)
  }

  async remove(containers: readonly string[]): Promise<void> {
    if (containers.length === 0) return
    const attempted = `remove ${containers.join(' ')}`
    const { kind } = await this.#choose()
    // Podman would ask a running one to stop, and wait for ten seconds; and it removes none where one is missing
    const atOnce = kind === 'podman' ? ['--time=0', '--ignore'] : []
    const gone = await this.#run(['rm', '--force', '--volumes', ...atOnce, ...containers])
    if (gone.exitCode !== 0 && !isOnlyMissing(gone.stderr)) throw this.#failed(attempted, gone.stderr)
    if (kind === 'docker') return
    const volume = await this.#run(['volume', 'rm', '--force', ...containers])
    if (volume.exitCode !== 0 && !isOnlyMissing(volume.stderr)) throw this.#failed(attempted, volume.stderr)
  }

  async #driver(): Promise<string> {
    const { tool } = await this.#cli([])
    const known = this.#cgroupDrivers.get(tool) ?? this.#askForDriver(tool)
    this.#cgroupDrivers.set(tool, known)
    known.catch(() => this.#cgroupDrivers.delete(tool))
    return known
  }

  /** Podman would take half a second to say; it refuses what is for the other one, which is soon enough. */
  async #askForDriver(kind: EngineKind): Promise<string> {
    if (kind === 'podman') return 'systemd'
    const { exitCode, stdout, stderr } = await this.#run(['info', '--format', '{{.CgroupDriver}}'])
    if (exitCode !== 0) throw this.#failed('ask the engine for its cgroup driver', stderr)
    return stdout.trim()
  }

  async #run(args: readonly string[]): Promise<CommandResult> {
    const cli = await this.#cli(args)
    try {
      return await this.#commands.run(cli.tool, cli.args)
    } catch (error) {
      throw engineUnavailable(tools[cli.tool].path, error)
    }
  }

  async #cli(args: readonly string[]): Promise<Cli> {
    const { kind, address } = await this.#choose()
    const flag = kind === 'docker' ? '--host' : '--url'
    return { tool: kind, args: address === undefined ? args : [flag, address, ...args] }
  }

  async #stream(attempted: string, { args, ...rest }: Omit<Streaming, 'tool'>): Promise<void> {
    const { exitCode, complaint } = await stream({ ...(await this.#cli(args)), ...rest })
    if (exitCode !== 0) throw this.#failed(attempted, complaint)
  }

  #failed(attempted: string, said: string) {
    const message = said
      .split('\n')
      .map(line => line.replace(/^(?:Error response from daemon|Error): /, '').trim())
      .filter(line => line !== '' && !line.startsWith('See ') && !line.startsWith('WARNING'))
      .join(' ')
    if (/cannot connect to|error during connect|unable to connect to podman/i.test(message)) {
      return engineUnavailable('its address', new Error(message))
    }
    return engineFailed(attempted, new Error(message === '' ? 'the engine said nothing' : message))
  }
}

/** `said` is the verdict of libexec/pull-image: a word, and a sentence. */
export function pullFailed(name: string, kind: EngineKind, said: string): GearError {
  const [, reason, sentence = said] = /^([a-z-]+) (.*)/.exec(said) ?? []
  const cause = new Error(sentence.trim() === '' ? 'the engine said nothing' : sentence.trim())
  const attempted = `pull image ${name}`
  switch (reason) {
    case 'pull-stalled':
      return new GearError('PULL_STALLED', `Could not ${attempted}`, { cause })
    case 'rate-limited':
      return new GearError('PULL_RATE_LIMITED', `Could not ${attempted}`, { cause })
    case 'engine-away':
      return engineUnavailable(tools[kind].path, cause)
    default:
      return engineFailed(attempted, cause)
  }
}

/** What Podman says of a parent in the form of the driver that it does not use; that it uses the other. */
function otherDriver(said: string): string | undefined {
  return /systemd slice received as cgroup parent/i.test(said) ? 'cgroupfs' : undefined
}

/** From standard input. */
function intoFolder(container: string, folder: string): readonly string[] {
  return ['cp', '--archive=false', '-', `${container}:${folder}`]
}

/** Engines differ in whether that is a failure. */
function isOnlyMissing(said: string): boolean {
  return said
    .trim()
    .split('\n')
    .every(line => /no such (?:container|volume)|no container with/i.test(line))
}

/** A tar begins with a block of that size that says so, or is empty and has nothing but zeros (tar(5)). */
const tarHeadBytes = 512

function isTarHead(head: Buffer): boolean {
  return head.toString('latin1', 257, 262) === 'ustar' || head.subarray(0, tarHeadBytes).every(byte => byte === 0)
}

/** As containers of units have them: those of Podman's defaults on both engines, and set-user-id programs give none. */
const rights = ['--security-opt=no-new-privileges', ...['AUDIT_WRITE', 'MKNOD', 'NET_RAW'].map(name => `--cap-drop=${name}`)]

/** Podman writes a volume without a name into the image that is committed; that of Docker has none, and goes with its container. */
export function createArguments(
  container: BuildContainer,
  { kind, parent }: { readonly kind: EngineKind; readonly parent: string },
): readonly string[] {
  const { name, image, command, user, variablesFile, workFolder, memoryBytes, cpus, pids, network } = container
  return [
    'create',
    '--pull=never',
    `--name=${name}`,
    // what it prints is passed on; the engine would keep it as well
    '--log-driver=none',
    ...rights,
    `--cgroup-parent=${parent}`,
    `--mount=type=volume,${kind === 'podman' ? `src=${name},` : ''}dst=${workFolder}`,
    ...(memoryBytes > 0 ? [`--memory=${memoryBytes}`, `--memory-swap=${memoryBytes}`] : []),
    ...(cpus > 0 ? [`--cpus=${cpus}`] : []),
    ...(pids > 0 ? [`--pids-limit=${pids}`] : []),
    ...(network === undefined ? [] : [`--network=${network}`]),
    ...(user === undefined ? [] : [`--user=${user === '' ? '0' : user}`]),
    ...(variablesFile === undefined ? [] : [`--env-file=${variablesFile}`]),
    image,
    ...command,
  ]
}

/** The tree's entries begin with `./`, which becomes its name in the container; links keep their targets. The parts have names of their own. */
export function tarArguments({ parts, tree, owner }: Pick<Goods, 'parts' | 'tree' | 'owner'>): readonly string[] {
  return [
    '--create',
    '--file=-',
    `--owner=${owner.uid}`,
    `--group=${owner.gid}`,
    '--numeric-owner',
    ...(tree === undefined ? [] : treeOptions(tree)),
    ...(parts ?? []).flatMap(({ folder, names }) => [`--directory=${folder}`, ...names]),
    ...(tree === undefined ? [] : [`--directory=${tree.folder}`, tree.only === undefined ? '.' : `./${tree.only}`]),
  ]
}

function treeOptions({ as, without, withoutNamed }: Tree): readonly string[] {
  return [
    `--transform=flags=rSh;s,^\\./,${as}/,;s,^\\.$,${as},`,
    '--no-wildcards',
    '--anchored',
    ...without.map(path => `--exclude=./${path}`),
    '--no-anchored',
    ...withoutNamed.map(name => `--exclude=${name}`),
  ]
}

/** As libexec/docker-start has it: the slice's name for the systemd driver, else its path, nested at each dash. */
export function cgroupParent(driver: string, slice: string): string {
  if (driver === 'systemd') return slice
  const parts = slice.replace(/\.slice$/, '').split('-')
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('-')}.slice`).join('')
}

function imageOf(id: string, config: unknown): BuilderImage {
  const { User, Env, Labels, Cmd } = config as Readonly<Record<string, unknown>>
  return {
    id: /^[0-9a-f]{64}$/.test(id) ? `sha256:${id}` : id,
    user: typeof User === 'string' ? User : '',
    environment: textsOf(Env),
    labels: Object.fromEntries(Object.entries(Labels ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string')),
    command: textsOf(Cmd),
  }
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}
