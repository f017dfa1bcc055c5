/**
 * systemd over D-Bus (org.freedesktop.systemd1(5)). How a status is read was measured beside 1,000 units. A unit that is not in memory is
 * loaded for every call and dropped again, 0.4 ms each; a GetAll of it takes 5 ms, as that looks for what enables it, and a GetAll of a
 * service has 300 values to take apart. So there are single calls, many at once, and few for a unit that has not run.
 */
import { limits, type UnitName } from '../../api/index.ts'
import { Rounds } from '../rounds.ts'
import { type BusCall, BusLost, BusRefusal, type BusSignal, SystemBus } from './bus.ts'
import { systemdErrorName, systemdFailed, systemdUnavailable, unitErrors } from './errors.ts'
import {
  type ActiveState,
  type JobMode,
  type JobResult,
  type ListedUnit,
  neverRan,
  type TransientEnd,
  type TransientUnit,
  type UnitStatus,
  type Units,
} from './port.ts'
import { transientProperties } from './transient.ts'

const manager = { path: '/org/freedesktop/systemd1', interface: 'org.freedesktop.systemd1.Manager' }
const properties = 'org.freedesktop.DBus.Properties'
const unitInterface = 'org.freedesktop.systemd1.Unit'
const serviceInterface = 'org.freedesktop.systemd1.Service'
const unitPath = '/org/freedesktop/systemd1/unit/'

const rules = {
  jobRemoved: `interface='${manager.interface}',member='JobRemoved'`,
  // only of the general interface: its states are all that is told
  unitChanged: `interface='${properties}',member='PropertiesChanged',path_namespace='${unitPath.slice(0, -1)}',arg0='${unitInterface}'`,
}

/** From here on exit codes are systemd's own, of what kept it from executing the program (systemd.exec(5)). */
const ownExitCodes = 200

/** CLD_EXITED of siginfo(7): the main process ended by itself. */
const codeExited = 1

interface SystemdOptions {
  readonly socketPath?: string
  readonly callMs?: number
}

export function systemdUnits(options: SystemdOptions = {}): Units {
  return new SystemdUnits(
    new SystemBus({
      socketPath: options.socketPath ?? '/run/dbus/system_bus_socket',
      service: 'org.freedesktop.systemd1',
      callMs: options.callMs ?? limits.busCallMs,
    }),
  )
}

