/** What a build does in each situation. */
import { describe, expect, it } from 'vitest'
import type { BuilderImage } from '../../host/index.ts'
import type { BuildRequest } from './build.ts'
import { fakeRequest as request } from './fake-request.ts'
import { ownerNeeds, ownerOf } from './owner.ts'
import { type BuildFacts, planBuild } from './plan.ts'
import { chooseScripts, type ScriptPlace, type Scripts, scriptsUrlOf, workFolderOf } from './scripts.ts'

const image: BuilderImage = { id: 'sha256:base', user: '', environment: [], labels: {}, command: ['/bin/start'] }
const previous: BuilderImage = { ...image, id: 'sha256:previous' }
const copied: ScriptPlace = { kind: 'copied', folder: 'scripts' }
const inImage = (name: string): ScriptPlace => ({ kind: 'image', path: `/usr/libexec/s2i/${name}` })
const all: Scripts = { assemble: inImage('assemble'), run: inImage('run'), 'save-artifacts': inImage('save-artifacts') }

function plan(facts: Partial<BuildFacts>, more: Partial<BuildRequest> = {}) {
  return planBuild({ ...request, ...more }, { image, previous: undefined, scripts: all, commit: undefined, workFolder: '/tmp', ...facts })
}

const kinds = (...given: Parameters<typeof plan>) => plan(...given).steps.map(({ kind }) => kind)

describe('a build', () => {
  it('assembles and commits', () => {
    expect(kinds({})).toEqual(['assemble', 'commit'])
  })

  it('takes over what an earlier one saves', () => {
    expect(plan({ previous })).toMatchObject({ isIncremental: true, steps: [{ kind: 'saveArtifacts', image: 'sha256:previous' }, {}, {}] })
  })

  it.each<[string, Partial<BuildFacts>, Partial<BuildRequest>]>([
    ['there was none', {}, {}],
    ['none is wanted', { previous }, { isClean: true }],
    ['nothing can be saved', { previous, scripts: { assemble: copied } }, {}],
  ])('takes over nothing when %s', (_, facts, more) => {
    expect(kinds(facts, more)).not.toContain('saveArtifacts')
  })

  it('places a run script that is not in the image', () => {
    expect(kinds({ scripts: { ...all, run: copied } })).toEqual(['assemble', 'placeRun', 'commit'])
    expect(kinds({ scripts: { ...all, run: { kind: 'source', path: '.s2i/bin/run' } } })).toContain('placeRun')
  })

  it.each<[Scripts['run'], readonly string[]]>([
    [copied, ['/opt/sti/bin/run']],
    [inImage('run'), ['/usr/libexec/s2i/run']],
    [undefined, ['/bin/start']],
  ])('starts with its run script, or as the builder does', (run, command) => {
    const scripts = { assemble: copied, ...(run === undefined ? {} : { run }) }
    expect(plan({ scripts }).steps.at(-1)).toMatchObject({ kind: 'commit', command })
  })

  it('makes a script of the source executable in the container', () => {
    const [step] = plan({ scripts: { assemble: { kind: 'source', path: '.sti/bin/assemble' } }, workFolder: '/work' }).steps
    expect(step).toMatchObject({ command: ['/bin/sh', '-c', 'chmod u+x "$0" && exec "$0" "$@"', '/work/src/.sti/bin/assemble'] })
  })

  it('leaves no artifacts in the image, and is as it was where there can be none', () => {
    const command = (...given: Parameters<typeof plan>) =>
      plan(...given).steps.flatMap(step => (step.kind === 'assemble' ? [step.command] : []))
    const script = '/usr/libexec/s2i/assemble'
    expect(command({ previous })).toEqual([['/bin/sh', '-c', expect.stringMatching(/^"\$0" "\$@"; .*rm -rf .*; exit \$code$/), script]])
    expect(command({ previous }, { isClean: true })).toEqual([[script]])
    expect(command({})).toEqual([[script]])
  })

  it('removes the previous image at the end, if that is asked for', () => {
    expect(kinds({ previous }, { isPreviousRemoved: true })).toEqual(['saveArtifacts', 'assemble', 'commit', 'removePrevious'])
    expect(kinds({}, { isPreviousRemoved: true })).not.toContain('removePrevious')
  })

  it('assembles as another user where the image says so, and starts as its own', () => {
    const builder = { ...image, user: '1001', labels: { 'io.openshift.s2i.assemble-user': 'builder' } }
    expect(plan({ image: builder }).steps).toMatchObject([{ user: 'builder' }, { user: '1001' }])
  })

  it('without an assemble script cannot be', () => {
    expect(() => plan({ scripts: { run: copied } })).toThrow(expect.objectContaining({ code: 'BUILD_SCRIPT_MISSING' }))
  })

  it('notes where the image comes from, as far as both engines read it', () => {
    const commit = 'a'.repeat(40)
    expect(plan({ commit }).steps.at(-1)).toMatchObject({ labels: { 'gear.build.image': 'acme/node', 'gear.build.commit': commit } })
    expect(plan({ commit: 'a "quoted" one' }).steps.at(-1)).toMatchObject({ labels: { 'gear.build.image': 'acme/node' } })
  })
})

