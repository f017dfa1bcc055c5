import { describe, expect, it } from 'vitest'
import { type ContainerId, containerUnit, type EnvironmentId, type Login } from '../../api/index.ts'
import { containerPaths } from '../layout/index.ts'
import { nothingDropped } from './dropped.ts'
import { type ContainerStep, type Found, type FoundForDelete, planDelete, planInstall, type WantedInstall } from './plan.ts'

const id = 'shop' as ContainerId
const unit = containerUnit(id)
const paths = containerPaths(
  { base: '/base', run: '/run', systemd: '/systemd', libexec: '/usr/lib/gear/libexec', cgroup: '/sys/fs/cgroup', cloneRoot: '/srv/git' },
  id,
)
const nothing: Found = { paths, unitText: undefined, versions: [], systemdUnit: undefined, wanted: undefined, boot: undefined }
const installed: Found = {
  paths,
  unitText: '[Install]\nX-ContainerRequestId=v1\n',
  versions: ['v1'],
  systemdUnit: paths.unit,
  wanted: paths.unit,
  boot: undefined,
}
const noPorts = { pairs: [], reserve: [], keep: [], release: [] }

function wanted(given: Partial<WantedInstall> = {}): WantedInstall {
  return {
    id,
    unit,
    text: 'the new unit',
    version: `${paths.versions}/v2`,
    isSame: false,
    dropped: nothingDropped,
    isStale: false,
    isUp: false,
    ports: noPorts,
    environment: undefined,
    links: undefined,
    isStarted: false,
    isWithoutData: false,
    portFolders: [],
    ...given,
  }
}

/** A step in a few words: its kind, and what tells it from others of that kind. */
function brief(step: ContainerStep): string {
  switch (step.kind) {
    case 'reservePorts':
    case 'repointPorts':
    case 'releasePorts':
      return `${step.kind} ${step.ports.join(' ')}`
    case 'removeFile':
    case 'removeFolder':
    case 'removeEmptyFolder':
    case 'linkUnit':
      return `${step.kind} ${step.path}`
    case 'removeData':
      return `${step.kind} ${step.name}`
    case 'removeEngineContainer':
      return `${step.kind} ${step.name}${step.withVolumes ? ' with volumes' : ''}`
    case 'applyLinks':
      return `${step.kind} ${step.unit}`
    case 'syncFolders':
      return `${step.kind} ${step.folders.length}`
    default:
      return step.kind
  }
}

const wantedLink = 'linkUnit /systemd/container.target.wants/ctr-shop.service'
const systemdLink = 'linkUnit /systemd/ctr-shop.service'
const bootLink = 'linkUnit /systemd/container-active.target.wants/ctr-shop.service'

