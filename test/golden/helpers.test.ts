/**
 * What the start helpers would run, on kinds of hosts that the lab is not: unified cgroups, the systemd driver, a runtime that refuses the host's
 * cgroups, an engine that fails half-way or does not answer.
 */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { engineId, type HelperHost, newHost } from './helper-host.ts'

const optionOf = (call: string | undefined, name: string) => new RegExp(`${name}[ =](\\S+)`).exec(call ?? '')?.[1]

describe('a job', () => {
  const job = (host: HelperHost, engine: string) =>
    host.run('run-job', engine, 'acme/tool', '--entrypoint=/bin/check', 'acme/tool', '--all', 'a  b')
  const runOf = (calls: readonly string[]) => calls.find(call => call.includes(' run '))

  it.each([
    ['docker', 'cgroupfs', '/container.slice'],
    ['docker', 'systemd', 'container.slice'],
    ['podman', 'cgroupfs', '/container.slice'],
    ['podman', 'systemd', 'container.slice'],
  ])('on %s with the %s driver runs below %s, and ends with the exit code of its container', (engine, driver, parent) => {
    const host = newHost()
    host.docker({ CgroupDriver: driver })
    host.tool(engine, `case "$*" in *' info '*) echo ${driver} ;; *' run '*) exit 3 ;; esac`)
    const { exitCode, calls } = job(host, engine)
    expect(exitCode).toBe(3)
    expect(optionOf(runOf(calls), '--cgroup-parent')).toBe(parent)
    expect(runOf(calls)).toMatch(/ run --rm --pull=never --name shop .* --entrypoint=\/bin\/check acme\/tool --all a {2}b$/)
  })

  it('says when its engine is away', () => {
    const host = newHost()
    host.tool('curl', 'exit 7')
    host.tool('systemctl', 'exit 1')
    expect(job(host, 'docker').exitCode).toBe(125)
  })
})

