/**
 * What systemd does for gear. Unit files are written through `files` into `store`, which systemd does not search, and linked from `folder`,
 * which it does. What a unit is to do is in its file, for the real one, and told to `behave`, for the fake.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { UnitName } from '../../api/index.ts'
import type { Files } from '../files/port.ts'
import { unitErrors } from './errors.ts'
import type { Behaviour } from './fake.ts'
import type { TransientUnit, Units } from './port.ts'

/** Kinds of services: each a file for systemd and a behaviour for the fake. */
export const services = {
  plain: 'ExecStart=/usr/bin/sleep 1000',
  failing: 'ExecStart=/usr/bin/false',
  killed: 'ExecStart=/usr/bin/perl -e "kill 9, $$$$; sleep 10"',
  slowToStart: 'ExecStartPre=/usr/bin/sleep 30\nExecStart=/usr/bin/sleep 1000\nTimeoutStopSec=1',
  slowToStop: 'ExecStart=/usr/bin/sleep 1000\nExecStop=/usr/bin/sleep 30\nTimeoutStopSec=3',
} as const

/** Commands of transient units: each for systemd, and as a behaviour for the fake. */
export const transientCommands = {
  succeeds: { command: ['/usr/bin/true'], behaviour: { exitCode: 0 } },
  fails: { command: ['/bin/sh', '-c', 'exit 3'], behaviour: { exitCode: 3 } },
  isKilled: { command: ['/usr/bin/perl', '-e', 'kill 9, $$; sleep 10'], behaviour: { signal: 9 } },
  lasts: { command: ['/usr/bin/sleep', '1000'], behaviour: 'running' },
  isMissing: { command: ['/nonexistent/program'], behaviour: 'not-executed' },
  checksItsArguments: { command: ['/usr/bin/test', '$HOME %n "a b"', '=', `$HOME %n ${'"a b"'}`], behaviour: { exitCode: 0 } },
  checksItsVariable: { command: ['/bin/sh', '-c', `test "$GREETING" = 'hello %n $HOME'`], behaviour: { exitCode: 0 } },
} as const satisfies Record<string, { readonly command: TransientUnit['command']; readonly behaviour: Behaviour['transient'] }>

export interface UnitsUnderTest {
  readonly units: Units
  readonly files: Files
  readonly folder: string
  readonly store: string
  /** Makes the fake unit behave as its file says. */
  readonly behave: (name: UnitName, service: keyof typeof services) => void
  readonly behaveTransient: (name: UnitName, command: keyof typeof transientCommands) => void
  /** Lets a job of the fake unit end that would not end by itself. */
  readonly settle: (name: UnitName) => void
}

