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

describe('help on a terminal', () => {
  it.each([40, 80, 120])('fits into %i columns, and goes on below the text it belongs to', async columns => {
    const { err } = await gear('install --help', { isTerminal: true, columns })
    expect(err.split('\n').filter(line => line.length > columns && /\S {1,}\S/.test(line.slice(columns - 12)))).toEqual([])
    if (columns === 80) expect(err).toMatch(/\n {2}-p \[--ports\]\S* +Port pairs [^\n]*\n {20,}\S/)
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
    expect(err).toBe('gear: there is no flag --wat; did you mean --wait?\nUsage: gear start NAME... [flags]\nSee: gear start --help\n')
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
  ])('is one line on stderr, exit 1: gear %s', async (words, line) => {
    expect(await gear(words)).toEqual({ out: '', err: `${line}\n`, exitCode: 1 })
  })

  it.each([
    ['--wat', 'gear: there is no command, only --wat'],
    ['--output json', 'gear: there is no command, only --output json'],
    ['start -x web-1', 'gear: there is no flag -x'],
    ['start web-1 --token-file', 'gear: --token-file needs a value'],
    [
      'list --state runing',
      'gear: --state: must be words of systemd with commas between: active,failed; "runing" is none; did you mean running?',
    ],
    ['list --output jsno', 'gear: --output: must be text or json, not "jsno"; did you mean json?'],
    ['builds stpo', 'gear builds: stpo is none of list, log and stop; did you mean stop? (for a host of that name: gear builds list stpo)'],
    ['keys lits', 'gear keys: lits is neither; did you mean list?; say what to do'],
    ['deployment shwo a.json', 'gear deployment: there is no shwo; did you mean show?; say what to do'],
    ['completion zhs', 'gear completion: name one shell: bash, zsh, fish; did you mean zsh?'],
  ])('says what is wrong, and what may have been meant: gear %s', async (words, line) => {
    const { out, err, exitCode } = await gear(words)
    expect({ out, line: err.slice(0, line.length), exitCode }).toEqual({ out: '', line, exitCode: 1 })
  })

  it('knows no command without a name', async () => {
    expect(await gear([''])).toMatchObject({ exitCode: 1, err: expect.stringContaining('gear: the name of the command is empty\n') })
  })

  it.each([
    ['start -o json', 'give at least one container: [host[:port]/]id', 'See: gear start --help.'],
    ['start --wat --output=json', 'there is no flag --wat; did you mean --wait?', 'See: gear start --help.'],
    ['log web-1 -f -o json', '--follow never ends, so it cannot make one JSON document', 'See: gear log --help.'],
    [
      'exec web-1 -o json -- ls',
      '--output json is for commands that report; this one passes on what another says',
      'See: gear exec --help.',
    ],
    ['cp web-1:/a b -o json', '--output json is for commands that report', 'See: gear cp --help.'],
  ])('is a document for programs: gear %s', async (words, message, next) => {
    const { out, err, exitCode } = await gear(words)
    expect({ document: JSON.parse(out), err, exitCode }).toEqual({
      document: [{ ok: false, error: { code: 'COMMAND_LINE_INVALID', message, next } }],
      err: '',
      exitCode: 1,
    })
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
    expect(await gear('list --transport=carrier-pigeon', { hosts })).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('--transport: must be http, not "carrier-pigeon"'),
    })
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