describe('planning an install', () => {
  it.each<{ name: string; given?: Partial<WantedInstall>; found?: Partial<Found>; isUpdate?: boolean; steps: readonly string[] }>([
    {
      name: 'new: the unit appears last of what it needs, and systemd is neither asked nor told',
      steps: ['writeVersion', 'syncFolders 1', 'swapUnit', systemdLink, wantedLink, 'syncFolders 3'],
    },
    {
      name: 'new with all there is',
      given: {
        ports: { ...noPorts, reserve: [4000, 4022] },
        portFolders: ['/base/ports/interfaces/1/40'],
        environment: { id: 'shop-env' as EnvironmentId, variables: [], folder: '/base/env/contents/sh' },
        links: [],
        isStarted: true,
        isWithoutData: true,
      },
      steps: [
        'writeVersion',
        'reservePorts 4000 4022',
        'writeEnvironment',
        'writeLinks',
        'syncFolders 3',
        'swapUnit',
        systemdLink,
        wantedLink,
        bootLink,
        'syncFolders 5',
        'reloadIfStale',
        'noteNoData',
        'start',
      ],
    },
    {
      name: 'update: links that are right stay, systemd reads the new version',
      isUpdate: true,
      steps: ['writeVersion', 'syncFolders 1', 'swapUnit', 'syncFolders 3', 'reload'],
    },
    {
      name: 'update that starts',
      given: { isStarted: true },
      isUpdate: true,
      steps: ['writeVersion', 'syncFolders 1', 'swapUnit', bootLink, 'syncFolders 4', 'reload', 'start'],
    },
    {
      name: 'update of one that starts at boot keeps it so',
      given: { isStarted: false },
      found: { boot: paths.unit },
      isUpdate: true,
      steps: ['writeVersion', 'syncFolders 1', 'swapUnit', 'syncFolders 3', 'reload'],
    },
    {
      name: 'update with other ports: new ones before the swap, kept and old ones after it',
      given: { ports: { pairs: [], reserve: [5000], keep: [4000], release: [4001] } },
      isUpdate: true,
      steps: [
        'writeVersion',
        'reservePorts 5000',
        'syncFolders 1',
        'swapUnit',
        'repointPorts 4000',
        'releasePorts 4001',
        'syncFolders 3',
        'reload',
      ],
    },
    {
      name: 'links that point elsewhere are made anew',
      found: { systemdUnit: '/somewhere/else', wanted: '/base/units/ctr-shop.service' },
      isUpdate: true,
      steps: ['writeVersion', 'syncFolders 1', 'swapUnit', systemdLink, wantedLink, 'syncFolders 3', 'reload'],
    },
    {
      name: 'versions older than the one before go, and those of installs that broke off',
      found: { versions: ['v0', 'v1', 'broken', 'broken.replace.tmp'] },
      isUpdate: true,
      steps: [
        'writeVersion',
        'syncFolders 1',
        'swapUnit',
        `removeFile ${paths.versions}/v0`,
        `removeFile ${paths.versions}/broken`,
        `removeFile ${paths.versions}/broken.replace.tmp`,
        'syncFolders 3',
        'reload',
      ],
    },
    {
      name: 'the version before is known by its own line, whatever a path says that looks like one',
      found: {
        unitText: '[Service]\nExecStartPre=x "/a\u2028X-ContainerRequestId=v0\u2028b"\n[Install]\nX-ContainerRequestId=v1\n',
        versions: ['v0', 'v1'],
      },
      isUpdate: true,
      steps: ['writeVersion', 'syncFolders 1', 'swapUnit', `removeFile ${paths.versions}/v0`, 'syncFolders 3', 'reload'],
    },
    {
      name: 'the same once more: nothing is written, nothing is reloaded, and the version before stays',
      given: { version: `${paths.versions}/v1`, isSame: true },
      found: { versions: ['v0', 'v1'] },
      isUpdate: true,
      steps: ['syncFolders 1', 'syncFolders 3'],
    },
    {
      name: 'the same once more, to be started, with a reservation and a link that were lost',
      given: { version: `${paths.versions}/v1`, isSame: true, isStarted: true, ports: { ...noPorts, reserve: [4000] } },
      found: { wanted: undefined },
      isUpdate: true,
      steps: ['reservePorts 4000', 'syncFolders 1', wantedLink, bootLink, 'syncFolders 4', 'start'],
    },
    {
      name: 'the same once more, after an attempt that did not come to tell systemd',
      given: { version: `${paths.versions}/v1`, isSame: true, isStale: true },
      isUpdate: true,
      steps: ['syncFolders 1', 'syncFolders 3', 'reload'],
    },
    {
      name: 'links of one that runs are applied at once, and those of one that does not when it starts',
      given: { version: `${paths.versions}/v1`, isSame: true, isUp: true, links: [] },
      isUpdate: true,
      steps: ['writeLinks', 'syncFolders 2', 'syncFolders 3', 'applyLinks gear-links@shop.service'],
    },
    {
      name: 'the same request id for something else',
      given: { version: `${paths.versions}/v1` },
      isUpdate: true,
      steps: ['writeVersion', 'syncFolders 1', 'swapUnit', 'syncFolders 3', 'reload'],
    },
  ])('$name', ({ given, found, isUpdate = false, steps }) => {
    const plan = planInstall(wanted(given), { ...(isUpdate ? installed : nothing), ...found })
    expect(plan.map(brief)).toEqual(steps)
  })

  it('says what was not given again with the step that takes it away', () => {
    const plan = planInstall(wanted({ dropped: { gone: ['--isolate', '-v /data'], changed: ['--cpus 0 instead of --cpus 2'] } }), installed)
    expect(plan.find(step => step.kind === 'swapUnit')?.reason).toBe(
      'the new version takes over; what was not given again is gone: --isolate -v /data; it gets --cpus 0 instead of --cpus 2',
    )
  })

  it('says whether an earlier attempt has left the version file', () => {
    const isNew = (found: Found) => planInstall(wanted({ version: `${paths.versions}/v1` }), found)[0]
    expect(isNew(nothing)).toMatchObject({ kind: 'writeVersion', isNew: true })
    expect(isNew(installed)).toMatchObject({ kind: 'writeVersion', isNew: false })
  })

  it('stores an empty list of links, and leaves stored links alone without one', () => {
    expect(planInstall(wanted({ links: [] }), installed).map(step => step.kind)).toContain('writeLinks')
    expect(planInstall(wanted(), installed).map(step => step.kind)).not.toContain('writeLinks')
  })
})

const running: FoundForDelete = {
  ...installed,
  unit,
  isLoaded: true,
  isStopped: false,
  ports: [4000, 4001],
  portFolders: ['/base/ports/interfaces/1/40'],
  boot: paths.unit,
  hasSocket: true,
  hasIdleFlag: true,
  hasNotedVolumes: true,
  hasLinks: true,
  hasRun: true,
  hasHome: true,
  hasAccess: true,
  account: 'ctr-shop' as Login,
  engine: 'docker',
  engineContainer: 'shop',
  dataContainer: 'shop-data',
  environment: undefined,
  isDataWanted: false,
}

