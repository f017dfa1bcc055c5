/**
 * Programs and hosts of the original geard: requests as its clients wrote them, byte by byte and many at once, scripts around its command line, and a host whose
 * containers it installed. What single requests are answered is in test/compat; here they meet a real host.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost, until } from '../lab-host.ts'
import type { OldAnswer, OldRequest } from '../old-client.ts'

const host = new LabHost('web1')
const base = '/var/lib/containers'
const page = 'It works: gear'

/** A request as the Go client of the original sends it: a body in chunks for all but GET and DELETE, also an empty one. */
function goRequest(method: string, path: string, body?: unknown): OldRequest {
  const json = body === undefined ? '' : `${JSON.stringify(body)}\n`
  const hasBody = method !== 'GET' && method !== 'DELETE'
  const chunks = `${json === '' ? '' : `${json.length.toString(16)}\r\n${json}\r\n`}0\r\n\r\n`
  const head = [
    `${method} ${path} HTTP/1.1`,
    'Host: localhost:43273',
    'User-Agent: Go 1.1 package http',
    ...(hasBody ? ['Transfer-Encoding: chunked'] : []),
    'Accept: application/json;stream=true',
    'Accept-Encoding: gzip',
    'Connection: close',
    'X-Api-Version: 1',
    `X-Request-Id: ${Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url')}`,
  ]
  return { bytes: `${head.join('\r\n')}\r\n\r\n${hasBody ? chunks : ''}` }
}

async function send(...requests: readonly OldRequest[]): Promise<readonly OldAnswer[]> {
  const output = await host.do(['/usr/lib/gear/bin/node', '/usr/src/gear/test/host/old-client.ts'], { input: JSON.stringify(requests) })
  return JSON.parse(output) as readonly OldAnswer[]
}

async function sendOne(request: OldRequest): Promise<OldAnswer> {
  const [answer] = await send(request)
  if (answer === undefined) throw new Error('there is no answer')
  return answer
}

const installOf = (more: object = {}) => ({ Image: 'gear/httpd', Ports: [{ Internal: 8080 }], SystemdSlice: 'container-small', ...more })

afterAll(async () => {
  const many = Array.from({ length: 100 }, (_, index) => goRequest('DELETE', `/container/many-${index}`))
  await send(...many)
  for (const id of ['orig-port', 'orig-slow', 'orig-old', 'orig-purge']) await host.gear('delete', '--all', id)
})