describe('a start on docker', () => {
  const start = (host: HelperHost) => host.run('docker-start', 'container-small.slice', '--', 'acme/shop')
  const runOf = (calls: readonly string[]) => calls.find(call => call.startsWith('docker ') && call.includes(' run '))

  it.each([
    ['cgroupfs', '1', '/container.slice/container-small.slice'],
    ['cgroupfs', '2', '/container.slice/container-small.slice'],
    ['systemd', '1', 'container-small.slice'],
    ['systemd', '2', 'container-small.slice'],
  ])('with the %s driver on cgroups of version %s has the parent %s', (driver, version, parent) => {
    const host = newHost()
    host.docker({ CgroupDriver: driver, CgroupVersion: version })
    const { exitCode, calls } = start(host)
    expect(exitCode).toBe(0)
    expect(optionOf(runOf(calls), '--cgroup-parent')).toBe(parent)
  })

  it('asks for the driver once for each start of the engine', () => {
    const host = newHost()
    host.docker({ CgroupDriver: 'cgroupfs' })
    const asks = ({ calls }: ReturnType<typeof start>) => calls.filter(call => call.endsWith('/info')).length
    expect([asks(start(host)), asks(start(host))]).toEqual([1, 0])
    host.restartDocker()
    host.docker({ CgroupDriver: 'systemd' })
    const again = start(host)
    expect(asks(again)).toBe(1)
    expect(optionOf(runOf(again.calls), '--cgroup-parent')).toBe('container-small.slice')
  })

  it('that the engine fails after it has made the container is told, and the cleanup removes the container', () => {
    const host = newHost()
    host.docker({ CgroupDriver: 'cgroupfs' })
    host.tool(
      'docker',
      `printf %s ${engineId} > "$(option --cidfile "$@")"; echo 'docker: Error response from daemon: no space left.' >&2; exit 125`,
    )
    expect(start(host).exitCode).toBe(1)
    expect(host.state('last-exit.new')).toMatch(/^Reason=run-failed\nMessage=no space left\.$/m)
    const made = JSON.stringify({
      State: { Status: 'created', Running: false, Pid: 0, ExitCode: 128 },
      Config: { Labels: { 'gear.id': 'shop' } },
    })
    host.tool('curl', `case "$*" in *DELETE*) printf '\\n204' ;; */shop/json) printf '%s\\n200' '${made}' ;; *) printf '{}\\n404' ;; esac`)
    const { calls } = host.run('docker-cleanup')
    expect(calls.filter(call => call.includes('DELETE'))).toEqual([expect.stringMatching(/ -X DELETE http:\/\/engine\/containers\/shop$/)])
    expect(host.state('last-exit')).toContain('Reason=run-failed')
  })

  it.each([
    'openat2 /sys/fs/cgroup/devices/container.slice/ab/cgroup.procs: no such file or directory: unknown.',
    'write /sys/fs/cgroup/blkio/container.slice/ab/cgroup.procs: no such device: unknown.',
  ])('whose control group systemd clears away before its first process is in is made once more (%s)', reason => {
    const host = newHost()
    host.docker({ CgroupDriver: 'cgroupfs' })
    host.tool(
      'docker',
      `printf %s ${engineId} > "$(option --cidfile "$@")"; [ ! -e "$0.once" ] || exit 0; : > "$0.once"
       echo 'docker: Error response from daemon: failed to create shim task: OCI runtime create failed: failed to write 9: ${reason}' >&2; exit 127`,
    )
    const made = JSON.stringify({ State: { Running: false }, Config: { Labels: { 'gear.id': 'shop' } } })
    host.tool(
      'curl',
      `case "$*" in *DELETE*) printf '\n204' ;; */shop/json) printf '%s\n200' '${made}' ;; */info) printf '{"CgroupDriver":"cgroupfs"}\n200' ;; *) printf '{}\n404' ;; esac`,
    )
    const { exitCode, calls } = start(host)
    expect(exitCode).toBe(0)
    expect(calls.filter(call => /^docker .* run -d | DELETE /.test(call)).map(call => /run -d|DELETE/.exec(call)?.[0])).toEqual([
      'run -d',
      'DELETE',
      'run -d',
    ])
  })

  it('goes on with the data that are noted when docker has lost the container that holds them', () => {
    const host = newHost()
    const [there, gone] = ['cd'.repeat(32), 'ef'.repeat(32)]
    host.docker({ CgroupDriver: 'cgroupfs' })
    host.tool('docker', `case "$*" in *' run '*) printf %s ${engineId} > "$(option --cidfile "$@")" ;; esac`)
    host.note(`${there}:/my data\n${gone}:/more\n`)
    host.tool(
      'curl',
      `case "$*" in */info) printf '{"CgroupDriver":"cgroupfs"}\n200' ;; */volumes/${there}) printf '{}\n200' ;; *) printf '{}\n404' ;; esac`,
    )
    const { exitCode, calls } = start(host)
    expect(exitCode).toBe(0)
    expect(calls.filter(call => / create | run /.test(call))).toEqual([
      expect.stringMatching(new RegExp(` create --pull=never --name shop-data .* -v ${there}:/my data acme/shop$`)),
      expect.stringMatching(/ run -d .* --volumes-from=shop-data acme\/shop$/),
    ])
  })

  it('begins anew when what was noted of its data is gone with them', () => {
    const host = newHost()
    host.docker({ CgroupDriver: 'cgroupfs' })
    host.note(`${'cd'.repeat(32)}:/data\n`)
    const { exitCode, calls } = start(host)
    expect(exitCode).toBe(0)
    expect(calls.join('\n')).not.toMatch(/ create |volumes-from/)
  })

  it('does not wait for ever for an engine that hangs, and says which it was', () => {
    const host = newHost()
    host.tool('curl', 'exit 28')
    const { exitCode, calls } = start(host)
    expect(exitCode).toBe(1)
    for (const call of calls.filter(line => line.startsWith('curl '))) expect(Number(optionOf(call, '-m'))).toBeGreaterThan(0)
    expect(host.state('last-exit.new')).toContain('Reason=engine-away')
  })
})

