import { describe, expect, it } from 'vitest'
import { gear } from './fake-context.ts'

describe('sti', () => {
  it('tells its version', async () => {
    expect(await gear('sti version')).toEqual({ out: 'sti 1.2.3\n', err: '', exitCode: 0 })
  })

  it.each(['sti', 'sti --help', 'sti build --help', 'sti help'])('%s explains itself', async line => {
    const { err, exitCode } = await gear(line)
    expect([err, exitCode]).toEqual([expect.stringMatching(/^Usage: sti build SOURCE IMAGE TAG/), 0])
  })

  it.each([
    ['sti build', 'give sti build SOURCE IMAGE TAG'],
    ['sti build . acme/node', 'give sti build'],
    ['sti usage', 'give sti build'],
    ['sti brew', 'give sti build'],
    ['sti build . acme/node acme/shop --verbos', 'there is no flag --verbos; did you mean --verbose?'],
    ['sti biuld . acme/node acme/shop', 'there is no sti biuld; did you mean build?'],
    ['sti build . acme/node acme/shop --fast', 'there is no flag --fast'],
    ['sti build . acme/node acme/shop --ref', 'argument missing'],
    ['sti build . acme/node acme/shop -e secret', 'is no variable'],
    ['sti build ext::x acme/node acme/shop', 'Source'],
    ['sti build ext::x acme/node acme/shop --env= --ref= --scripts= --callbackUrl=', 'Source'],
  ])('%s says what is wrong on stdout', async (line, message) => {
    const { out, exitCode } = await gear(line)
    expect([out, exitCode]).toEqual([expect.stringContaining(message), 1])
  })
})