describe('clients that write their own HTTP', () => {
  it('install a hundred containers at once, each with a port of its own, whoever else asks', async () => {
    const installs = Array.from({ length: 100 }, (_, index) => goRequest('PUT', `/container/many-${index}`, installOf()))
    const reads = Array.from({ length: 50 }, () => goRequest('GET', '/containers?all=1'))
    const answers = await send(...installs, ...reads)
    expect(answers.map(({ status }) => status)).toEqual([...installs.map(() => 202), ...reads.map(() => 200)])
    const ports = answers.slice(0, 100).map(({ head }) => /^X-PortMapping: 8080:(\d+)$/im.exec(head)?.[1])
    expect(ports).not.toContain(undefined)
    expect(new Set(ports).size).toBe(100)
  })

  it('get one answer of fifty when all want the same port, and the others a message', async () => {
    const answers = await send(
      ...Array.from({ length: 50 }, (_, index) =>
        goRequest('PUT', `/container/many-${index}`, installOf({ Ports: [{ Internal: 8080, External: 39_485 }] })),
      ),
    )
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1)
    const refused = answers.filter(({ status }) => status !== 202)
    for (const { status, head, body } of refused) {
      expect([status, /^Content-Type: (.*)$/im.exec(head)?.[1], typeof JSON.parse(body).Message]).toEqual([
        500,
        'application/json',
        'string',
      ])
    }
  })

  it('are answered when they close their side after asking, and over HTTP/1.0', async () => {
    const [http11, http10, unknown] = await send(
      { ...goRequest('GET', '/container/many-0/status'), closes: true },
      { bytes: 'GET /container/many-0/status HTTP/1.0\r\n\r\n', closes: true },
      { bytes: 'GET /container/gone-0/status HTTP/1.0\r\n\r\n', closes: true },
    )
    expect([http11?.status, http10?.status, unknown?.status]).toEqual([202, 200, 404])
    expect(http10?.body).toContain(`Loaded: loaded (${base}/units/ma/ctr-many-0.service; enabled)`)
  })

  it('run a job and are shown its output, once', async () => {
    const job = { Name: '', Image: 'gear/busybox', Command: '/bin/sh', Arguments: ['-c', 'echo "$0"; exit "$1"', 'a  b', '3'] }
    const [failed, missing] = await send(goRequest('POST', '/jobs', job), goRequest('POST', '/jobs', { Command: '/bin/true' }))
    expect([failed?.status, missing?.status]).toEqual([202, 400])
    expect(failed?.body).toMatch(/^[\da-f]+\r\na {2}b\n[\s\S]*exit code 3\n\r\n0\r\n\r\n$/)
    const [unit] = (
      await host.sh('journalctl --output=json --output-fields=_SYSTEMD_UNIT -n 200 | grep -o "job-[A-Za-z0-9_-]*.service" | tail -1')
    ).split('\n')
    expect(await host.do(['systemctl', 'list-units', '--all', '--no-legend', unit ?? 'job-none.service'])).toBe('')
    expect(await host.do(['docker', 'ps', '-aq', '--filter', 'label=gear.job'])).toBe('')
  })

  it('follow a stop line by line', async () => {
    const script = 'trap "echo bye; sleep 3; exit 0" TERM; while :; do sleep 0.1; done'
    await host.gearDo('install', 'gear/script', 'orig-slow', '--start', '--wait', '--env-id=orig-slow', `SCRIPT=${script}`)
    const answer = await sendOne(goRequest('PUT', '/container/orig-slow/stopped', { Wait: true }))
    expect(answer.status).toBe(202)
    expect(answer.head).toMatch(/^Content-Type: text\/plain$/im)
    expect(answer.body).toMatch(/bye\n[\s\S]*orig-slow is stopped\n\r\n0\r\n\r\n$/)
    expect(answer.lastMs - answer.firstMs).toBeGreaterThan(1000)
  })
})

describe('scripts around the command line of the original', () => {
  it('read ports, states, ids and environments from what it prints', async () => {
    const installed = await host.gear('install', 'gear/httpd', 'localhost/orig-port', 'local/orig-slow', '-p8080:0', '--start=false')
    expect(installed.stdout).toMatch(
      /^localhost PortMapping: 8080 -> \d+\nlocalhost .*orig-port.*\nlocal PortMapping: 8080 -> \d+\nlocal .*orig-slow.*\nlocal It no longer has what was not given again: --env-id \S+\n$/,
    )
    const ids = await host.sh('gear list-units --all localhost | awk \'$1 ~ /^orig-/ { print $2 "/" $1, $3 }\'')
    expect(ids).toBe('localhost/orig-port inactive\nlocalhost/orig-slow inactive\n')
    expect(await host.sh('gear --transport=http list-units -aq localhost | grep orig-')).toBe('localhost/orig-port\nlocalhost/orig-slow\n')
    const lines = (await host.gearDo('status', 'localhost/orig-port', 'orig-slow')).split('\n')
    expect(lines.filter(line => /^-+$/.test(line))).toHaveLength(1)
    const missing = await host.gear('status', 'localhost/orig-port', 'localhost/orig-none')
    expect([missing.exitCode, missing.stdout]).toEqual([1, expect.stringContaining('ctr-orig-port.service; enabled)')])
    expect(
      await host.sh(
        ': > /tmp/empty.env; gear set-env localhost/orig-slow --reset A=B && gear set-env localhost/orig-slow --env-file /tmp/empty.env',
      ),
    ).toBe('')
    expect(await host.gearDo('env', 'localhost/orig-slow')).toBe('A=B\n')
  })

  it('look at a container after a purge', async () => {
    await host.gearDo('install', 'gear/httpd', 'orig-purge', '--start')
    await host.gearDo('purge', 'localhost')
    const status = await host.gear('status', 'localhost/orig-purge')
    expect(status.stdout).toContain(`Loaded: loaded (${base}/units/or/ctr-orig-purge.service; disabled)\n     Active: inactive (dead)`)
    expect(status.exitCode).toBe(0)
  })
})

