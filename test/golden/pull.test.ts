/** How the helper that pulls tells a pull that advances from one that does not, by what the engines draw on a terminal, say, and read. */
import { describe, expect, it } from 'vitest'
import { type HelperHost, newHost } from './helper-host.ts'

const layer = '9377898ea14a'
const hang = 'exec /bin/sleep 600'
const seconds = (count: number) => `GEARD_PULL_STALL_SECONDS=${count}`

/** As the client of docker draws: one line up, cleared, written, one line down. */
const draw = (text: string, id = layer) => `printf '\\033[1A\\033[2K\\r${id}: ${text} \\r\\033[1B'`
const downloading = (amount: string) => draw(`Downloading [=>   ]  ${amount}/52.43MB`)

/** What was drawn has been read. */
const noted = (host: HelperHost) => host.untilNoted('pulls/*/last', '"[ .]$count"')

function pullOf(host: HelperHost, engine: 'docker' | 'podman', script: string) {
  host.tool(engine, `case "$*" in *pull*) ${script} ;; esac`)
  const end = host.call('pull-image', engine, 'acme/shop')
  expect(host.below('pulls')).toEqual([])
  return end
}

/** With the bound that a host has when nobody says another. */
function bounded(): HelperHost {
  const host = newHost()
  host.configure()
  return host
}

/** Time flies, every sleep ends at once, as soon as the pull has come so far: the words were drawn and read, or it has begun. */
function hasty(words?: string): HelperHost {
  const host = bounded()
  host.tool('sleep', words === undefined ? host.untilNoted('pulls/*/puller', '[0-9]') : host.untilNoted('pulls/*/last', words))
  return host
}

/** Nothing is done about how long a pull takes. */
function patient(): HelperHost {
  const host = newHost()
  host.tool('sleep', `[ "$1" = 0.1 ] || ${hang}`)
  return host
}

describe('a pull on docker', () => {
  it('says each stage of each layer once, on a terminal or not', () => {
    const { exitCode, said, printed } = pullOf(
      patient(),
      'docker',
      `echo 'latest: Pulling from acme/shop'
       ${draw('Pulling fs layer')}; ${downloading('36.76kB')}; ${downloading('1.049MB')}; ${draw('Retrying in 2 seconds')}; ${draw('Retrying in 1 second')}
       ${downloading('52.43MB')}; ${draw('Pull complete')}; echo 'Digest: sha256:00'`,
    )
    expect([exitCode, printed]).toEqual([0, ''])
    expect(said).toEqual([
      'latest: Pulling from acme/shop',
      `${layer}: Pulling fs layer`,
      `${layer}: Downloading [=>   ]  36.76kB/52.43MB`,
      `${layer}: Retrying in 2 seconds`,
      'this layer broke off and docker tries it again, a few times before it says why; until then it is in: journalctl -u docker',
      `${layer}: Downloading [=>   ]  52.43MB/52.43MB`,
      `${layer}: Pull complete`,
      'Digest: sha256:00',
    ])
  })

  it('of which nothing comes any more is ended, and told with the last that came', () => {
    const { exitCode, said, printed } = pullOf(
      hasty('36.76kB'),
      'docker',
      `${draw('Pulling fs layer')}; ${downloading('36.76kB')}; ${hang}`,
    )
    expect(exitCode).toBe(1)
    expect(said).toContain('nothing has come for 60 s; the pull is ended after 300 s')
    expect(printed).toBe(`pull-stalled next to nothing has come for 300 s; the last was: ${layer}: Downloading [=>   ]  36.76kB/52.43MB`)
  })

  it('may take longer than the bound while it advances, and longer than systemd gives a start', () => {
    const host = bounded()
    const advance = `count=1; while [ $count -lt 150 ]; do ${host.inStep(`${draw("Downloading  '$count'.5MB/200MB")}; ${noted(host)}`)}; count=$((count + 1)); done`
    const { exitCode, printed, calls } = pullOf(host, 'docker', advance)
    expect([exitCode, printed]).toEqual([0, ''])
    expect(calls.filter(call => call === 'systemd-notify EXTEND_TIMEOUT_USEC=1800000000').length).toBeGreaterThan(5)
  })

  it('that comes by the byte is ended', () => {
    const host = bounded()
    const trickle = `count=100; while :; do ${host.inStep(`${draw("Downloading  36.'$count'kB/52MB")}; ${noted(host)}`)}; count=$((count + 1)); done`
    expect(pullOf(host, 'docker', trickle).printed).toMatch(/^pull-stalled .* Downloading {2}36\.\d+kB\/52MB$/)
  })

  it('that waits for those of other images is given more time', () => {
    const behind = `${draw('Pull complete', '0123456789ab')}; ${draw('Waiting')}; ${hang}`
    expect(pullOf(hasty('Waiting'), 'docker', behind).printed).toBe('pull-stalled docker pulls other images first, for 1800 s by now')
  })

  it('of an engine that does not answer others either is told as that', () => {
    const host = hasty()
    host.tool('docker', `case "$*" in *pull*) ${hang} ;; *) exit 1 ;; esac`)
    expect(host.call('pull-image', 'docker', 'acme/shop').printed).toBe('engine-away docker does not answer')
  })

  it.each([
    ['toomanyrequests: You have reached your pull rate limit.', 'rate-limited'],
    ['received unexpected HTTP status: 429 Too Many Requests', 'rate-limited'],
    ['manifest for acme/shop:latest not found: manifest unknown', 'image-missing'],
    ['unexpected EOF', 'pull-failed'],
  ])('that fails with "%s" is %s', (message, reason) => {
    const { exitCode, printed } = pullOf(patient(), 'docker', `echo 'Error response from daemon: ${message}' >&2; exit 1`)
    expect([exitCode, printed]).toEqual([1, `${reason} ${message}`])
  })
})

