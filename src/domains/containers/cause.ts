/**
 * Why a container is not running though it should: one sentence, and what to try. Pure: from what systemd says of the unit and what
 * the helpers noted when the last run ended.
 */
import type { UnitStatus } from '../../host/index.ts'
import type { InstalledContainer } from './container.ts'
import type { LastExit } from './run-state.ts'

export interface Cause {
  readonly cause: string
  readonly next: string
}

interface Situation {
  readonly id: string
  readonly installed: Pick<InstalledContainer, 'engine' | 'image' | 'memoryBytes'>
  readonly status: UnitStatus
  readonly lastExit: LastExit | undefined
}

/** Undefined while the container is well: it runs, starts for the first time, or was stopped on request. */
export function causeOf(situation: Situation): Cause | undefined {
  const { status } = situation
  const isRetrying = status.activeState === 'activating' && (status.subState === 'auto-restart' || status.restarts > 0)
  if (status.loadState !== 'loaded') return notLoaded(situation)
  if (status.activeState !== 'failed' && !isRetrying) return undefined
  const why = lastFailure(situation)
  if (hasGivenUp(situation)) {
    return { cause: `it failed too often in a short time, so systemd gave up; at last ${why.cause}`, next: why.next }
  }
  if (isRetrying) return { cause: `${why.cause}; systemd starts it again (restart ${status.restarts})`, next: why.next }
  return why
}

/**
 * A unit that systemd restarts stays `failed` only at the start limit; the result it then shows is often that of the last run (252). Unless
 * it failed while it was being stopped on request, which is not followed by a restart.
 */
function hasGivenUp({ status: { activeState, result, restarts }, lastExit }: Situation): boolean {
  return activeState === 'failed' && (result === 'start-limit-hit' || (restarts > 0 && lastExit?.reason !== 'stopped'))
}

function notLoaded({ id, status }: Situation): Cause | undefined {
  if (status.loadState === 'not-found')
    return { cause: 'it is disabled: systemd does not know its unit', next: `Enable and start it with: gear start ${id}` }
  return { cause: `systemd could not load its unit (${status.loadState})`, next: `Look at: systemctl status ctr-${id}.service` }
}

function lastFailure(situation: Situation): Cause {
  const { lastExit, status, id } = situation
  if (lastExit === undefined) {
    return { cause: `the unit ended as ${status.result}${exitText(status)}`, next: `Look at: journalctl -u ctr-${id}` }
  }
  return refused(situation, lastExit) ?? ended(situation, lastExit)
}

function exitText({ mainStatus, mainSignalled }: UnitStatus): string {
  if (mainStatus === 0) return ''
  return mainSignalled ? ` (signal ${mainStatus})` : ` (exit code ${mainStatus})`
}

/** Why the engine did not start it at all. */
function refused({ installed: { image, engine }, id }: Situation, { reason, message }: LastExit): Cause | undefined {
  const said = message === '' ? '' : `: ${message}`
  const unwritable = reason === 'run-failed' || reason === 'pull-failed' ? unwritableStorage(engine, message) : undefined
  if (unwritable !== undefined) return unwritable
  const journal = `journalctl -u ctr-${id}${engine === 'docker' ? ' -u docker' : ''}`
  switch (reason) {
    case 'image-missing':
      return {
        cause: `the image ${image} is neither on this host nor in its registry${said}`,
        next: `Check the name of the image, or bring it here with: ${engine} pull, ${engine} load.`,
      }
    case 'pull-failed':
      return {
        cause: `the image ${image} could not be pulled${said}`,
        next: `Check that this host reaches the registry, and log in if it needs it: ${engine} pull ${image}`,
      }
    case 'pull-stalled':
      return {
        cause: `the image ${image} could not be pulled${said}`,
        next: `Check that this host reaches the registry: ${engine} pull ${image}. For one that is slow to begin: GEARD_PULL_STALL_SECONDS in /etc/default/gear.`,
      }
    case 'rate-limited':
      return {
        cause: `the image ${image} could not be pulled, because its registry refuses more requests for now${said}`,
        next: `Log in, since registries allow more to those whom they know (${engine} login), or wait; then: gear start ${id}`,
      }
    case 'port-taken':
      return {
        cause: `an external port is used by another program${said}`,
        next: 'Find it with: ss -ltnp. Stop it, or install again with another port.',
      }
    case 'engine-away':
      return {
        cause: `the container engine does not answer${said}`,
        next: engine === 'docker' ? 'Check: systemctl status docker' : 'Check: podman info, and who has its locks: ps -fC podman',
      }
    case 'name-taken':
      return {
        cause: `the engine has a container named ${id} that gear did not make`,
        next: `Remove or rename it (${engine} rename ${id} NEW), or install under another id.`,
      }
    case 'storage-damaged':
      return {
        cause: `the engine's storage is damaged${said}`,
        next: `Remove what is damaged and bring the image here again (${engine} image rm, ${engine} pull); as the last resort: ${engine} system reset`,
      }
    case 'volume-path':
      return {
        cause: `the data of its volumes could not be kept${said}`,
        next: 'Use an image whose VOLUME paths have no line break, colon or backslash.',
      }
    case 'links-failed':
      return { cause: `its network links could not be applied${said}`, next: `Look at: journalctl -u ctr-${id}` }
    case 'isolation-failed':
      return {
        cause: `it could not be given an account of its own${said}`,
        next: 'Use an image that has what is missing, or install it without --isolate.',
      }
    case 'image-refused':
      return {
        cause: `its image was refused before anything of it ran${said}`,
        next: 'Use an image in which these are plain files. Docker may wait for others for ever, and is then restarted with: systemctl restart docker',
      }
    case 'no-user-numbers':
      return {
        cause: `podman has no user numbers for a namespace of its own${said}`,
        next: 'Give the user containers a range in /etc/subuid and /etc/subgid, 65536 for each container, such as: containers:2147483647:2147483648',
      }
    case 'other-numbers':
      return {
        cause: `its data belong to other users${said}`,
        next: `Install it as it was before. To move the data, start it so, copy them out (gear cp), gear delete --all ${id}, install it anew and copy them in.`,
      }
    case 'start-timeout':
      return { cause: 'it had not started when the time systemd allows was over', next: `Look at: ${journal}` }
    case 'waiter-lost':
      return { cause: 'the process that watched it was killed, so it was ended and starts anew', next: `Look at: journalctl -u ctr-${id}` }
    case 'run-failed':
      return { cause: `the engine refused to start it${said}`, next: `Look at the message, and at: ${journal}` }
    default:
      return undefined
  }
}

