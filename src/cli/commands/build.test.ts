import { describe, expect, it } from 'vitest'
import type { BuildReport, Handlers, RequestId } from '../../api/index.ts'
import { gear } from '../fake-context.ts'
import { parseVariables, splitBuildWords } from './build.ts'

const words = 'https://example.com/shop.git acme/node acme/shop'

const report: BuildReport = {
  id: 'eldKMnM0bzBRbnVObjJpVGZ5UTNiZw',
  requestId: 'zWJ2s4o0QnuNn2iTfyQ3bg',
  activeState: 'inactive',
  subState: 'dead',
  source: 'https://example.com/shop.git',
  baseImage: 'acme/node',
  tag: 'acme/shop',
  result: 'built',
  startedAt: '2026-01-02T03:04:05.000Z',
  imageId: 'sha256:1',
}

describe('the words of a build', () => {
  it('are variables when they look like one, wherever they stand; addresses may hold = as well', () => {
    expect(splitBuildWords(['A=1', 'https://example.com/x?y=z', 'acme/node', 'B.c="d e"', 'acme/shop'])).toEqual({
      variables: [
        { name: 'A', value: '1' },
        { name: 'B.c', value: 'd e' },
      ],
      others: ['https://example.com/x?y=z', 'acme/node', 'acme/shop'],
    })
  })

  it('may list variables, whose values may hold commas', () => {
    expect(parseVariables('A=1,2,B=x=y')).toEqual([
      { name: 'A', value: '1,2' },
      { name: 'B', value: 'x=y' },
    ])
    expect(() => parseVariables('secret')).toThrow('is no variable')
  })

  it.each([
    ['build', 'give a source, a builder image and the name of the image to make'],
    ['build . acme/node', 'give a source'],
    ['build . acme/node acme/shop more', 'give a source'],
    [`build ${words} --ref=-x`, 'Ref'],
    [`build ${words} --host node7 -S unix:///x`, '--docker-socket is for builds on this machine'],
    ['build ext::sh acme/node acme/shop', 'Source the source names a transport that is a command'],
    ['build . ACME acme/shop', 'BaseImage'],
    ['build . acme/node acme/shop@sha256:0', 'Tag'],
    [`build ${words} --network host`, 'Network'],
    [`build ${words} --callbackUrl ftp://x`, 'CallbackUrl'],
    [`build ${words} --scripts /x`, 'Scripts'],
  ])('%s is refused', async (line, message) => {
    const { err, exitCode } = await gear(line)
    expect([err, exitCode]).toEqual([expect.stringContaining(message), 1])
  })
})

describe('a build on a host', () => {
  const host = (result: string, text: string) => ({
    'node7:43273': {
      buildImage: async ({ body, requestId }: { readonly body: object; readonly requestId: RequestId }) => {
        seen.push({ body, requestId })
        return { text }
      },
      getBuild: async () => ({ ...report, result }),
    },
  })
  const seen: { readonly body: object; readonly requestId: RequestId }[] = []

  it('sends what was asked for, prints what it says, and asks how it ended', async () => {
    const line = `build ${words} A=1 --env B=2,C=3 --ref v1 --clean --rm --memory 1g --network none --host node7:43273`
    expect(await gear(line, { hosts: host('built', 'Assembling\n') as never })).toEqual({ out: 'Assembling\n', err: '', exitCode: 0 })
    expect(seen.at(-1)?.body).toMatchObject({
      source: 'https://example.com/shop.git',
      baseImage: 'acme/node',
      tag: 'acme/shop',
      ref: 'v1',
      clean: true,
      removePrevious: true,
      memory: 1_073_741_824,
      network: 'none',
      environment: {
        variables: [
          { name: 'B', value: '2' },
          { name: 'C', value: '3' },
          { name: 'A', value: '1' },
        ],
      },
    })
  })

  it('that failed ends with 1', async () => {
    const { err, exitCode } = await gear(`build ${words} --host node7:43273`, {
      hosts: host('failed', 'Error: it did not work\n') as never,
    })
    expect(exitCode).toBe(1)
    expect(err).toContain('has failed [BUILD_FAILED]')
  })

  it('whose agent goes away is not taken for one that failed', async () => {
    const hosts = host('running', 'Assembling\nError: The agent is being stopped\n')
    const { err, exitCode } = await gear(`build ${words} --host node7:43273`, { hosts: hosts as never })
    expect(exitCode).toBe(1)
    const { requestId } = seen.at(-1) ?? {}
    expect(err).toContain(`goes on, but its agent went away (gear builds log --follow node7:43273/${requestId}) [HOST_UNREACHABLE]`)
  })
})

describe('gear builds', () => {
  const hosts = {
    local: {
      listBuilds: async () => ({ builds: [report] }),
      buildLog: async ({ query }: { readonly query: { readonly follow?: boolean | undefined } }) => ({
        text: query.follow === true ? 'Assembling\nBuilt\n' : 'Assembling\n',
      }),
      stopBuild: async () => undefined,
    },
  }

  it('lists them', async () => {
    const { out } = await gear('builds', { hosts })
    expect(out).toMatch(/^ID +SERVER +RESULT +TAG .*\nzWJ2s4o0QnuNn2iTfyQ3bg local +built +acme\/shop/)
  })

  it('shows the log of one, and stops one', async () => {
    expect((await gear('builds log zWJ2s4o0QnuNn2iTfyQ3bg', { hosts })).out).toBe('Assembling\n')
    expect((await gear('builds log --follow zWJ2s4o0QnuNn2iTfyQ3bg', { hosts })).out).toBe('Assembling\nBuilt\n')
    expect((await gear('builds stop zWJ2s4o0QnuNn2iTfyQ3bg', { hosts })).out).toBe('Build zWJ2s4o0QnuNn2iTfyQ3bg is stopped\n')
    expect((await gear('builds log nothing', { hosts })).exitCode).toBe(1)
  })
})

describe('a dry run of a build', () => {
  const handlers: Partial<Handlers> = {
    buildImage: async ({ body, dryRun }) => {
      dryRun?.add([{ kind: 'runUnit', reason: `for ${body.tag}` }])
      if (dryRun === undefined) throw new Error('carried out')
      return { text: '' }
    },
    stopBuild: async ({ dryRun }) => {
      dryRun?.add([{ kind: 'stopUnit', reason: 'asked for' }])
      if (dryRun === undefined) throw new Error('carried out')
    },
  }

  it.each([
    [`build ${words} --host local --dry-run`, 'acme/shop: 1 step\n  1. run unit\n     for acme/shop\n'],
    [`builds stop zWJ2s4o0QnuNn2iTfyQ3bg --dry-run`, 'zWJ2s4o0QnuNn2iTfyQ3bg: 1 step\n  1. stop unit\n     asked for\n'],
  ])('%s', async (line, expected) => {
    expect(await gear(line, { hosts: { local: handlers } })).toEqual({ out: expected, err: '', exitCode: 0 })
  })

  it('is for what changes something', async () => {
    expect((await gear('builds list --dry-run')).err).toContain('--dry-run is for stop')
  })
})