class SystemdUnits implements Units {
  readonly #bus: SystemBus
  readonly #reloads = new Rounds(async () => {
    await this.#call('reload unit files', { ...manager, member: 'Reload' })
  })

  constructor(bus: SystemBus) {
    this.#bus = bus
  }

  async list(patterns: readonly string[]): Promise<readonly ListedUnit[]> {
    const [rows] = await this.#call('list units', {
      ...manager,
      member: 'ListUnitsByPatterns',
      signature: 'asas',
      body: [[], patterns],
    })
    return (rows as readonly UnitRow[]).map(([name, , loadState, activeState, subState, , , , jobType]) => ({
      name: name as UnitName,
      loadState,
      activeState,
      subState,
      ...(jobType === '' ? {} : { jobType }),
    }))
  }

  async status(name: UnitName): Promise<UnitStatus> {
    const attempted = `read the state of ${name}`
    const path = unitPath + escapePath(name)
    const get = async (owner: string, property: string): Promise<unknown> => {
      const body = [owner, property]
      const [value] = await this.#call(attempted, { path, interface: properties, member: 'Get', signature: 'ss', body })
      return value
    }
    const [[rows], needsReload, changed] = await Promise.all([
      this.#call(attempted, { ...manager, member: 'ListUnitsByNames', signature: 'as', body: [[name]] }),
      get(unitInterface, 'NeedDaemonReload'),
      get(unitInterface, 'StateChangeTimestamp'),
    ])
    const [[, , loadState, activeState, subState, , , , jobType]] = rows as readonly [UnitRow]
    const state = { name, loadState, activeState, subState, hasJob: jobType !== '', needsReload: needsReload === true }
    if (changed === 0n) return { ...state, ...neverRan }
    const [activeSince, inactiveSince, service] = await Promise.all([
      get(unitInterface, 'ActiveEnterTimestamp'),
      get(unitInterface, 'InactiveEnterTimestamp'),
      name.endsWith('.service') ? Promise.all(serviceProperties.map(property => get(serviceInterface, property))) : serviceDefaults,
    ])
    const [result, mainPid, mainStatus, mainCode, restarts] = service as ServiceValues
    return {
      ...state,
      result,
      mainPid,
      mainStatus,
      mainSignalled: mainCode > codeExited,
      restarts,
      activeSinceMs: milliseconds(activeSince),
      inactiveSinceMs: milliseconds(inactiveSince),
      stateSinceMs: milliseconds(changed),
    }
  }

  async queueStart(name: UnitName, mode: JobMode): Promise<void> {
    await this.#queue('StartUnit', `start ${name}`, [name, mode])
  }

  async queueStop(name: UnitName, mode: JobMode): Promise<void> {
    await this.#queue('StopUnit', `stop ${name}`, [name, mode])
  }

  async queueRestart(name: UnitName, mode: JobMode): Promise<void> {
    await this.#queue('RestartUnit', `restart ${name}`, [name, mode])
  }

  async stop(name: UnitName, { mode, signal }: { readonly mode: JobMode; readonly signal: AbortSignal }): Promise<JobResult> {
    signal.throwIfAborted()
    const attempted = `stop ${name}`
    const ended = Promise.withResolvers<JobResult>()
    ended.promise.catch(() => {}) // it may fail before, or without, anybody waiting for it
    // The signal can come before we have seen the path that StopUnit replied with. It is sent to who queued the job, without Subscribe.
    const results = new Map<unknown, JobResult>()
    let job: unknown
    const settle = (): void => {
      const result = results.get(job)
      if (result !== undefined) ended.resolve(result)
    }
    const onAbort = (): void => ended.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      using _listening = await this.#at(
        attempted,
        this.#bus.listen([rules.jobRemoved], {
          onSignal: ({ member, body: [, path, , result] }) => {
            if (member !== 'JobRemoved') return
            results.set(path, jobResult(result))
            settle()
          },
          onLost: cause => ended.reject(systemdUnavailable(attempted, cause)),
        }),
      )
      const queued = this.#queue('StopUnit', attempted, [name, mode]).then(path => {
        job = path
        settle()
      })
      await Promise.race([queued, ended.promise])
      return await ended.promise
    } catch (error) {
      if (systemdErrorName(error) === unitErrors.noSuchUnit) return 'done'
      throw error
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  async runTransient(unit: TransientUnit, signal: AbortSignal): Promise<TransientEnd> {
    signal.throwIfAborted()
    const attempted = `run ${unit.name}`
    await this.#subscribe()
    const status = await this.#untilEnd(unit.name, signal, async () => {
      const body = [unit.name, 'fail', transientProperties(unit), []]
      await this.#call(attempted, { ...manager, member: 'StartTransientUnit', signature: 'ssa(sv)a(sa(sv))', body })
    })
    if (status.activeSinceMs > 0 || status.mainStatus < ownExitCodes) return endOf(status)
    const message = `${unit.command[0]} could not be executed (exit code ${status.mainStatus} of systemd)`
    throw systemdFailed(attempted, { name: unitErrors.notExecuted, message })
  }

  async joinTransient(name: UnitName, signal: AbortSignal): Promise<TransientEnd | undefined> {
    signal.throwIfAborted()
    await this.#subscribe()
    try {
      return endOf(
        await this.#untilEnd(name, signal, async () => {
          await this.#call(`wait for ${name}`, { ...manager, member: 'RefUnit', signature: 's', body: [name] })
        }),
      )
    } catch (error) {
      if (systemdErrorName(error) === unitErrors.noSuchUnit) return undefined
      throw error
    }
  }

  /** `refer` makes systemd keep the unit for this connection, or it would forget how it ended with the unit itself. */
  async #untilEnd(name: UnitName, signal: AbortSignal, refer: () => Promise<void>): Promise<UnitStatus> {
    const attempted = `wait for ${name}`
    let change = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<never>()
    ended.promise.catch(() => {}) // it may fail before, or without, anybody waiting for it
    const onAbort = (): void => ended.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      using _listening = await this.#at(
        attempted,
        this.#bus.listen([rules.unitChanged, rules.jobRemoved], {
          onSignal: busSignal => {
            if (changedUnit(busSignal) === name) change.resolve()
          },
          onLost: cause => ended.reject(systemdUnavailable(attempted, cause)),
        }),
      )
      await refer()
      try {
        for (;;) {
          change = Promise.withResolvers()
          const status = await Promise.race([this.status(name), ended.promise])
          const isAtRest = status.activeState === 'inactive' || status.activeState === 'failed'
          if (isAtRest && !status.hasJob) return status
          await Promise.race([change.promise, ended.promise])
        }
      } finally {
        this.#letGo(name)
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Nobody waits for the answer: with the connection that the reference belongs to, it is gone in any case. */
  #letGo(name: UnitName): void {
    this.#bus.call({ ...manager, member: 'UnrefUnit', signature: 's', body: [name] }).catch(() => {})
  }

  async resetFailed(name: UnitName): Promise<void> {
    try {
      await this.#call(`reset ${name}`, { ...manager, member: 'ResetFailedUnit', signature: 's', body: [name] })
    } catch (error) {
      if (systemdErrorName(error) !== unitErrors.noSuchUnit) throw error
    }
  }

  reload(): Promise<void> {
    return this.#reloads.join()
  }

  async *changes(signal: AbortSignal): AsyncGenerator<UnitName, void> {
    if (signal.aborted) return
    const waiting = new Set<UnitName>()
    let arrival = Promise.withResolvers<void>()
    let lost: Error | undefined
    const wake = (): void => arrival.resolve()
    signal.addEventListener('abort', wake, { once: true })
    try {
      using _listening = await this.#at(
        'watch units',
        this.#bus.listen([rules.unitChanged, rules.jobRemoved], {
          onSignal: busSignal => {
            const name = changedUnit(busSignal)
            if (name === undefined) return
            waiting.add(name)
            wake()
          },
          onLost: cause => {
            lost = cause
            wake()
          },
        }),
      )
      await this.#subscribe()
      while (!signal.aborted) {
        const [name] = waiting
        if (name !== undefined) {
          waiting.delete(name)
          yield name
        } else if (lost !== undefined) {
          throw systemdUnavailable('watch units', lost)
        } else {
          arrival = Promise.withResolvers()
          await arrival.promise
        }
      }
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  async ping(): Promise<void> {
    await this.#call('reach systemd', { path: manager.path, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' })
  }

  close(): Promise<void> {
    return this.#bus.close()
  }

  async #queue(member: string, attempted: string, [name, mode]: readonly [UnitName, JobMode]): Promise<unknown> {
    const [job] = await this.#call(attempted, { ...manager, member, signature: 'ss', body: [name, mode] })
    return job
  }

  /** Without it systemd tells nobody of changes. It counts per connection and ends with that; nothing is lost by keeping it on. */
  async #subscribe(): Promise<void> {
    try {
      await this.#call('watch units', { ...manager, member: 'Subscribe' })
    } catch (error) {
      if (systemdErrorName(error) !== unitErrors.alreadySubscribed) throw error
    }
  }

  #call(attempted: string, call: BusCall): Promise<readonly unknown[]> {
    return this.#at(attempted, this.#bus.call(call))
  }

  async #at<Result>(attempted: string, work: Promise<Result>): Promise<Result> {
    try {
      return await work
    } catch (error) {
      if (error instanceof BusRefusal) throw systemdFailed(attempted, { name: error.errorName, message: error.message, cause: error })
      if (error instanceof BusLost) throw systemdUnavailable(attempted, error)
      throw error
    }
  }
}

