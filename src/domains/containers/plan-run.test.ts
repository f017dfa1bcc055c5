import { describe, expect, it } from 'vitest'
import { type ContainerId, containerUnit } from '../../api/index.ts'
import { defaultPaths } from '../../host/fakes.ts'
import { containerPaths } from '../layout/index.ts'
import type { ContainerStep, Found } from './plan.ts'
import { planPurge, planRestart, planStart, planStop } from './plan-run.ts'

const id = 'shop' as ContainerId
const paths = containerPaths(defaultPaths, id)
const found: Found = {
  paths,
  unitText: '[Unit]\n',
  versions: ['v1'],
  systemdUnit: paths.unit,
  wanted: paths.unit,
  boot: paths.unit,
}
const stopped: Found = { ...found, boot: undefined }
const nothing: Found = { ...stopped, unitText: undefined, versions: [], systemdUnit: undefined, wanted: undefined }

function brief(steps: readonly ContainerStep[]): readonly string[] {
  return steps.map(step => ('path' in step ? `${step.kind} ${step.path}` : 'unit' in step ? `${step.kind} ${step.unit}` : step.kind))
}

const unit = containerUnit(id)
const bootLink = [`linkUnit ${paths.boot}`, 'syncFolders']
const status = { activeState: 'inactive', subState: 'dead', needsReload: false, hasJob: false } as const

describe('a start', () => {
  it.each([
    ['of what is stopped brings it back at boot', stopped, {}, [...bootLink, `start ${unit}`]],
    ['of what failed', found, { activeState: 'failed', subState: 'failed' }, [`start ${unit}`]],
    [
      'of what waits for its automatic restart does not wait for it',
      found,
      { activeState: 'activating', subState: 'auto-restart' },
      [`start ${unit}`],
    ],
    ['of what is being stopped', found, { activeState: 'deactivating', subState: 'stop' }, [`start ${unit}`]],
    ['of what runs does nothing', found, { activeState: 'active', subState: 'running' }, []],
    ['of what starts already does nothing', found, { activeState: 'activating', subState: 'start-pre' }, []],
    ['of what runs, but not at boot', stopped, { activeState: 'active', subState: 'running' }, bootLink],
    ['tells systemd of the unit first, where it holds another', found, { needsReload: true }, ['reload', `start ${unit}`]],
    ['of what runs as it was leaves systemd alone', found, { activeState: 'active', subState: 'running', needsReload: true }, []],
  ] as const)('%s', (_, look, more, steps) => {
    expect(brief(planStart(id, look, { ...status, ...more }))).toEqual(steps)
  })
})

describe('a restart', () => {
  it.each([
    ['of what runs', found, { activeState: 'active', subState: 'running' }, [`restart ${unit}`]],
    ['of what is stopped brings it back at boot', stopped, {}, [...bootLink, `restart ${unit}`]],
    ['of what waits for its automatic restart', found, { activeState: 'activating', subState: 'auto-restart' }, [`restart ${unit}`]],
    ['tells systemd of the unit first, where it holds another', found, { needsReload: true }, ['reload', `restart ${unit}`]],
  ] as const)('%s', (_, look, more, steps) => {
    expect(brief(planRestart(id, look, { ...status, ...more }))).toEqual(steps)
  })

  it('of what is being started is refused', () => {
    expect(() => planRestart(id, found, { ...status, activeState: 'activating', subState: 'start-pre' })).toThrow(
      'is being started already',
    )
  })
})

describe('a stop', () => {
  const gone = [`removeFile ${paths.boot}`, 'syncFolders']
  it.each([
    ['of what runs keeps it from coming back at boot first', found, { activeState: 'active' }, [...gone, `queueStop ${unit}`]],
    ['of what systemd has not loaded', found, undefined, gone],
    ['of what is stopped does nothing', stopped, { activeState: 'inactive' }, []],
    ['of what has failed does nothing', stopped, { activeState: 'failed' }, []],
    ['of what is about to be started', stopped, { activeState: 'inactive', jobType: 'start' }, [`queueStop ${unit}`]],
    ['of what is being stopped does nothing', stopped, { activeState: 'deactivating' }, []],
    ['of what is being stopped to be started again', stopped, { activeState: 'deactivating', jobType: 'restart' }, [`queueStop ${unit}`]],
    ['of what is not there does nothing', nothing, undefined, []],
  ] as const)('%s', (_, look, loaded, steps) => {
    expect(brief(planStop(id, look, loaded))).toEqual(steps)
  })
})

describe('a purge', () => {
  const disabled = [`removeFile ${paths.wanted}`, `removeFile ${paths.systemdUnit}`, 'syncFolders']
  it.each([
    ['stops what runs and disables it', found, { activeState: 'active' }, [`removeFile ${paths.boot}`, `stop ${unit}`, ...disabled]],
    ['stops what is about to be started', stopped, { hasJob: true }, [`stop ${unit}`, ...disabled]],
    ['disables what is stopped', stopped, {}, disabled],
    ['of what is disabled does nothing', nothing, {}, []],
  ] as const)('%s', (_, look, more, steps) => {
    expect(brief(planPurge(id, look, { ...status, ...more }))).toEqual(steps)
  })
})
