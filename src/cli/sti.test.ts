import { describe, expect, it } from 'vitest'
import { gear, type Setup } from './fake-context.ts'

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

  it.each([
    ['b', ['build']],
    ['', ['build', 'usage', 'version']],
    ['build ', [':folders']],
    ['build . ', ['acme/shop', 'acme/db:7']],
    ['build --ref v1 . acme/d', ['acme/db:7']],
    ['build . acme/shop --sa', ['--savetempdir']],
    ['build --scripts ', [':folders']],
    ['build --scripts=x', [':folders']],
    ['build -e A', []],
    ['build . acme/shop acme/x ', []],
    ['usage acme/s', ['acme/shop']],
    ['nothing ', []],
  ])('completes %j', async (line, values) => {
    const hosts: Setup['hosts'] = { local: { listImages: async () => ({ text: 'acme/shop:latest\nacme/db:7\n' }) } }
    const { out, err, exitCode } = await gear(['sti', '__complete', ...line.split(' ')], { hosts })
    expect({ err, exitCode }).toEqual({ err: '', exitCode: 0 })
    expect(out.split('\n').flatMap(each => (each === '' ? [] : [each.split('\t')[0]]))).toEqual(values)
  })
})
