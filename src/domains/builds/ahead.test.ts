import { describe, expect, it } from 'vitest'
import { parseBuildSource } from '../../formats/index.ts'
import { type BuildOutlook, planAhead } from './ahead.ts'
import type { BuildRequest } from './build.ts'
import { fakeRequest as request } from './fake-request.ts'

const image = { id: 'sha256:1', user: '', environment: [], labels: {}, command: ['/bin/start'] }
const labelled = { ...image, labels: { 'io.openshift.s2i.scripts-url': 'image:///usr/libexec/s2i' } }
const inSource = (...names: readonly string[]) => [
  { names, placeOf: (name: string) => ({ kind: 'source' as const, path: `.s2i/bin/${name}` }) },
]

function ahead(outlook: Partial<BuildOutlook>, more: Partial<BuildRequest> = {}): readonly string[] {
  const steps = planAhead({ ...request, ...more }, { image, previous: undefined, source: [], ...outlook })
  return steps.map(({ kind, name }) => `${kind} ${name}`)
}

describe('what a build would do', () => {
  const git = parseBuildSource('https://example.com/shop.git')
  it.each<[string, Partial<BuildOutlook>, Partial<BuildRequest>, readonly string[]]>([
    ['with all at hand', { source: inSource('assemble') }, {}, ['assemble acme/node', 'commit acme/shop']],
    [
      'with a run script',
      { source: inSource('assemble', 'run') },
      {},
      ['assemble acme/node', 'placeRun /opt/sti/bin/run', 'commit acme/shop'],
    ],
    ['with an image to pull', { image: undefined }, {}, ['pull acme/node', 'assemble acme/node', 'commit acme/shop']],
    [
      'of a repository',
      { source: undefined, previous: image },
      { source: git },
      [
        'clone https://example.com/shop.git',
        'saveArtifacts acme/shop',
        'assemble acme/node',
        'placeRun /opt/sti/bin/run',
        'commit acme/shop',
      ],
    ],
    ['with scripts of the image', { image: labelled }, {}, ['assemble acme/node', 'commit acme/shop']],
    [
      'with scripts from elsewhere',
      {},
      { scriptsUrl: 'http://x/s' },
      ['assemble acme/node', 'placeRun /opt/sti/bin/run', 'commit acme/shop'],
    ],
  ])('%s', (_, outlook, more, expected) => {
    expect(ahead(outlook, more)).toEqual(expected)
  })

  it('says of what only the build will see that it is not sure', () => {
    const reasons = (source: BuildOutlook['source']) =>
      planAhead(request, { image: labelled, previous: image, source }).map(step => step.reason)
    expect(reasons([])[0]).toBe('acme/shop was built before, if there is a script save-artifacts')
    expect(reasons(inSource('assemble', 'save-artifacts'))[0]).toBe('acme/shop was built before')
  })

  it('is refused where it is plain that it cannot be', () => {
    expect(() => ahead({ source: inSource('run') })).toThrow(expect.objectContaining({ code: 'BUILD_SCRIPT_MISSING' }))
  })
})
