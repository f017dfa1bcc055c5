/**
 * What a container had and has no longer once it is installed anew. An install says all that a container is to be (spec §4.1), so what is not given
 * again is gone, its isolation among it, or has become a default, which may also have been asked for: that is told, in the words of the command line. Pure.
 */
import { printMemory, readUnitMetadata, splitCommand } from '../../formats/index.ts'
import { defaultSlice, isOfOriginal, memoryOfSlice, readInstalled } from './container.ts'
import { droppedByDefault } from './hardening.ts'

/** Flags of `gear install`, with their values: `--isolate`, `-v /data`. */
export interface Dropped {
  readonly gone: readonly string[]
  /** Those that always have a value, and have the default now: `--memory 512m instead of --memory 2g`. */
  readonly changed: readonly string[]
}

/** Both texts are unit files. */
export function droppedFlags(before: string, after: string): Dropped {
  const kept = flagsOf(after)
  const missing = [...flagsOf(before)].filter(([flag, value]) => isMissing(kept, flag, value))
  const internal = new Set(readInstalled(after).ports.map(pair => pair.internal))
  const ports = readInstalled(before).ports.filter(pair => !internal.has(pair.internal))
  const gone: string[] = []
  const changed: string[] = []
  for (const [flag, about] of missing) {
    const now = defaultNow(about, after)
    if (now === undefined) gone.push(flag)
    else if (now !== flag) changed.push(`${now} instead of ${flag}`)
  }
  return { gone: [...gone, ...ports.map(pair => `-p ${pair.internal}:${pair.external}`)], changed }
}

/** The default that a flag has in a unit file; undefined for what is there or not. */
function defaultNow(about: string, after: string): string | undefined {
  switch (about) {
    case 'slice':
      return `--slice ${defaultSlice}`
    case 'memory': {
      const { memoryBytes = 0 } = readInstalled(after)
      return `--memory ${memoryBytes === 0 ? '0' : printMemory(memoryBytes)}`
    }
    case 'restart':
      return '--restart on-failure'
    case 'cpus':
    case 'pids':
      return `--${about} 0`
    case 'quota':
      return isIsolatedUnit(after) ? '--quota 0' : undefined
    default:
      return undefined
  }
}

function isIsolatedUnit(unitText: string): boolean {
  return readUnitMetadata(unitText).get('X-ContainerType')?.[0] === 'isolated'
}

export const nothingDropped: Dropped = { gone: [], changed: [] }

/** `what was not given again is gone: --isolate`; empty when nothing was dropped. */
export function droppedReason({ gone, changed }: Dropped): string {
  return [
    ...(gone.length === 0 ? [] : [`what was not given again is gone: ${gone.join(' ')}`]),
    ...(changed.length === 0 ? [] : [`it gets ${changed.join(', ')}`]),
  ].join('; ')
}

/** Of a flag that may be given once only, another value is a wish, and nothing is missing. */
function isMissing(kept: Flags, flag: string, about: string): boolean {
  return !kept.has(flag) && (about === '' || ![...kept.values()].includes(about))
}

/** By the flag with its value: what it is about when it may be given only once, and else nothing. */
type Flags = ReadonlyMap<string, string>

function flagsOf(unitText: string): Flags {
  const flags = new Map<string, string>()
  const isIsolated = isIsolatedUnit(unitText)
  if (isIsolated) flags.set('--isolate', '')
  // The original's units have another command line.
  if (isOfOriginal(unitText)) return flags
  const { slice, environment, memoryBytes = 0 } = readInstalled(unitText)
  const size = slice.replace(/\.slice$/, '')
  if (size !== defaultSlice) flags.set(`--slice ${size}`, 'slice')
  if (memoryBytes !== (memoryOfSlice[size] ?? 0)) flags.set(`--memory ${memoryBytes === 0 ? '0' : printMemory(memoryBytes)}`, 'memory')
  if (environment !== undefined) flags.set(`--env-id ${environment}`, 'environment')
  const restart = /^Restart=(\S+)$/m.exec(unitText)?.[1] ?? 'on-failure'
  if (restart !== 'on-failure') flags.set(`--restart ${restart}`, 'restart')
  const options = startOptions(unitText)
  for (const [at, option] of options.entries()) addFlag(flags, option, options[at + 1] ?? '', isIsolated)
  const line = options.join('\n')
  if (options.length > 0 && !line.includes('--security-opt\nno-new-privileges')) flags.set('--new-privileges', '')
  return flags
}

function addFlag(flags: Map<string, string>, option: string, value: string, isIsolated: boolean): void {
  const [name = '', attached = ''] = option.split('=', 2)
  switch (name) {
    case '-v':
      if (!value.includes(':/.container.init:')) flags.set(`-v ${value}`, '')
      break
    case '--cpus':
      flags.set(`--cpus ${value}`, 'cpus')
      break
    case '--pids-limit':
      if (value !== '-1') flags.set(`--pids ${value}`, 'pids')
      break
    case '--cap-add':
      // With isolation nobody asks for any: its scripts need some when all others are dropped.
      if (!isIsolated) flags.set(`--cap-add ${attached}`, '')
      break
    case '--cap-drop':
      if (!(droppedByDefault as readonly string[]).includes(attached)) flags.set(`--cap-drop ${attached}`, '')
      break
    case '--security-opt':
      if (value.startsWith('seccomp=')) flags.set(`--seccomp-profile ${value.slice('seccomp='.length)}`, 'seccomp')
      break
    case '--read-only':
    case '--userns':
      flags.set(option === '--userns' ? `--userns ${value}` : option, '')
      break
    case '--isolate':
      if (attached !== '') flags.set(`--quota ${printMemory(Number(attached))}`, 'quota')
      break
  }
}

/** The arguments of the start helper, `--isolate=…` and the options of the engine; none when the command line is not one that gear wrote. */
function startOptions(unitText: string): readonly string[] {
  const [, line] = /^Exec(?:StartPre|Start)=(\S+\/(?:docker|podman)-start .*)$/m.exec(unitText) ?? []
  if (line === undefined) return []
  try {
    // The image comes last, and is no option.
    return splitCommand(line).slice(0, -1)
  } catch {
    return []
  }
}
