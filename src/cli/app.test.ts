import { describe, expect, it } from 'vitest'
import { gear } from './fake-context.ts'
import { summaries } from './summaries.ts'

describe('help', () => {
  it.each(['', 'help', '--help', '-h'])('is an overview on stderr, exit 0: gear %s', async words => {
    const { out, err, exitCode } = await gear(words)
    expect({ out, exitCode }).toEqual({ out: '', exitCode: 0 })
    for (const [name, summary] of Object.entries(summaries)) expect(err).toMatch(new RegExp(`^ {2}${name}.* ${summary}$`, 'm'))
  })

  it.each(['help stop', 'stop --help', 'stop -h', 'stop web-1 --help'])('of a command is on stderr, exit 0: gear %s', async words => {
    const { out, err, exitCode } = await gear(words)
    expect({ out, exitCode }).toEqual({ out: '', exitCode: 0 })
    expect(err).toContain('gear stop NAME... [flags]')
    expect(err).toContain('--no-wait')
  })

  it.each(Object.keys(summaries))('explains %s with its usage, its flags and examples', async name => {
    const { err } = await gear(`help ${name}`)
    expect(err).toContain(`USAGE\n  gear ${name}`)
    expect(err).toContain(`${summaries[name as keyof typeof summaries]}.`)
    expect(err).toMatch(/EXAMPLES\n {2}gear /)
    expect(err).toContain('--output')
    expect(err).not.toContain('--transport')
  })
})

describe('wrong usage', () => {
  it('names the command that may have been meant', async () => {
    const { err, exitCode } = await gear('strat web-1')
    expect(err).toMatch(/^gear: there is no command strat; did you mean start\?\nUsage: gear COMMAND/)
    expect(exitCode).toBe(1)
  })

  it.each([
    ['ps', 'list-units'],
    ['logs', 'log'],
    ['rm', 'delete'],
    ['images', 'list-images'],
  ])('names our command for one of other programs: %s', async (word, ours) => {
    expect(await gear(`${word} web-1`)).toMatchObject({
      out: '',
      exitCode: 1,
      err: `gear: there is no command ${word}; did you mean ${ours}?\nUsage: gear COMMAND [arguments] [flags]\nSee: gear help\n`,
    })
  })

  it('knows no command by the name of what every object has', async () => {
    expect(await gear('constructor')).toMatchObject({ exitCode: 1, err: expect.stringContaining('there is no command constructor') })
    expect(await gear('start --constructor web-1')).toMatchObject({ exitCode: 1, err: 'gear: there is no flag --constructor\n' })
  })

  it('names the flag that may have been meant, and shows the usage', async () => {
    const { err, exitCode } = await gear('start --wat web-1')
    expect(err).toBe(
      'gear: No flag registered for --wat, did you mean --wait?\nUsage: gear start NAME... [flags]\nSee: gear start --help\n',
    )
    expect(exitCode).toBe(1)
  })

  it.each([
    ['start', 'gear start: give at least one container: [host[:port]/]id (see: gear start --help)'],
    ['start /web-1', 'gear start: the host before "/" must not be blank: "/web-1" (see: gear start --help)'],
    [
      'start ab',
      'gear start: ab: id must be 4 to 24 characters of A-Z a-z 0-9 _ . - and start with a letter or digit (see: gear start --help)',
    ],
    ['list-units --with plan.json', 'gear list-units: --with is for start, stop, restart, status and delete (see: gear list-units --help)'],
    ['install acme/shop', 'gear install: give an image and at least one name: IMAGE [host[:port]/]id... (see: gear install --help)'],
    ['install web-1 node7/web-1', 'gear install: web-1 is given as the image and as a name (see: gear install --help)'],
    ['install acme/shop web-1 --wait', 'gear install: --wait needs --start (see: gear install --help)'],
    ['stop web-1 --wait -n', 'gear stop: --wait and --no-wait exclude each other (see: gear stop --help)'],
    ['set-env shop-env', 'gear set-env: give at least one VARIABLE=VALUE, or --env-file, or --reset (see: gear set-env --help)'],
    ['list-units a/b', 'gear list-units: the host must be a host name or an address: "a/b" (see: gear list-units --help)'],
    ['log web-1 -f -o json', 'gear log: --follow never ends, so it cannot make one JSON document (see: gear log --help)'],
  ])('is one line on stderr, exit 1: gear %s', async (words, line) => {
    expect(await gear(words)).toEqual({ out: '', err: `${line}\n`, exitCode: 1 })
  })

  it('ends the command before anything is sent, whichever name is wrong', async () => {
    let started = 0
    const startContainer = async () => {
      started++
      return { text: '' }
    }
    const { exitCode } = await gear('start web-1 x', { hosts: { local: { startContainer } } })
    expect({ exitCode, started }).toEqual({ exitCode: 1, started: 0 })
  })
})

describe('version', () => {
  it.each(['version', '--version', '-k version'])('is on stdout: gear %s', async words => {
    expect(await gear(words)).toEqual({ out: 'gear 1.2.3\n', err: '', exitCode: 0 })
  })

  it('is a document on request', async () => {
    expect(await gear('version -o json')).toMatchObject({ out: '{"version":"1.2.3"}\n' })
  })
})

describe('flags of all commands', () => {
  const hosts = { local: { listContainers: async () => ({ containers: [] }) } }

  it.each([
    '--transport http list',
    '--transport=http list',
    'list --transport http --has-env-file --has-foreground --insecure -k',
    '--has-env-file=true -k --has-foreground=false list',
  ])('of the original are taken, wherever they stand: gear %s', async words => {
    expect(await gear(words.replace(' -k', ''), { hosts })).toMatchObject({ err: '', exitCode: 0 })
  })

  it('know one way to reach agents', async () => {
    expect(await gear('list --transport=carrier-pigeon', { hosts })).toMatchObject({ exitCode: 1, err: expect.stringContaining('(http)') })
  })

  it.each([
    ['--token-file given list', 'given'],
    ['list --token-file=given', 'given'],
    ['list', 'from-environment'],
  ])('name the token file: gear %s', async (words, expected) => {
    const seen: (string | undefined)[] = []
    await gear(words, {
      tokenFile: 'from-environment',
      connect: (_, { tokenFile }) => {
        seen.push(tokenFile)
        throw new Error('enough')
      },
    })
    expect(seen).toEqual([expected])
  })
})
