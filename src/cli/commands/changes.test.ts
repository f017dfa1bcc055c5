import { describe, expect, it } from 'vitest'
import { GearError, type Handlers, type WaitEvent } from '../../api/index.ts'
import { gear } from '../fake-context.ts'

async function* list(events: readonly WaitEvent[]) {
  yield* events
}

const startContainer: Handlers['startContainer'] = async ({ params }) => ({ text: `${params.id} is starting\n` })

function unknown(id: string): GearError {
  return new GearError('CONTAINER_UNKNOWN', `There is no container ${id}`)
}

describe('gear start', () => {
  it('prints the line of the agent', async () => {
    expect(await gear('start web-1', { hosts: { local: { startContainer } } })).toEqual({
      out: 'web-1 is starting\n',
      err: '',
      exitCode: 0,
    })
  })

  it('prints the lines of several hosts in the order of the arguments', async () => {
    const slow = Promise.withResolvers<void>()
    const hosts = {
      a: {
        startContainer: async (call: Parameters<Handlers['startContainer']>[0]) => {
          await slow.promise
          return startContainer(call)
        },
      },
      'b:80': {
        startContainer: async (call: Parameters<Handlers['startContainer']>[0]) => {
          slow.resolve()
          return startContainer(call)
        },
      },
    }
    const { out } = await gear('start a/web-1 b:80/web-2 a/web-3', { hosts })
    expect(out).toBe('a web-1 is starting\na web-3 is starting\nb:80 web-2 is starting\n')
  })

  it('does what it can, and tells what failed at the end, in the order of the arguments', async () => {
    const failing: Handlers['startContainer'] = async ({ params }) => {
      throw unknown(params.id)
    }
    const hosts = { a: { startContainer: failing }, b: { startContainer } }
    expect(await gear('start a/web-1 b/web-2 a/web-3', { hosts })).toEqual({
      out: 'b web-2 is starting\n',
      err: [
        'Error: a/web-1: There is no container web-1 [CONTAINER_UNKNOWN]. See which there are with: gear list-units --all.\n',
        'Error: a/web-3: There is no container web-3 [CONTAINER_UNKNOWN]. See which there are with: gear list-units --all.\n',
      ].join(''),
      exitCode: 1,
    })
  })

  it('makes one document of what worked and what did not', async () => {
    const failing: Handlers['startContainer'] = async () => {
      throw new GearError('INPUT_INVALID', 'id is bad', { fields: [{ field: 'id', rule: 'is bad' }] })
    }
    const { out, err, exitCode } = await gear('start b/web-2 a/web-1 -o json', {
      hosts: { a: { startContainer: failing }, b: { startContainer } },
    })
    expect({ err, exitCode }).toEqual({ err: '', exitCode: 1 })
    expect(JSON.parse(out)).toEqual([
      { host: 'b', id: 'web-2', ok: true, lines: ['web-2 is starting'] },
      {
        host: 'a',
        id: 'web-1',
        ok: false,
        error: {
          code: 'INPUT_INVALID',
          message: 'id is bad',
          next: 'Correct the field that is named and send the request again.',
          fields: [{ field: 'id', rule: 'is bad' }],
        },
      },
    ])
  })

  it('shows the stack of what is a mistake of gear', async () => {
    const { err, exitCode } = await gear('start web-1', {
      hosts: { local: { startContainer: () => Promise.reject(new TypeError('oops')) } },
    })
    expect(err).toMatch(/^Error: .*\[INTERNAL\].*\nTypeError: oops\n {4}at /)
    expect(exitCode).toBe(1)
  })

  it('waits on when the agent is replaced meanwhile, and not for ever', async () => {
    let answers = 0
    const away: WaitEvent = { event: 'failed', message: 'The agent is being stopped', code: 'HOST_UNREACHABLE' }
    const replaced: Handlers['waitContainer'] = async () => list([++answers < 3 ? away : { event: 'reached', message: 'active (running)' }])
    expect(await gear('start --wait web-1', { hosts: { local: { startContainer, waitContainer: replaced } } })).toMatchObject({
      out: 'web-1 is starting\nweb-1: active (running)\n',
      exitCode: 0,
    })
    const pauses: number[] = []
    const hosts = { local: { startContainer, waitContainer: (async () => list([away])) satisfies Handlers['waitContainer'] } }
    expect(await gear('start --wait web-1', { hosts, onPause: waitMs => pauses.push(waitMs) })).toMatchObject({
      err: expect.stringContaining('The agent is being stopped [HOST_UNREACHABLE]'),
      exitCode: 1,
    })
    expect(pauses).toEqual([1000, 1000, 1000, 1000])
  })

  it('waits on request', async () => {
    const asked: unknown[] = []
    const waitContainer: Handlers['waitContainer'] = async ({ query }) => {
      asked.push(query)
      return list([{ event: 'reached', message: 'active (running)' }])
    }
    const { out } = await gear('start --wait web-1 --output json', { hosts: { local: { startContainer, waitContainer } } })
    expect(asked).toEqual([{ for: 'started' }])
    expect(JSON.parse(out)).toEqual([
      { host: 'local', id: 'web-1', ok: true, state: 'started', lines: ['web-1 is starting', 'web-1: active (running)'] },
    ])
  })
})

