/**
 * A machine in memory: all fakes, tied together as the real things are. Unit files are read from the fake files; while a container's unit
 * runs, the engine has its container. For tests and for `gear daemon` without a host; nothing here touches the machine it runs on.
 */
import { containerOfUnit, type EngineKind } from '../api/index.ts'
import { readUnitMetadata } from '../formats/index.ts'
import { FakeAccounts } from './accounts/fake.ts'
import { FakeBuilder } from './builder/fake.ts'
import { FakeClock } from './clock/fake.ts'
import { FakeCommands } from './commands/fake.ts'
import { type FakeEngine, FakeEngines } from './engine/fake.ts'
import { FakeFiles } from './files/fake.ts'
import { FakeGit } from './git/fake.ts'
import { defaultPaths, type Host, type Paths } from './host.ts'
import { FakeJournal } from './journal/fake.ts'
import { FakeNamespaces } from './netns/fake.ts'
import { FakeNetwork } from './network/fake.ts'
import { FakeUnits } from './units/fake.ts'

export { FakeAccounts } from './accounts/fake.ts'
export { FakeBuilder } from './builder/fake.ts'
export { FakeClock } from './clock/fake.ts'
export { FakeCommands } from './commands/fake.ts'
export { FakeEngine, FakeEngines } from './engine/fake.ts'
export { FakeFiles } from './files/fake.ts'
export { FakeGit } from './git/fake.ts'
export { defaultPaths } from './host.ts'
export { FakeJournal } from './journal/fake.ts'
export { FakeNamespaces } from './netns/fake.ts'
export { FakeNetwork } from './network/fake.ts'
export { type Behaviour, FakeUnits } from './units/fake.ts'
export { neverRan } from './units/port.ts'

export interface FakeHost extends Host {
  readonly units: FakeUnits
  readonly engines: FakeEngines
  /** The engine that is chosen when nobody names one. */
  readonly engine: FakeEngine
  readonly builder: FakeBuilder
  readonly journal: FakeJournal
  readonly files: FakeFiles
  readonly accounts: FakeAccounts
  readonly git: FakeGit
  readonly commands: FakeCommands
  readonly network: FakeNetwork
  readonly namespaces: FakeNamespaces
  readonly clock: FakeClock
  /** A power cut and the boot after it: unsynced names are gone, nothing runs, systemd has read all unit files. */
  reboot(): Promise<void>
}

export interface FakeHostOptions {
  readonly paths?: Partial<Paths>
  readonly engine?: EngineKind
}

export function fakeHost(options: FakeHostOptions = {}): FakeHost {
  const paths: Paths = { ...defaultPaths, ...options.paths }
  const clock = new FakeClock()
  const files = new FakeFiles(clock)
  for (const folder of [paths.systemd, paths.cgroup, paths.libexec, '/var/lib', '/var/run', '/var/tmp', '/run']) files.putFolder(folder)
  const engines = new FakeEngines(options.engine)
  const units = new FakeUnits({
    files,
    clock,
    folder: paths.systemd,
    templates: ['gear-links@.service'],
    onRunning: ({ name, isRunning, text }) => {
      const id = containerOfUnit(name)
      if (id === undefined) return
      const engine = engines.of(readUnitMetadata(text).get('X-GearEngine')?.[0] === 'podman' ? 'podman' : 'docker')
      if (isRunning) engine.addContainer(id, { labels: { 'gear.id': id, OBJECT_SYSTEMD_UNIT: name } })
      else if (engine.dropContainer(id)?.volumes.length) {
        engine.addContainer(`${id}-data`, { isRunning: false, labels: { 'gear.id': id, 'gear.role': 'data' } })
      }
    },
  })
  const journal = new FakeJournal(clock, unit => units.statusText(unit))
  const reboot = async (): Promise<void> => {
    files.crash()
    await files.removeTree(paths.run)
    await units.reboot()
  }
  return {
    units,
    engines,
    engine: engines.chosen,
    builder: new FakeBuilder(),
    journal,
    files,
    accounts: new FakeAccounts(files),
    git: new FakeGit(files),
    commands: new FakeCommands(),
    network: new FakeNetwork(),
    namespaces: new FakeNamespaces(),
    clock,
    paths,
    reboot,
  }
}
