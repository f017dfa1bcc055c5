import { describe, expect, it } from 'vitest'
import { contract, errorCatalogue, type Handlers, type WaitEvent } from '../../api/index.ts'
import { gear, type Setup } from '../fake-context.ts'

async function* list(events: readonly WaitEvent[]) {
  yield* events
}

function installing() {
  const bodies: unknown[] = []
  const installContainer: Handlers['installContainer'] = async ({ params, body }) => {
    bodies.push(body)
    return { text: `Container ${params.id} is installed\n`, sideData: { PortMapping: '8080:4000' } }
  }
  const setup: Setup = {
    hosts: { local: { installContainer }, node7: { installContainer } },
    files: { 'shop.json': '{"Image": "acme/shop", "Started": true}' },
    input: '{"image": "acme/db"}',
  }
  return { bodies, setup }
}

describe('gear api', () => {
  it('lists every operation of the contract', async () => {
    const { out, exitCode } = await gear('api --list')
    expect(exitCode).toBe(0)
    for (const { id, method, path } of Object.values(contract))
      expect(out).toMatch(new RegExp(`^${id} +${method} +${path.replaceAll(/[{}*]/g, '\\$&')} `, 'm'))
  })

  it.each(Object.keys(contract))('explains %s', async name => {
    const { out, exitCode } = await gear(`api --list ${name}`)
    expect(exitCode).toBe(0)
    expect(out).toMatch(new RegExp(`^${name}: [A-Z]+ /`))
    expect(out).not.toContain('undefined')
    expect((await gear(`api ${name} --help`)).out).toBe(out)
  })

  it('explains the operation that help is asked about, and itself otherwise', async () => {
    expect(await gear('api startContainer web-1 --help')).toEqual(await gear('api --list startContainer'))
    expect(await gear('api -h')).toMatchObject({ exitCode: 0, out: '', err: expect.stringContaining('Call any operation of the API.') })
  })

  it('explains parameters, fields and answers with what they mean', async () => {
    const { out } = await gear('api --list installContainer')
    expect(out).toMatch(/^ {2}id +string +Of the container/m)
    expect(out).toMatch(/^ {2}Ports\[0\]\.External +number +Port on the host/m)
    expect(out).toMatch(/^ {2}Image +string +\(required\) Image reference/m)
    expect(out).toContain('Errors: PORT_TAKEN')
  })

  it('prints data as JSON in the names of the wire', async () => {
    const hosts = { local: { containerPorts: async () => ({ ports: [{ internal: 80, external: 4000 }] }) } }
    const { out } = await gear('api containerPorts web-1', { hosts })
    expect(out).toBe('{\n  "Ports": [\n    {\n      "Internal": 80,\n      "External": 4000\n    }\n  ]\n}\n')
    expect(JSON.parse((await gear('api containerPorts web-1 -o json', { hosts })).out)).toEqual([
      { host: 'local', ok: true, data: { Ports: [{ Internal: 80, External: 4000 }] } },
    ])
  })

  it('prints text as it comes, side data first, and takes a body field by field', async () => {
    const { bodies, setup } = installing()
    const { out, err } = await gear(
      [
        'api',
        'installContainer',
        'web-1',
        ...['Image=acme/shop', 'Ports[0].Internal=8080', 'started=true', 'Restart=no'].flatMap(field => ['--field', field]),
      ],
      setup,
    )
    expect({ out, err }).toEqual({ out: 'PortMapping: 8080 -> 4000\nContainer web-1 is installed\n', err: '' })
    expect(bodies).toEqual([
      expect.objectContaining({ image: 'acme/shop', ports: [{ internal: 8080, external: 0 }], started: true, restart: 'no' }),
    ])
  })

  it.each([
    ['--body', '{"Image": "acme/shop"}', { image: 'acme/shop', started: false }],
    ['--body', '@shop.json', { image: 'acme/shop', started: true }],
    ['--body', '-', { image: 'acme/db' }],
  ])('takes a body as a whole: %s %s', async (flag, value, expected) => {
    const { bodies, setup } = installing()
    expect(await gear(['api', 'installContainer', 'web-1', flag, value], setup)).toMatchObject({ err: '', exitCode: 0 })
    expect(bodies).toEqual([expect.objectContaining(expected)])
  })

  it('prints events one a line, and hands the query on', async () => {
    const waitContainer: Handlers['waitContainer'] = async ({ query }) => list([{ event: 'reached', message: query.for }])
    const { out } = await gear('api waitContainer web-1 --query for=stopped', { hosts: { local: { waitContainer } } })
    expect(out).toBe('{"Event":"reached","Message":"stopped"}\n')
  })

  it('takes a number for a text where a text is wanted, and refuses names within a body that are not there', async () => {
    const { bodies, setup } = installing()
    const words = [
      'Image=acme/shop',
      'Cpus=2',
      'Environment.Id=shop-env',
      'Environment.variables[0].Name=A',
      'Environment.variables[0].Value=1',
    ]
    const line = ['api', 'installContainer', 'web-1', ...words.flatMap(field => ['--field', field])]
    expect(await gear(line, setup)).toMatchObject({ err: '', exitCode: 0 })
    expect(bodies).toMatchObject([{ cpus: 2, environment: { variables: [{ name: 'A', value: '1' }] } }])
    const misspelt = await gear(['api', 'installContainer', 'web-1', '--field', 'Image=acme/shop', '--field', 'Ports[0].Intrnal=80'], setup)
    expect(misspelt).toMatchObject({ exitCode: 1, err: expect.stringContaining('--field Ports[0].Intrnal: there is no such field') })
  })

  it.each([
    [['one\n', 'Err', 'or: it broke\n'], { out: 'one\n', err: 'Error: it broke\n', exitCode: 1 }],
    [['one', 'Error: two\n'], { out: 'oneError: two\n', err: '', exitCode: 0 }],
    [['Error: one\nErr', 'two\n'], { out: 'Error: one\nErrtwo\n', err: '', exitCode: 0 }],
    [['one\nError'], { out: 'one\nError\n', err: '', exitCode: 0 }],
  ])('fails where the last line of a work says so: %j', async (pieces, expected) => {
    const runJob: Handlers['runJob'] = async () => ({
      text: (async function* () {
        yield* pieces
      })(),
    })
    expect(await gear('api runJob --field Image=acme/tool', { hosts: { local: { runJob } } })).toEqual(expected)
  })

  it('calls hosts that a parameter or a flag names, the operation in any case', async () => {
    const { setup } = installing()
    expect(await gear('api installcontainer node7/web-1 --field Image=acme/shop', setup)).toMatchObject({ exitCode: 0 })
    const listContainers: Handlers['listContainers'] = async ({ query }) => ({
      containers: query.all ? [{ id: 'web-1', activeState: 'active', subState: 'running', loadState: 'loaded' }] : [],
    })
    const { out } = await gear('api listContainers --host node7 --host node8 --query all=1 -o json', {
      hosts: { node7: { listContainers }, node8: { listContainers } },
    })
    expect(JSON.parse(out)).toMatchObject([{ host: 'node7', data: { Containers: [{ Id: 'web-1' }] } }, { host: 'node8' }])
  })

  it('saves an archive, but prints none on a terminal', async () => {
    const archiveRepository: Handlers['archiveRepository'] = async ({ params }) => ({
      bytes: (async function* () {
        yield Buffer.from(`files of ${params.ref}`)
      })(),
      mediaType: 'application/zip',
      fileName: 'shop.zip',
    })
    const hosts = { local: { archiveRepository } }
    const words = ['api', 'archiveRepository', 'shop-src', 'main']
    expect(await gear([...words, '--to', 'shop.zip'], { hosts })).toMatchObject({ out: 'shop.zip: files of main\n', exitCode: 0 })
    expect(await gear(words, { hosts, isTerminal: true })).toMatchObject({ out: '', exitCode: 1, err: expect.stringContaining('--to') })
  })

  it('can be a dry run', async () => {
    const startContainer: Handlers['startContainer'] = async ({ dryRun }) => {
      dryRun?.add([{ kind: 'start', reason: 'a start was asked for' }])
      return { text: '' }
    }
    expect(await gear('api startContainer web-1 --dry-run', { hosts: { local: { startContainer } } })).toMatchObject({
      out: 'local: 1 step\n  1. start\n     a start was asked for\n',
    })
  })

  it.each([
    ['api', 'name an operation'],
    ['api startContaner web-1', 'there is no operation startContaner; did you mean startContainer?'],
    ['api constructor', 'there is no operation constructor'],
    ['api startContainer', 'startContainer takes ID, not 0 words'],
    ['api listContainers web-1', 'listContainers takes no parameters, not 1 word'],
    ['api startContainer a/web-1 --host b', 'the host is named twice'],
    ['api startContainer web-1 --field A=b', 'startContainer takes no body'],
    ['api startContainer x', 'id must be 4 to 24 characters'],
    ['api listContainers --query al=1', '--query al: there is no such name; did you mean all?'],
    ['api installContainer web-1 --field Imge=a', '--field Imge: there is no such name; did you mean image?'],
    ['api installContainer web-1 --field Image..x=a', '--field Image..x: a field is named such as'],
    ['api installContainer web-1 --field Image', 'must be NAME=VALUE'],
    ['api installContainer web-1 --body [1]', '--body: must be a JSON object'],
    ['api installContainer web-1 --body {', '--body: '],
    ['api installContainer web-1 --body @lost.json', '--body: lost.json cannot be read'],
    ['api containerStatus web-1 --dry-run', 'dry-run is not possible for containerStatus'],
  ])('says what is wrong before anything is sent: gear %s', async (words, message) => {
    const { out, err, exitCode } = await gear(words)
    expect({ out, exitCode }).toEqual({ out: '', exitCode: 1 })
    expect(err).toContain(message)
  })

  it('takes no file that is longer than any body, and says so', async () => {
    const { err, exitCode } = await gear('api installContainer web-1 --body @long.json', { files: { 'long.json': ' '.repeat(16_777_217) } })
    expect({ err, exitCode }).toMatchObject({ err: expect.stringContaining('--body: long.json has more than 16777216 bytes'), exitCode: 1 })
  })
})