describe('a call that hangs', () => {
  const hang = 'exec /bin/sleep 600'

  it('is ended on docker when the engine does not answer others either', () => {
    const host = newHost()
    host.docker({ CgroupDriver: 'cgroupfs' })
    host.run('docker-start', 'container-small.slice', '--', 'acme/shop')
    host.tool('curl', `case "$*" in */info) exit 28 ;; *) printf '{}\\n404' ;; esac`)
    host.tool('docker', hang)
    host.tool('sleep', '')
    expect(host.run('docker-start', 'container-small.slice', '--', 'acme/shop').exitCode).toBe(1)
    expect(host.state('last-exit.new')).toContain('Reason=engine-away\nMessage=docker has not answered for')
  })

  it('is ended on podman when others hang as well', () => {
    const host = newHost()
    host.tool('sleep', '')
    host.tool('podman', `case "$*" in *' run '*) ${hang} ;; *' info') exit 124 ;; *' info '*) echo /none/containers.json ;; esac`)
    expect(host.run('podman-start', '--', 'acme/shop').exitCode).toBe(1)
    expect(host.state('last-exit.new')).toContain('Reason=engine-away\nMessage=podman has not answered for')
  })

  const refused = 'Reason=image-refused\nMessage=the image acme/shop has a fifo in the place of its /etc/passwd\n'

  it('is ended on docker, which waits for the fifo that an image has for its users, and told as that', () => {
    const host = newHost()
    host.docker({ CgroupDriver: 'cgroupfs' })
    host.run('docker-start', 'container-small.slice', '--', 'acme/shop')
    const fifo = Buffer.from('{"name":"passwd","size":0,"mode":33554852,"mtime":"","linkTarget":""}').toString('base64')
    const tell = `printf 'HTTP/1.1 200 OK\\r\\nX-Docker-Container-Path-Stat: ${fifo}\\r\\n\\r\\n'`
    host.tool(
      'curl',
      `case "$*" in */info) printf '{}\\n200' ;; */archive) ${tell} ;; *DELETE*) printf '\\n204' ;; *) printf '{}\\n404' ;; esac`,
    )
    host.tool('docker', `case "$*" in *' run '*) printf %s ${engineId} > "$(option --cidfile "$@")"; ${hang} ;; esac`)
    host.tool('sleep', '')
    const { exitCode, calls } = host.run('docker-start', 'container-small.slice', '--', 'acme/shop')
    expect(exitCode).toBe(1)
    expect(host.state('last-exit.new')).toContain(refused)
    const asked = optionOf(
      calls.find(call => call.includes(' create ')),
      '--name',
    )
    expect(calls.filter(call => call.includes('DELETE')).at(-1)).toContain(`containers/${asked}?`)
  })

  it('is ended on podman, which waits for the fifo of such an image alone', () => {
    const host = newHost()
    const root = host.folder('image/etc')
    execFileSync('mkfifo', [`${root}/passwd`])
    host.tool('sleep', '')
    host.tool('podman', `case "$*" in *' run '*) ${hang} ;; *' mount '*) echo ${root}/.. ;; *' info '*) echo /none/containers.json ;; esac`)
    const { exitCode, calls } = host.run('podman-start', '--', 'acme/shop')
    expect(exitCode).toBe(1)
    expect(host.state('last-exit.new')).toContain(refused)
    expect(calls.some(call => call.includes(`rm --force --ignore --time 0 --volumes tools-`))).toBe(true)
  })
})