describe('gear restart', () => {
  it('restarts, and waits for the start on request', async () => {
    const hosts = {
      local: {
        restartContainer: async () => ({ text: 'is restarting\n' }),
        waitContainer: async () => list([{ event: 'reached', message: 'active (running)' }]),
      },
    }
    expect(await gear('restart web-1', { hosts })).toMatchObject({ out: 'is restarting\n', exitCode: 0 })
    expect(await gear('restart web-1 --wait', { hosts })).toMatchObject({ out: 'is restarting\nweb-1: active (running)\n', exitCode: 0 })
  })
})

describe('gear stop', () => {
  async function stop(words: string) {
    const seen: string[] = []
    const hosts = {
      local: {
        stopContainer: async ({ body }: Parameters<Handlers['stopContainer']>[0]) => {
          seen.push(`stop, wait ${body.wait}`)
          return { text: 'is stopped\n' }
        },
        waitContainer: async ({ query }: Parameters<Handlers['waitContainer']>[0]) => {
          seen.push(`wait for ${query.for}`)
          return list([{ event: 'reached', message: 'inactive (dead)' }])
        },
      },
    }
    return { ...(await gear(`stop ${words}`, { hosts })), seen }
  }

  it('has the agent follow the stop', async () => {
    expect(await stop('web-1')).toMatchObject({ seen: ['stop, wait true'], out: 'is stopped\n', exitCode: 0 })
  })

  it.each(['web-1 --no-wait', '-n web-1', '--noWait web-1'])('only queues it: %s', async words => {
    expect(await stop(words)).toMatchObject({ seen: ['stop, wait false'], exitCode: 0 })
  })

  it('stays to the end on request', async () => {
    expect(await stop('web-1 --wait')).toMatchObject({
      seen: ['stop, wait true', 'wait for stopped'],
      out: 'is stopped\nweb-1: inactive (dead)\n',
    })
  })
})

describe('gear delete', () => {
  it('names what was deleted', async () => {
    const seen: unknown[] = []
    const deleteContainer: Handlers['deleteContainer'] = async ({ params, query }) => void seen.push([params.id, query.all])
    const hosts = { local: { deleteContainer }, a: { deleteContainer } }
    expect(await gear('delete web-1', { hosts })).toEqual({ out: 'Deleted web-1\n', err: '', exitCode: 0 })
    expect(await gear('delete --all a/web-1 web-2', { hosts })).toMatchObject({ out: 'a Deleted web-1\nlocal Deleted web-2\n' })
    expect(seen).toEqual([
      ['web-1', false],
      ['web-1', true],
      ['web-2', true],
    ])
  })
})