describe('a host whose containers the original installed', () => {
  const id = 'orig-old'
  const version = `${base}/units/or/${id}/AAAAAAAAAAAAAAAAAAAAAA`
  const unit = `
[Unit]
Description=Container ${id}

[Service]
Type=simple
TimeoutStartSec=5m
Slice=container-small.slice
EnvironmentFile=${base}/env/contents/or/${id}
ExecStartPre=-/usr/bin/docker rm "${id}"
ExecStart=/usr/bin/docker run --rm --name "${id}" \\
          --env-file ${base}/env/contents/or/${id} \\
          -a stdout -a stderr -p 4511:8080  \\
          "gear/httpd"
ExecStartPost=-/usr/bin/gear init --post "${id}" "gear/httpd"
ExecReload=-/usr/bin/docker stop "${id}"
ExecReload=-/usr/bin/docker rm "${id}"
ExecStop=-/usr/bin/docker stop "${id}"

[Install]
WantedBy=container.target

# Container information
X-ContainerId=${id}
X-ContainerImage=gear/httpd
X-ContainerUserId=
X-ContainerRequestId=AAAAAAAAAAAAAAAAAAAAAA
X-ContainerType=simple
X-PortMapping=8080:4511
`

  beforeAll(async () => {
    await host.sh(
      `mkdir -p ${base}/units/or/${id} ${base}/env/contents/or ${base}/ports/interfaces/1/45
       echo MODE=old > ${base}/env/contents/or/${id}
       cat > ${version}; chmod 664 ${version}; ln ${version} ${base}/units/or/ctr-${id}.service
       ln -s ${version} ${base}/ports/interfaces/1/45/4511
       systemctl enable --quiet ${base}/units/or/ctr-${id}.service
       ln -s ${base}/units/or/ctr-${id}.service /etc/systemd/system/container-active.target.wants/
       systemctl start ctr-${id}.service`,
      { input: unit },
    )
    await host.untilPage(4511, page)
  })

  it('shows them, and works in them', async () => {
    expect(await host.gearDo('list-units')).toMatch(/^orig-old +local +active +running +loaded/m)
    expect(JSON.parse((await host.api('GET', `/container/${id}/ports`)).body)).toEqual({ Ports: [{ Internal: 8080, External: 4511 }] })
    expect(await host.gearDo('env', id)).toBe('MODE=old\n')
    expect(await host.do(['switchns', `--container=${id}`, '--', '/bin/echo', 'in'])).toBe('in\n')
    expect(await host.gearDo('exec', id, '--', '/bin/echo', 'in')).toBe('in\n')
  })

  it('stops and starts them, and keeps their ports', async () => {
    await host.gearDo('stop', `localhost/${id}`)
    await host.untilState(id, 'inactive', 'failed')
    await host.gearDo('start', `localhost/${id}`)
    await host.untilPage(4511, page)
    const outcome = await host.gear('install', 'gear/httpd', 'localhost/orig-port', '-p', '8080:4511')
    expect([outcome.exitCode, outcome.stderr]).toEqual([1, expect.stringContaining('orig-old')])
  })

  it('makes them its own with the next install, and removes them with everything', async () => {
    const install = ['install', 'gear/httpd', `localhost/${id}`, '-p', '8080:0', 'MODE=new', `--env-id=${id}`]
    expect(await host.gearDo(...install)).toMatch(/^PortMapping: 8080 -> 4511\n/)
    await host.gearDo('restart', `localhost/${id}`)
    await until('it is a container of gear', async () => {
      const outcome = await host.exec(['docker', 'inspect', '-f', '{{index .Config.Labels "gear.id"}}', id])
      return outcome.stdout.trim() === id ? true : outcome.stdout + outcome.stderr
    })
    await host.untilPage(4511, page)
    await host.gearDo('delete', '--all', `localhost/${id}`)
    expect(await host.sh(`find ${base} /etc/systemd/system -name '*${id}*' -o -name 4511`)).toBe('')
  })
})