export function unitsSuite(make: () => Promise<UnitsUnderTest>): void {
  let under: UnitsUnderTest
  let units: Units
  let count = 0
  const placed = new Set<UnitName>()

  beforeEach(async () => {
    under = await make()
    units = under.units
    await under.files.makeFolder(under.store, 0o755)
  })

  afterEach(async () => {
    for (const name of placed) {
      under.settle(name)
      await units.stop(name, { mode: 'replace', signal: AbortSignal.timeout(10_000) })
      await units.resetFailed(name)
      await under.files.remove(`${under.folder}/${name}`)
      await under.files.remove(`${under.folder}/container.target.wants/${name}`)
      await under.files.remove(`${under.store}/${name}`)
    }
    await under.files.removeEmptyFolder(`${under.folder}/container.target.wants`)
    placed.clear()
  })

  /** A name that was not used before: systemd remembers some things about names. */
  function freshName(): UnitName {
    return `ctr-suite_${process.pid}.${++count}-x.service` as UnitName
  }

  async function write(name: UnitName, service: keyof typeof services, description = 'suite'): Promise<string> {
    const path = `${under.store}/${name}`
    const text = `[Unit]\nDescription=${description}\n[Service]\n${services[service]}\n[Install]\nWantedBy=container.target\n`
    await under.files.write(path, text, 0o664)
    under.behave(name, service)
    placed.add(name)
    return path
  }

  async function place(service: keyof typeof services): Promise<UnitName> {
    const name = freshName()
    await under.files.link(await write(name, service), `${under.folder}/${name}`)
    return name
  }

  async function started(service: keyof typeof services): Promise<UnitName> {
    const name = await place(service)
    await units.queueStart(name, 'replace')
    await reaches(name, { activeState: 'active', subState: 'running', hasJob: false })
    return name
  }

  async function reaches(name: UnitName, state: object): Promise<void> {
    await expect.poll(() => units.status(name), { interval: 20, timeout: 8000 }).toMatchObject(state)
  }

  describe('the state of units', () => {
    test('a unit nobody knows is not found', async () => {
      expect(await units.status(freshName())).toMatchObject({
        loadState: 'not-found',
        activeState: 'inactive',
        hasJob: false,
        needsReload: false,
        mainPid: 0,
        activeSinceMs: 0,
      })
    })

    test('a unit file that is new is known without a reload', async () => {
      const name = await place('plain')
      expect(await units.status(name)).toMatchObject({ loadState: 'loaded', activeState: 'inactive', subState: 'dead', needsReload: false })
    })

    test('a running unit has a process and the time it began', async () => {
      const status = await units.status(await started('plain'))
      expect(status.mainPid).toBeGreaterThan(0)
      expect(status.activeSinceMs).toBeGreaterThan(Date.UTC(2020, 0, 1))
      expect(status.stateSinceMs).toBe(status.activeSinceMs)
      expect(status.result).toBe('success')
    })

    test('a target has a state as well', async () => {
      expect(await units.status('no-such.target' as UnitName)).toMatchObject({ loadState: 'not-found', mainPid: 0 })
    })

    test('a list has the units that match, with their states', async () => {
      const one = await started('plain')
      const other = await started('plain')
      const all = await units.list([one, 'ctr-none-*.service'])
      expect(all).toEqual([{ name: one, loadState: 'loaded', activeState: 'active', subState: 'running' }])
      expect((await units.list(['ctr-suite_*.service'])).map(unit => unit.name)).toEqual(expect.arrayContaining([one, other]))
      expect(await units.list([])).toEqual(expect.arrayContaining([expect.objectContaining({ name: one })]))
    })

    test('a list tells the job of a unit', async () => {
      const name = await place('slowToStart')
      await units.queueStart(name, 'replace')
      await expect.poll(() => units.list([name])).toMatchObject([{ name, activeState: 'activating', jobType: 'start' }])
    })
  })

  test('more is asked at once than the bus takes of one connection', async () => {
    const name = await started('plain')
    const answers = await Promise.all(Array.from({ length: 400 }, () => units.status(name)))
    expect(new Set(answers.map(({ activeState }) => activeState))).toEqual(new Set(['active']))
  })

  describe('starting', () => {
    test('a unit without a file can not be started', async () => {
      await expect(units.queueStart(freshName(), 'replace')).rejects.toMatchObject({
        code: 'SYSTEMD_FAILED',
        data: { name: unitErrors.noSuchUnit },
      })
    })

    test('starting what runs changes nothing', async () => {
      const name = await started('plain')
      const before = await units.status(name)
      await units.queueStart(name, 'replace')
      // The job that finds nothing to do is there for a moment.
      await expect.poll(() => units.status(name)).toEqual(before)
    })

    test('a start that takes long is a job meanwhile', async () => {
      const name = await place('slowToStart')
      await units.queueStart(name, 'replace')
      await reaches(name, { activeState: 'activating', hasJob: true })
    })

    test('a stop that may not replace the start under way is refused', async () => {
      const name = await place('slowToStart')
      await units.queueStart(name, 'replace')
      await expect(units.queueStop(name, 'fail')).rejects.toMatchObject({ code: 'SYSTEMD_FAILED', data: { name: unitErrors.destructive } })
      await units.queueStop(name, 'replace')
    })

    test('restarting gives a new process', async () => {
      const name = await started('plain')
      const before = await units.status(name)
      await units.queueRestart(name, 'replace')
      await expect.poll(async () => (await units.status(name)).mainPid).not.toBe(before.mainPid)
      await reaches(name, { activeState: 'active' })
    })

    test('restarting what does not run starts it', async () => {
      const name = await place('plain')
      await units.queueRestart(name, 'replace')
      await reaches(name, { activeState: 'active' })
    })
  })

  describe('failing', () => {
    test('a process that ends with an error is told with its exit code', async () => {
      const name = await place('failing')
      await units.queueStart(name, 'replace')
      await reaches(name, {
        activeState: 'failed',
        subState: 'failed',
        result: 'exit-code',
        mainStatus: 1,
        mainSignalled: false,
        mainPid: 0,
      })
    })

    test('a process that was killed is told with the signal', async () => {
      const name = await place('killed')
      await units.queueStart(name, 'replace')
      await reaches(name, { activeState: 'failed', result: 'signal', mainStatus: 9, mainSignalled: true })
    })

    test('a failure can be forgotten', async () => {
      const name = await place('failing')
      await units.queueStart(name, 'replace')
      await reaches(name, { activeState: 'failed' })
      await units.resetFailed(name)
      expect(await units.status(name)).toMatchObject({ activeState: 'inactive', result: 'success' })
    })

    test('forgetting the failures of a unit nobody knows is no error', async () => {
      await units.resetFailed(freshName())
    })
  })

  describe('stopping', () => {
    const options = (): { mode: 'replace'; signal: AbortSignal } => ({ mode: 'replace', signal: AbortSignal.timeout(20_000) })

    test('a stop has happened when it returns', async () => {
      const name = await started('plain')
      expect(await units.stop(name, options())).toBe('done')
      expect(await units.status(name)).toMatchObject({ activeState: 'inactive', subState: 'dead', mainPid: 0, hasJob: false })
    })

    test('many stops of many units at once each wait for their own', async () => {
      const names = [await started('plain'), await started('plain'), await started('plain')]
      const results = await Promise.all([...names, ...names].map(name => units.stop(name, options())))
      expect(results).toEqual(Array.from({ length: 6 }, () => 'done'))
    })

    test('a unit that does not run, or that nobody knows, is stopped already', async () => {
      expect(await units.stop(await place('plain'), options())).toBe('done')
      expect(await units.stop(freshName(), options())).toBe('done')
    })

    test('waiting ends with the reason of the signal, the stop goes on', async () => {
      const name = await started('slowToStop')
      const abort = new AbortController()
      const stop = units.stop(name, { mode: 'replace', signal: abort.signal })
      await reaches(name, { activeState: 'deactivating' })
      abort.abort(new Error('enough'))
      await expect(stop).rejects.toThrow('enough')
      await reaches(name, { activeState: 'deactivating' })
    })

    test('a start can replace a stop that is under way, which is told to who waits', async () => {
      const name = await started('slowToStop')
      const stop = units.stop(name, options())
      await reaches(name, { activeState: 'deactivating' })
      await units.queueStart(name, 'replace')
      expect(await stop).toBe('canceled')
    })

    test('a queued stop is not waited for', async () => {
      const name = await started('slowToStop')
      await units.queueStop(name, 'replace')
      await reaches(name, { activeState: 'deactivating' })
    })

    test('a queued stop of a unit that is not loaded is refused', async () => {
      await expect(units.queueStop(freshName(), 'replace')).rejects.toMatchObject({ data: { name: unitErrors.noSuchUnit } })
    })
  })

  describe('transient units', () => {
    function transient(kind: keyof typeof transientCommands, more: Partial<TransientUnit> = {}): TransientUnit {
      const name = freshName()
      under.behaveTransient(name, kind)
      const { command } = transientCommands[kind]
      return { name, description: `suite: ${kind}`, command, slice: 'system.slice' as UnitName, ...more }
    }

    const signal = (): AbortSignal => AbortSignal.timeout(20_000)

    async function isForgotten(name: UnitName): Promise<void> {
      await expect.poll(() => units.status(name), { interval: 20, timeout: 8000 }).toMatchObject({ loadState: 'not-found' })
    }

    test.each([
      ['succeeds', { result: 'success', exitCode: 0, signal: undefined }],
      ['fails', { result: 'exit-code', exitCode: 3, signal: undefined }],
      ['isKilled', { result: 'signal', exitCode: undefined, signal: 9 }],
      ['checksItsArguments', { exitCode: 0 }],
    ] as const)('the end of one that %s is told, and then the unit is forgotten', async (kind, end) => {
      const unit = transient(kind)
      expect(await units.runTransient(unit, signal())).toMatchObject(end)
      await isForgotten(unit.name)
    })

    test('a command gets the variables it is given, letter by letter', async () => {
      const unit = transient('checksItsVariable', { variables: { GREETING: 'hello %n $HOME' } })
      expect(await units.runTransient(unit, signal())).toMatchObject({ exitCode: 0 })
    })

    test('a program that is not there is a failure to start', async () => {
      const unit = transient('isMissing')
      await expect(units.runTransient(unit, signal())).rejects.toMatchObject({
        code: 'SYSTEMD_FAILED',
        data: { name: unitErrors.notExecuted },
      })
      await isForgotten(unit.name)
    })

    test('one that runs is a unit like any other, which a stop ends', async () => {
      const unit = transient('lasts', { memoryBytes: 64 * 1_048_576, tasksMax: 20, stopMs: 5000 })
      const end = units.runTransient(unit, signal())
      await reaches(unit.name, { activeState: 'active', loadState: 'loaded' })
      expect(await units.list([unit.name])).toMatchObject([{ name: unit.name, activeState: 'active' }])
      await units.stop(unit.name, { mode: 'replace', signal: signal() })
      expect(await end).toMatchObject({ result: 'success' })
      await isForgotten(unit.name)
    })

    test('many may wait for the same end', async () => {
      const unit = transient('lasts')
      const first = units.runTransient(unit, signal())
      await reaches(unit.name, { activeState: 'active' })
      const others = [units.joinTransient(unit.name, signal()), units.joinTransient(unit.name, signal())]
      await units.ping()
      await units.stop(unit.name, { mode: 'replace', signal: signal() })
      expect((await Promise.all([first, ...others])).map(end => end?.result)).toEqual(['success', 'success', 'success'])
      await isForgotten(unit.name)
    })

    test('who waits may leave: the command goes on, and another may wait for it', async () => {
      const unit = transient('lasts')
      const abort = new AbortController()
      const first = units.runTransient(unit, abort.signal)
      await reaches(unit.name, { activeState: 'active' })
      abort.abort(new Error('enough'))
      await expect(first).rejects.toThrow('enough')
      const second = units.joinTransient(unit.name, signal())
      await units.ping()
      expect(await units.status(unit.name)).toMatchObject({ activeState: 'active' })
      await units.stop(unit.name, { mode: 'replace', signal: signal() })
      expect(await second).toMatchObject({ result: 'success' })
    })

    test('there is no second one of the same name while the first runs', async () => {
      const unit = transient('lasts')
      const first = units.runTransient(unit, signal())
      await reaches(unit.name, { activeState: 'active' })
      await expect(units.runTransient(unit, signal())).rejects.toMatchObject({ code: 'SYSTEMD_FAILED', data: { name: unitErrors.exists } })
      await units.stop(unit.name, { mode: 'replace', signal: signal() })
      await first
    })

    test('there is none to wait for under a name that nobody knows', async () => {
      expect(await units.joinTransient(freshName(), signal())).toBe(undefined)
    })

    test('a signal that is aborted already starts nothing', async () => {
      const unit = transient('lasts')
      await expect(units.runTransient(unit, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
      expect(await units.status(unit.name)).toMatchObject({ loadState: 'not-found' })
    })
  })

  describe('unit files', () => {
    test('a loaded unit whose file changed needs a reload, and after it does not', async () => {
      const name = await started('plain')
      // file times are as coarse as the kernel's tick
      await expect
        .poll(async () => {
          await write(name, 'plain', 'changed')
          return (await units.status(name)).needsReload
        })
        .toBe(true)
      await units.reload()
      expect(await units.status(name)).toMatchObject({ activeState: 'active', needsReload: false })
    })

    test('a running unit whose file is gone runs on, needs a reload, and is then not found', async () => {
      const name = await started('plain')
      await under.files.remove(`${under.folder}/${name}`)
      await under.files.remove(`${under.store}/${name}`)
      expect(await units.status(name)).toMatchObject({ loadState: 'loaded', activeState: 'active', needsReload: true })
      await units.reload()
      expect(await units.status(name)).toMatchObject({ loadState: 'not-found', activeState: 'active' })
    })

    test('many reloads at once succeed', async () => {
      await Promise.all([units.reload(), units.reload(), units.reload()])
    })

    test('a masked unit can not be started', async () => {
      const name = freshName()
      await under.files.link('/dev/null', `${under.folder}/${name}`)
      placed.add(name)
      expect(await units.status(name)).toMatchObject({ loadState: 'masked' })
      await expect(units.queueStart(name, 'replace')).rejects.toMatchObject({ data: { name: unitErrors.masked } })
    })
  })

  describe('changes', () => {
    test('starts and stops are told as they happen', async () => {
      const abort = new AbortController()
      const changes = units.changes(abort.signal)
      const name = await place('plain')
      let first = changes.next()
      await units.ping() // the watch is set up in order with other calls
      await units.queueStart(name, 'replace')
      while ((await first).value !== name) first = changes.next()
      await reaches(name, { activeState: 'active' })
      abort.abort()
      while (!(await changes.next()).done);
    })

    test('asking for a state is no change, or watching would never end', async () => {
      const abort = new AbortController()
      const name = await place('plain')
      const seen: UnitName[] = []
      const watching = (async () => {
        for await (const changed of units.changes(abort.signal)) seen.push(changed)
      })()
      await units.ping()
      for (let i = 0; i < 5; i++) await units.status(name)
      await units.ping()
      abort.abort()
      await watching
      expect(seen).not.toContain(name)
    })

    test('a watch that is aborted before it began ends', async () => {
      for await (const name of units.changes(AbortSignal.abort())) expect.unreachable(name)
    })
  })

  test('systemd answers', async () => {
    await units.ping()
  })
}