describe('gear purge', () => {
  it('confirms each host', async () => {
    const purgeContainers: Handlers['purgeContainers'] = async () => undefined
    const hosts = { local: { purgeContainers }, a: { purgeContainers }, b: { purgeContainers: () => Promise.reject(unknown('x')) } }
    expect(await gear('purge', { hosts })).toMatchObject({ out: 'Stopped and disabled every container of local\n', exitCode: 0 })
    const { out, err, exitCode } = await gear('purge a b', { hosts })
    expect(out).toBe('a Stopped and disabled every container of a\n')
    expect(err).toMatch(/^Error: b: There is no container x/)
    expect(exitCode).toBe(1)
  })
})

describe('gear purge on a terminal', () => {
  const unit = (id: string, activeState: string) => ({ id, activeState, subState: '', loadState: 'loaded' })

  function purging(isSure: boolean) {
    const questions: string[] = []
    const purged: string[] = []
    const host = (name: string): Partial<Handlers> => ({
      listContainers: async () => ({ containers: [unit('web-1', 'active'), unit('web-2', 'inactive'), unit('web-3', 'activating')] }),
      purgeContainers: async () => void purged.push(name),
    })
    const onQuestion = (question: string) => {
      questions.push(question)
      return isSure
    }
    return { questions, purged, setup: { hosts: { local: host('local'), a: host('a'), b: {} }, onQuestion } }
  }

  it('tells what runs and asks', async () => {
    const { questions, purged, setup } = purging(true)
    expect(await gear('purge local a', setup)).toMatchObject({ exitCode: 0 })
    expect(questions).toEqual([
      'local: 3 installed, 2 running: web-1, web-3\na: 3 installed, 2 running: web-1, web-3\nStop them all, and keep them from starting at boot?',
    ])
    expect(purged.sort()).toEqual(['a', 'local'])
  })

  it('does nothing without a clear yes', async () => {
    const { purged, setup } = purging(false)
    expect(await gear('purge', setup)).toEqual({ out: '', err: 'Nothing was changed.\n', exitCode: 1 })
    expect(purged).toEqual([])
  })

  it('asks all the same when a host does not tell what is there', async () => {
    const { questions, setup } = purging(false)
    await gear('purge b', setup)
    expect(questions).toEqual([
      'b: it does not tell what is there: The request failed because of a mistake in gear\nStop them all, and keep them from starting at boot?',
    ])
  })

  it('changes nothing when it is interrupted instead of answered', async () => {
    const { purged, setup } = purging(false)
    const { Interruption } = await import('../context.ts')
    const onQuestion = () => {
      throw new Interruption('SIGINT')
    }
    expect(await gear('purge', { ...setup, onQuestion })).toMatchObject({ err: '\nInterrupted; nothing was changed.\n', exitCode: 130 })
    expect(purged).toEqual([])
  })

  it.each(['purge --yes', 'purge -y', 'purge --dry-run'])('asks nothing when told so, or when nothing is done: gear %s', async words => {
    const { questions, setup } = purging(false)
    await gear(words, setup)
    expect(questions).toEqual([])
  })
})

describe('an interruption', () => {
  it('says what goes on and what was not asked for, exit 130', async () => {
    const stop = new AbortController()
    const { Interruption } = await import('../context.ts')
    const hanging: Handlers['startContainer'] = async ({ signal }) => {
      stop.abort(new Interruption('SIGINT'))
      throw signal.reason
    }
    const hosts = { a: { startContainer: hanging }, b: { startContainer } }
    expect(await gear('start b/web-3 a/web-1 a/web-2', { hosts, signal: stop.signal })).toEqual({
      out: 'b web-3 is starting\n',
      err: [
        'Interrupted.\n',
        'The start of web-1 on a was asked for; what arrived there goes on. See: gear status a/web-1\n',
        'The start of web-2 on a was not asked for.\n',
      ].join(''),
      exitCode: 130,
    })
  })

  it('says nothing when the command only looked, since it leaves nothing behind', async () => {
    const stop = new AbortController()
    const { Interruption } = await import('../context.ts')
    const hosts = {
      local: {
        containerStatus: async () => {
          stop.abort(new Interruption('SIGTERM'))
          throw stop.signal.reason
        },
      },
    }
    expect(await gear('status web-1', { hosts, signal: stop.signal })).toEqual({ out: '', err: '', exitCode: 143 })
  })

  it('says nothing to nobody when the reader of the output is gone', async () => {
    const { Interruption } = await import('../context.ts')
    const signal = AbortSignal.abort(new Interruption('SIGPIPE'))
    expect(await gear('start web-1', { hosts: { local: { startContainer } }, signal })).toEqual({ out: '', err: '', exitCode: 141 })
  })
})