/** The file that the engine could not write, and why: of its own, and not one of the kernel's or inside of the container. */
const unwritten = /(?<path>\/[^\s:"']+): (?<why>no space left on device|disk quota exceeded|read-only file system)/i

/** Where the engine keeps images and containers nothing can be written. A prune of its stopped containers is not proposed: one of them holds the data of ours. */
function unwritableStorage(engine: string, message: string): Cause | undefined {
  const { path = '/sys/', why = '' } = unwritten.exec(message)?.groups ?? {}
  if (/^\/(sys|proc|dev)\/|\/merged\//.test(path)) return undefined
  const place = engine === 'docker' ? "docker info --format '{{.DockerRootDir}}'" : "podman info --format '{{.Store.GraphRoot}}'"
  if (/read-only/i.test(why)) {
    return {
      cause: `the engine's storage is read-only: ${message}`,
      next: `See why its file system is (${place}; findmnt, dmesg), and start the container again when it is not.`,
    }
  }
  return {
    cause: `the engine's storage is full: ${message}`,
    next: `Make room there (${place}; df -h, df -i; unused images go with: ${engine} image prune --all), and start the container again.`,
  }
}

/** How a run that had begun ended. */
function ended({ id, status, installed: { memoryBytes } }: Situation, { exitCode, oomKilled, message }: LastExit): Cause {
  if (oomKilled) {
    const limit = memoryBytes === undefined ? 'its memory limit' : `its memory limit of ${Math.round(memoryBytes / 1024 / 1024)} MiB`
    return {
      cause: `it was killed because it needed more than ${limit}`,
      next: 'Give it more with: gear install … --memory SIZE (0 for no limit).',
    }
  }
  if (status.result === 'timeout') {
    return { cause: 'it did not start or stop in the time systemd allows', next: `Look at: gear log ${id}` }
  }
  if (exitCode === undefined) {
    return { cause: `its end was not seen by the engine${message === '' ? '' : `: ${message}`}`, next: `Look at: gear log ${id}` }
  }
  const signal = signalOf(exitCode)
  if (signal !== undefined) {
    return { cause: `it was ended by signal ${signal} (exit code ${exitCode})`, next: `Look at its last lines: gear log ${id}` }
  }
  const hint =
    exitCode === 126 || exitCode === 127
      ? 'The command of the image could not be run; check the image.'
      : `Look at its last lines: gear log ${id}`
  return { cause: `its process ended with exit code ${exitCode}`, next: hint }
}

/** Names of the signals that end processes in practice (signal(7)). */
const signalNames: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
}

const signalMax = 64

/** The signal that an exit code stands for, as shells and engines write it: 128 and the number. Larger codes are an application's own. */
export function signalOf(exitCode: number): string | undefined {
  const number = exitCode - 128
  if (number < 1 || number > signalMax) return undefined
  return signalNames[number] ?? `number ${number}`
}