describe('a pull on podman', () => {
  const read = (bytes: number) => `head -c ${bytes} /dev/zero > /dev/null`

  it('of which nothing comes any more is ended', () => {
    const { exitCode, printed } = pullOf(hasty('Copying'), 'podman', `${read(1_000_000)}; echo 'Copying blob sha256:00'; ${hang}`)
    expect([exitCode, printed]).toEqual([1, 'pull-stalled next to nothing has come for 300 s; the last was: Copying blob sha256:00'])
  })

  it('may take longer than the bound while it advances', () => {
    const host = bounded()
    const advance = `count=1; while [ $count -lt 100 ]; do ${host.inStep(read(100_000))}; count=$((count + 1)); done`
    expect(pullOf(host, 'podman', advance)).toMatchObject({ exitCode: 0, printed: '' })
  })

  it('waits for a busy registry for six seconds, says so, and then gives up', () => {
    const note = (pause: number) =>
      `echo 'time="2026-11-25T10:40:19Z" level=debug msg="Too many requests to http://acme/v2/: sleeping for ${pause}.000000 seconds before next attempt"'`
    const { said, printed } = pullOf(patient(), 'podman', `${note(2)}; ${note(4)}; ${note(8)}; ${hang}`)
    expect(said).toEqual([2, 4].map(pause => `too many requests (429): podman tries again in ${pause} s`))
    expect(printed).toBe('rate-limited too many requests (429)')
  })

  it('keeps what it says to developers to itself', () => {
    const { said } = pullOf(
      patient(),
      'podman',
      `echo 'time="2026" level=debug msg="x"'; echo 'time="2026" level=warning msg="y"'; echo done`,
    )
    expect(said).toEqual(['time="2026" level=warning msg="y"', 'done'])
  })
})

describe('the bound', () => {
  it.each([
    [[seconds(60)], 60],
    [['# a comment', 'GEARD_PULL_STALL_SECONDS="090"'], 90],
    [[seconds(60), seconds(120)], 120],
    [['GEARD_PULL_STALL_SECONDS=soon'], 300],
  ] as const)('of %s is %s s', (lines, bound) => {
    const host = hasty()
    host.configure(...lines)
    expect(pullOf(host, 'podman', hang).printed).toBe(`pull-stalled next to nothing has come for ${bound} s`)
  })

  it('may be none', () => {
    const host = newHost()
    host.configure(seconds(0))
    const nothing = `count=1; while [ $count -lt 100 ]; do ${host.inStep(':')}; count=$((count + 1)); done`
    expect(pullOf(host, 'docker', nothing)).toMatchObject({ exitCode: 0, printed: '' })
  })
})