describe('--with', () => {
  const files = {
    'shop.json': '{"Instances": [{"Id": "web-2", "On": "node7"}, {"Id": "web-3", "On": "local"}, {"Id": "web-4"}]}',
    'none.json': '{"Containers": [], "Instances": [{"Id": "web-4"}]}',
    'broken.json': '{"Instances": [{"On": "node7"}]}',
  }
  const hosts = { local: { startContainer }, node7: { startContainer } }

  it('adds the instances of a deployment to the names', async () => {
    const { out, exitCode } = await gear('start web-1 --with shop.json', { hosts, files })
    expect({ out, exitCode }).toEqual({
      out: 'local web-1 is starting\nlocal web-3 is starting\nnode7 web-2 is starting\n',
      exitCode: 0,
    })
    expect(await gear('--with=shop.json start', { hosts, files })).toMatchObject({
      out: 'node7 web-2 is starting\nlocal web-3 is starting\n',
    })
  })

  it('reads the standard input for -, and asks once for what is named twice', async () => {
    const input = files['shop.json']
    const { out, exitCode } = await gear('start web-3 --with -', { hosts, input })
    expect({ out, exitCode }).toEqual({ out: 'local web-3 is starting\nnode7 web-2 is starting\n', exitCode: 0 })
    expect(await gear(['start', '--with', ''], { hosts })).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('give at least one container'),
    })
  })

  it.each(['stop', 'restart', 'delete', 'status'])('is for %s too', async command => {
    const text = { text: 'done\n' }
    const all = { stopContainer: async () => text, restartContainer: async () => text, containerStatus: async () => text }
    const host = { ...all, deleteContainer: async () => undefined }
    const { err, exitCode } = await gear(`${command} --with shop.json`, { hosts: { local: host, node7: host }, files })
    expect({ err, exitCode }).toEqual({ err: '', exitCode: 0 })
  })

  it.each([
    ['none.json', 'none.json: no instance is on a host'],
    ['broken.json', 'broken.json: Instances[0] must have an Id'],
    ['lost.json', 'lost.json cannot be read (no such file)'],
    ['https://node7/shop.json', 'https://node7/shop.json is no file on this machine'],
  ])('ends the command before anything is sent when the file is of no use: %s', async (path, message) => {
    const { out, err, exitCode } = await gear(`start web-1 --with ${path}`, { hosts, files })
    expect({ out, exitCode }).toEqual({ out: '', exitCode: 1 })
    expect(err).toContain(message)
  })
})

describe('gear init', () => {
  it.each([
    ['init', 'give --pre or --post'],
    ['init shop acme/shop', 'give --pre or --post'],
    ['init --pre --post shop acme/shop', 'give --pre or --post'],
    ['init --pre shop', 'give --pre or --post'],
    ['init --pre ../x acme/shop', 'must be 4 to 24 characters'],
    ['init --post shop ACME', 'image'],
    ['init --pre shop acme/shop -S unix:///run/other.sock', 'the engine is at unix:///var/run/docker.sock'],
    ['init --docker-socket=unix:///var/run/docker.sock --pre shop ACME', 'image'],
  ])('%s ends with 1', async (words, message) => {
    const { err, exitCode } = await gear(words, { hosts: {} })
    expect(err).toContain(message)
    expect(exitCode).toBe(1)
  })
})