describe('a start on podman', () => {
  const start = (host: HelperHost) => host.run('podman-start', '--', 'acme/shop')
  const runsOf = (calls: readonly string[]) => calls.filter(call => /^podman .*\brun -d /.test(call))
  const succeed = `case "$*" in
      *' run '*) printf %s ${engineId} > "$(option --cidfile "$@")"; echo 7 > "$(option --conmon-pidfile "$@")" ;;
      *' info '*) echo /none/containers.json ;;
      *inspect*) echo 'Error: no such container' >&2; exit 125 ;;
    esac`

  it('is in the control group of the unit, whatever the version, and makes conmon the main process', () => {
    const host = newHost()
    host.tool('podman', succeed)
    const { exitCode, calls } = start(host)
    expect(exitCode).toBe(0)
    expect(runsOf(calls)).toEqual([expect.stringContaining(' --cgroups=split --sdnotify=ignore ')])
    expect(calls.join('\n')).not.toMatch(/--(replace|cgroup-parent|runtime|rm)\b/)
    expect(calls.at(-1)).toBe('systemd-notify --ready MAINPID=7')
  })

  it('tries the other runtime where the first one refuses the cgroups, and remembers it', () => {
    const host = newHost()
    host.tool('runc', '')
    host.tool('podman', `case "$*" in *--runtime=runc*) ;; *' run '*) echo 'Error: crun: invalid cgroup' >&2; exit 126 ;; esac\n${succeed}`)
    const first = start(host)
    expect(first.exitCode).toBe(0)
    expect(runsOf(first.calls).map(call => optionOf(call, '--runtime'))).toEqual([undefined, 'runc'])
    expect(runsOf(start(host).calls).map(call => optionOf(call, '--runtime'))).toEqual(['runc'])
  })

  it.each(['no space left on device', 'read-only file system'])('takes an image for damaged no more than it is, when there is %s', why => {
    const host = newHost()
    host.tool(
      'podman',
      `case "$*" in
        *' run '*) echo 'Error: creating container storage: creating read-write layer with ID "ab": open /storage/overlay-layers/.tmp-layers.json1: ${why}' >&2; exit 125 ;;
      esac
      ${succeed}`,
    )
    const { exitCode, calls } = start(host)
    expect(exitCode).toBe(1)
    expect(calls.filter(call => / pull | rm /.test(call))).toEqual([])
    expect(host.state('last-exit.new')).toContain('Reason=run-failed')
  })

  it.each([
    ['other', / -v \/data acme\/shop$/],
    ['other shop shop-data', / --volumes-from=shop-data acme\/shop$/],
  ])('asks about its data when the database has them, though a power cut has emptied the index since (%s)', (database, run) => {
    const host = newHost()
    host.tool(
      'podman',
      `store=$(dirname "$0")/store; mkdir -p $store/libpod $store/overlay-containers
       echo '[{"names":["other"]}]' > $store/overlay-containers/containers.json; echo '${database}' > $store/libpod/bolt_state.db
       case "$*" in
         *' info '*) echo $store/overlay-containers/containers.json; exit ;;
         *inspect*shop-data) echo 'Error: getting container from store "ab": container not known' >&2; exit 125 ;;
         *' ps '*'^shop-data$'*) echo ':"/data"'; exit ;;
       esac
       ${succeed}`,
    )
    const { exitCode, calls } = host.run('podman-start', '--', '-v', '/data', 'acme/shop')
    expect(exitCode).toBe(0)
    expect(runsOf(calls)).toEqual([expect.stringMatching(run)])
  })

  it('never removes a container that somebody else made', () => {
    const host = newHost()
    const zero = '0001-01-01T00:00:00Z'
    host.tool(
      'podman',
      `case "$*" in
        *' run '*) echo 'Error: the container name "shop" is already in use: that name is already in use' >&2; exit 125 ;;
        *' info '*) echo /none/containers.json ;;
        *"inspect "*" shop") echo 'shop "" "" running 0 false ${zero} ${zero} abc' ;;
        *inspect*) echo 'Error: no such container' >&2; exit 125 ;;
      esac`,
    )
    const { exitCode, calls } = start(host)
    expect(exitCode).toBe(1)
    expect(calls.filter(call => / rm | stop | kill /.test(call))).toEqual([])
    expect(host.state('last-exit.new')).toContain('Reason=name-taken')
  })

  it('of a short name means Docker Hub, unless podman is set up to search', () => {
    const host = newHost()
    host.tool(
      'podman',
      `case "$*" in
        *' run '*) [ -e "$0.pulled" ] || { echo 'Error: acme/shop: image not known' >&2; exit 125; } ;;
        *'pull docker.io/acme/shop') : > "$0.pulled" ;;
        *' pull '*) echo 'Error: short-name "acme/shop" did not resolve to an alias and no unqualified-search registries are defined' >&2; exit 125 ;;
      esac
      ${succeed}`,
    )
    const { exitCode, calls } = start(host)
    expect(exitCode).toBe(0)
    expect(calls.filter(call => call.includes(' pull ')).map(call => call.split(' ').at(-1))).toEqual(['acme/shop', 'docker.io/acme/shop'])
  })
})

describe('what tidies up after an engine that did not answer', () => {
  it.each(['docker-tidy', 'podman-tidy'])('%s looks every 5 seconds for a minute, every minute for an hour, and then gives up', helper => {
    const host = newHost()
    host.tool('systemctl', 'case "$*" in *ActiveState*) echo inactive ;; esac')
    host.tool('curl', 'exit 7')
    host.tool('podman', 'exit 125')
    const { exitCode, calls } = host.run(helper)
    expect(exitCode).toBe(1)
    const pauses = calls.filter(call => /^sleep (5|60)$/.test(call))
    expect(pauses).toEqual([...Array<string>(12).fill('sleep 5'), ...Array<string>(59).fill('sleep 60')])
  })

  it('podman-tidy removes a container of which the storage of podman knows no more, and no other of that name', () => {
    const host = newHost()
    const cid = 'c'.repeat(64)
    host.tool('systemctl', 'case "$*" in *ActiveState*) echo inactive ;; esac')
    host.tool(
      'podman',
      `case "$*" in
         *inspect*) echo 'Error: getting container from store "${cid}": container not known' >&2; exit 125 ;;
         *' ps '*) echo ${cid} ;;
       esac`,
    )
    const { exitCode, calls } = host.run('podman-tidy')
    expect(exitCode).toBe(0)
    expect(calls.filter(call => call.includes(' rm '))).toEqual([expect.stringMatching(new RegExp(` rm --force --time 0 ${cid}$`))])
    expect(calls.filter(call => call.startsWith('sleep'))).toEqual([])
  })

  it.each(['docker-tidy', 'podman-tidy'])('%s leaves it to a start that somebody asked for', helper => {
    const host = newHost()
    host.tool('systemctl', 'case "$*" in *ActiveState*) echo activating ;; esac')
    const { exitCode, calls } = host.run(helper)
    expect(exitCode).toBe(0)
    expect(calls.filter(call => !call.startsWith('systemctl'))).toEqual([])
  })
})