describe('gear explain', () => {
  it.each(Object.keys(errorCatalogue))('tells what %s means and what to do', async code => {
    const { out, exitCode } = await gear(`explain ${code}`)
    expect(exitCode).toBe(0)
    expect(out).toMatch(new RegExp(`^${code} \\(HTTP status \\d+\\)\\n\\n[\\s\\S]+\\n\\nWhat to do: `))
  })

  it('lists all, finds them in any case, and proposes what was meant', async () => {
    const { out } = await gear('explain')
    for (const code of Object.keys(errorCatalogue)) expect(out).toContain(code)
    expect((await gear('explain port-taken')).out).toMatch(/^PORT_TAKEN/)
    expect(await gear('explain PORT_TAKE')).toMatchObject({ exitCode: 1, err: expect.stringContaining('did you mean PORT_TAKEN?') })
    expect(JSON.parse((await gear('explain PORT_TAKEN -o json')).out)).toMatchObject([{ code: 'PORT_TAKEN', status: 500 }])
  })

  it('passes a session on, with its exit code', async () => {
    const execContainer: Handlers['execContainer'] = async ({ body }) => ({
      output: (async function* () {
        yield { kind: 'stdout' as const, bytes: Buffer.from(`${body.command.join(' ')}\n`) }
        yield { kind: 'exit' as const, exitCode: 7 }
      })(),
      write: async () => undefined,
      close: () => undefined,
    })
    const line = ['api', 'execContainer', 'web-1', '--body', '{"Command": ["ls", "-l"]}']
    expect(await gear(line, { hosts: { local: { execContainer } } })).toEqual({ out: 'ls -l\n', err: '', exitCode: 7 })
    expect((await gear([...line, '-o', 'json'])).out).toContain('--output json is not for a session')
  })
})