describe('scripts', () => {
  it('come from the first place that has them', () => {
    const places = [
      { names: ['run'], placeOf: () => copied },
      { names: ['run', 'assemble'], placeOf: (name: string) => ({ kind: 'source' as const, path: `.s2i/bin/${name}` }) },
      { names: ['assemble', 'save-artifacts', 'usage'], placeOf: inImage },
    ]
    expect(chooseScripts(places)).toEqual({
      run: copied,
      assemble: { kind: 'source', path: '.s2i/bin/assemble' },
      'save-artifacts': inImage('save-artifacts'),
    })
  })

  it.each([
    [{ labels: { 'io.openshift.s2i.scripts-url': 'image:///a' }, environment: ['STI_SCRIPTS_URL=http://b'] }, 'image:///a'],
    [{ labels: {}, environment: ['PATH=/bin', 'STI_SCRIPTS_URL=http://b/?c=d'] }, 'http://b/?c=d'],
    [{ labels: {}, environment: ['STI_SCRIPTS_URL=http://b', 'S2I_SCRIPTS_URL=http://c'] }, 'http://c'],
    [{ labels: { 'io.openshift.s2i.scripts-url': '' }, environment: ['STI_SCRIPTS_URL='] }, undefined],
  ])('are where the image says', (given, url) => {
    expect(scriptsUrlOf({ ...image, ...given })).toBe(url)
  })

  it.each([
    [undefined, '/tmp'],
    ['/opt/s2i/', '/opt/s2i'],
    ['/', '/tmp'],
    ['/usr', '/tmp'],
    ['/a/../b', '/tmp'],
    ['relative', '/tmp'],
    ['/with space', '/tmp'],
    [`${'/'.repeat(300_000)}x`, '/tmp'],
  ])('and source are put below %.20s', (label, folder) => {
    expect(workFolderOf({ ...image, labels: label === undefined ? {} : { 'io.openshift.s2i.destination': label } })).toBe(folder)
  })
})

describe('the owner of what is put into a container', () => {
  const files = { passwd: 'root:x:0:0::/:/bin/sh\ndefault:x:1001:7::/:\n', group: 'root:x:0:\nstaff:x:50:default\n' }

  it.each([
    ['1001', { uid: 1001, gid: 7 }],
    ['1002', { uid: 1002, gid: 0 }],
    ['1002:33', { uid: 1002, gid: 33 }],
    ['default', { uid: 1001, gid: 7 }],
    ['default:staff', { uid: 1001, gid: 50 }],
    ['nobody', undefined],
    ['1001:nogroup', undefined],
  ])('is that of user %s', (user, owner) => {
    expect(ownerOf(user, files)).toEqual(owner)
  })

  it.each([
    ['1001:0', false, false],
    ['1001', true, false],
    ['default:50', true, false],
    ['1001:staff', false, true],
    ['default:staff', true, true],
  ])('of user %s is looked up only where that is needed', (user, passwd, group) => {
    expect(ownerNeeds(user)).toEqual({ passwd, group })
  })
})