function endOf({ loadState, result, mainStatus, mainSignalled }: UnitStatus): TransientEnd {
  if (loadState === 'not-found') return { result: 'unknown', exitCode: undefined, signal: undefined }
  return { result, exitCode: mainSignalled ? undefined : mainStatus, signal: mainSignalled ? mainStatus : undefined }
}

/** The unit that a signal is about, if it is one of a change. A unit that systemd merely loads, to answer for it, is no change. */
function changedUnit({ member, path, body }: BusSignal): UnitName | undefined {
  if (member === 'JobRemoved') return body[2] as UnitName
  return path.startsWith(unitPath) ? (unescapePath(path.slice(unitPath.length)) as UnitName) : undefined
}

/** systemd's escaping of names in object paths: every byte but letters and digits is `_xx`, a leading digit too. */
export function escapePath(name: string): string {
  return [...Buffer.from(name)]
    .map((byte, at) => (isPlain(byte, at) ? String.fromCharCode(byte) : `_${byte.toString(16).padStart(2, '0')}`))
    .join('')
}

function isPlain(byte: number, at: number): boolean {
  const isDigit = byte >= 0x30 && byte <= 0x39
  return (isDigit && at > 0) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)
}

export function unescapePath(path: string): string {
  return path.replaceAll(/_([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** systemd has more words (`assert`, `unsupported`, …); all of them mean that the job did not do what it was for. */
function jobResult(word: unknown): JobResult {
  return jobResults.find(known => known === word) ?? 'failed'
}

const jobResults: readonly JobResult[] = ['done', 'canceled', 'timeout', 'failed', 'dependency', 'skipped']

function milliseconds(microseconds: unknown): number {
  return Number((microseconds as bigint) / 1000n)
}

/** Name, description, load, active and sub state, followed unit, object path, job id, job type, job path. */
type UnitRow = readonly [string, string, string, ActiveState, string, string, string, number, string, string]

const serviceProperties = ['Result', 'MainPID', 'ExecMainStatus', 'ExecMainCode', 'NRestarts'] as const

type ServiceValues = readonly [result: string, mainPid: number, mainStatus: number, mainCode: number, restarts: number]

/** What a unit that is no service is given. */
const serviceDefaults: ServiceValues = ['success', 0, 0, 0, 0]