const gone: FoundForDelete = {
  ...nothing,
  unit,
  engine: 'docker',
  isLoaded: false,
  isStopped: true,
  ports: [],
  portFolders: [],
  hasSocket: false,
  hasIdleFlag: false,
  hasNotedVolumes: false,
  hasLinks: false,
  hasRun: false,
  hasHome: false,
  hasAccess: false,
  account: undefined,
  engineContainer: undefined,
  dataContainer: undefined,
  environment: undefined,
  isDataWanted: false,
}

const tidyUp = [`removeEmptyFolder ${paths.versions}`, `removeEmptyFolder ${paths.unitFolder}`]

describe('planning a delete', () => {
  it.each<{ name: string; found: Partial<FoundForDelete>; from: FoundForDelete; steps: readonly string[] }>([
    { name: 'nothing is left of it', found: {}, from: gone, steps: [] },
    {
      name: 'all there is, but for its data: the unit file goes last, so that a broken delete is found again',
      found: {},
      from: running,
      steps: [
        `removeFile ${paths.boot}`,
        `removeFolder ${paths.access}`,
        'endLogins',
        'stop',
        'removeEngineContainer shop',
        'releasePorts 4000 4001',
        `removeFile ${paths.links}`,
        `removeFile ${paths.wanted}`,
        `removeFile ${paths.systemdUnit}`,
        `removeFile ${paths.socket}`,
        `removeFile ${paths.idleFlag}`,
        'removeAccount',
        `removeFolder ${paths.run}`,
        `removeFolder ${paths.home}`,
        `removeFolder ${paths.versions}`,
        `removeFile ${paths.unit}`,
        ...tidyUp,
        'syncFolders 7',
        'resetFailed',
        'reload',
      ],
    },
    {
      name: 'everything, its data and environment too',
      found: {
        isDataWanted: true,
        environment: 'shop-env' as EnvironmentId,
        hasSocket: false,
        hasIdleFlag: false,
        hasLinks: false,
        hasHome: false,
        account: undefined,
        ports: [],
        portFolders: [],
      },
      from: running,
      steps: [
        `removeFile ${paths.boot}`,
        `removeFolder ${paths.access}`,
        'stop',
        'removeEngineContainer shop with volumes',
        'removeData shop-data',
        `removeFile ${paths.wanted}`,
        `removeFile ${paths.systemdUnit}`,
        `removeFile ${paths.notedVolumes}`,
        `removeFolder ${paths.run}`,
        'removeEnvironment',
        `removeFolder ${paths.versions}`,
        `removeFile ${paths.unit}`,
        ...tidyUp,
        'syncFolders 6',
        'resetFailed',
        'reload',
      ],
    },
    {
      name: 'installed, never started',
      found: { ...installed, isLoaded: false },
      from: gone,
      steps: [
        `removeFile ${paths.wanted}`,
        `removeFile ${paths.systemdUnit}`,
        `removeFolder ${paths.versions}`,
        `removeFile ${paths.unit}`,
        ...tidyUp,
        'syncFolders 6',
      ],
    },
    {
      name: 'an install that broke off: its version and its port',
      found: { versions: ['broken'], ports: [4000], portFolders: ['/base/ports/interfaces/1/40'] },
      from: gone,
      steps: ['releasePorts 4000', `removeFolder ${paths.versions}`, ...tidyUp, 'syncFolders 7'],
    },
    {
      name: 'a delete that broke off before systemd was told',
      found: { isLoaded: true },
      from: gone,
      steps: [...tidyUp, 'syncFolders 6', 'resetFailed', 'reload'],
    },
    {
      name: 'links that lead nowhere',
      found: { boot: paths.unit, systemdUnit: paths.unit },
      from: gone,
      steps: [`removeFile ${paths.boot}`, `removeFile ${paths.systemdUnit}`, ...tidyUp, 'syncFolders 6'],
    },
    {
      name: 'what the engine still has of it',
      found: { hasRun: true, engineContainer: 'shop', dataContainer: 'shop-data' },
      from: gone,
      steps: ['removeEngineContainer shop', `removeFolder ${paths.run}`, ...tidyUp, 'syncFolders 6'],
    },
  ])('$name', ({ found, from, steps }) => {
    expect(planDelete({ ...from, ...found }).map(brief)).toEqual(steps)
  })
})

describe('every step', () => {
  it('has a reason for a person to read', () => {
    const plans = [planInstall(wanted({ links: [], isStarted: true }), nothing), planInstall(wanted(), installed), planDelete(running)]
    for (const step of plans.flat()) expect(step.reason).toMatch(/^[a-z].{4,}[^.]$/)
  })
})
