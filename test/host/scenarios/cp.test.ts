/** Files into and out of containers on both engines: what arrives, whose it is, and that no link leads out. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const ids = ['copy-docker', 'copy-podman']

beforeAll(async () => {
  await host.sh('docker save gear/httpd | podman load --quiet')
  await Promise.all([
    host.gearDo('install', 'gear/httpd', 'copy-docker', '--start', '--wait'),
    host.gearDo('install', 'gear/httpd', 'copy-podman', '--engine', 'podman', '--start', '--wait'),
  ])
  await host.sh(`rm -rf /tmp/copy; mkdir -p /tmp/copy/tree/sub; cd /tmp/copy
    head -c 50000000 /dev/urandom > tree/large; echo one > 'tree/a b'; chmod 4750 'tree/a b'; ln -s ../large tree/sub/up`)
})
afterAll(async () => {
  for (const id of ids) await host.gear('delete', id)
  await host.sh('rm -rf /tmp/copy')
})

describe.each(ids)('gear cp with %s', id => {
  const inside = (line: string) => host.gearDo('exec', id, '--', 'sh', '-c', line)
  const copy = (...places: readonly string[]) => host.exec(['sh', '-c', 'cd /tmp/copy; exec gear cp "$@"', 'cp', ...places])
  const done = { exitCode: 0, stdout: '', stderr: '' }

  it('takes a folder there and back, every byte of it', async () => {
    expect(await copy('tree', `${id}:/tmp`)).toEqual(done)
    expect(await inside('cd /tmp/tree; stat -c "%a %u:%g" "a b"; readlink sub/up')).toBe('750 0:0\n../large\n')
    expect(await copy(`${id}:/tmp/tree`, `back-${id}`)).toEqual(done)
    await host.sh(`cd /tmp/copy; diff -r --no-dereference tree back-${id}; rm -r back-${id}`)
    expect(await copy('--owner', '77:78', 'tree/a b', `${id}:/tmp/renamed`)).toEqual(done)
    expect(await inside('stat -c %u:%g /tmp/renamed; cat /tmp/renamed')).toBe('77:78\none\n')
  })

  it('passes tars on', async () => {
    const line = `cd /tmp/copy; tar c 'tree/a b' --mode 640 --owner 5 | gear cp - ${id}:/var; gear cp ${id}:/var/tree - | tar tv`
    expect(await host.sh(line)).toMatch(/^d.* tree\/?\n-rw-r----- .* tree\/a b\n$/)
    expect(await inside('stat -c %u:%g "/var/tree/a b"')).toBe('5:0\n')
  })

  it('follows links within the container, and lets none out of it', async () => {
    await inside(`echo its own > /etc/shadow; mkdir -p /box /out; ln -s /etc/shadow /box/secret; ln -s /etc /box/etc; ln -s /box /link
      ln -s ../../../../tmp/copy/x /box/climb; mkfifo /box/pipe; echo fine > /box/fine`)
    expect(await copy(`${id}:/box/secret`, 'secret')).toEqual(done)
    expect(await host.sh('cat /tmp/copy/secret')).toBe('its own\n')
    const { exitCode, stderr } = await copy(`${id}:/link`, 'box')
    expect(exitCode).toBe(1)
    expect(
      stderr
        .match(/Left out: \S+/g)
        ?.map(line => line.replace(/.*\//, ''))
        .sort(),
    ).toEqual(['climb:', 'etc:', 'pipe:', 'secret:'])
    expect(await host.sh('cd /tmp/copy; ls box; rm -r box secret')).toBe('fine\n')
    // A link inside is not a way to the host's own files either.
    expect(await copy('tree/a b', `${id}:/box/etc/from-here`)).toEqual(done)
    expect(await inside('cat /etc/from-here')).toBe('one\n')
    expect(await host.sh('ls /etc/from-here 2>&1 || true')).toContain('No such file')
  })

  it('says what is not there', async () => {
    const none = { exitCode: 1, stderr: expect.stringContaining('FILE_UNKNOWN') }
    expect(await copy(`${id}:/none`, '.')).toMatchObject(none)
    expect(await copy(`${id}:/etc/shadow/none`, '.')).toMatchObject(none)
    expect(await copy('tree', `${id}:/none/tree`)).toMatchObject(none)
    expect(await host.sh('ls -A /tmp/copy')).toBe('tree\n')
  })

  it('that is interrupted leaves nothing here, and ends the work there', async () => {
    const folder = `/tmp/copy; mkdir cut; timeout --foreground --signal=INT 0.4 gear cp ${id}:/tmp/tree cut || echo "ended with $?"; ls -A cut; rmdir cut`
    await inside('truncate -s 20G /tmp/tree/huge')
    expect(await host.sh(`cd ${folder}`)).toMatch(/^ended with (124|130)\n$/)
    await inside('rm /tmp/tree/huge')
    await until('no copy goes on', async () => (await host.exec(['pgrep', '-f', 'podman.* cp .*:/tmp/tree'])).exitCode === 1 || 'it does')
    expect(await host.sh('ls -A /tmp/copy')).toBe('tree\n')
  })
})

describe('a copy', () => {
  it('needs no agent, and a container that runs', async () => {
    await host.sh('systemctl stop gear.service gear.socket')
    expect(await host.gearDo('cp', 'copy-docker:/etc/shadow', '-')).toContain('its own')
    await host.sh('cd /tmp/copy; gear cp "tree/a b" copy-docker:/tmp/without; systemctl start gear.service')
    expect(await host.gearDo('exec', 'copy-docker', '--', 'cat', '/tmp/without')).toBe('one\n')
    await host.gearDo('stop', 'copy-docker', '--wait')
    for (const places of [
      ['copy-docker:/etc/shadow', '/tmp/copy'],
      ['/tmp/copy/tree', 'copy-docker:/tmp'],
    ]) {
      expect(await host.gear('cp', ...places)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('CONTAINER_NOT_RUNNING') })
    }
  })
})

/** A caller that gives or takes a part and then waits until there is a file `go`; what it was told, and what it ended with. */
const halfWay = {
  out: (id: string) =>
    `gear cp ${id}:/tmp/huge - | { head -c 1000 > /dev/null; : > began; while [ ! -e go ]; do sleep 0.1; done; cat > /dev/null; }`,
  in: (id: string) => `{ tar c tree; : > began; while [ ! -e go ]; do sleep 0.1; done; } | gear cp - ${id}:/tmp`,
}

describe.each(ids)('a copy of %s under way', id => {
  it.each([
    { way: 'out', end: `gear stop ${id} --wait`, said: `Container ${id} is stopped` },
    { way: 'in', end: `systemctl stop ctr-${id}`, said: '' },
    { way: 'out', end: `gear delete ${id}`, said: '' },
  ] as const)('$way is ended by $end, and is told why', async ({ way, end, said }) => {
    await host.gearDo('start', id, '--wait')
    await host.gearDo('exec', id, '--', 'truncate', '-s', '20G', '/tmp/huge')
    const copier = host.exec(['sh', '-c', `cd /tmp/copy; { ${halfWay[way](id)}; } 2>&1`])
    await until('the copy has begun', async () => (await host.exec(['test', '-e', '/tmp/copy/began'])).exitCode === 0 || 'no')
    expect(await host.sh(end)).toContain(said)
    await host.sh('touch /tmp/copy/go')
    expect((await copier).stdout).toMatch(/Error: Container .* ended the copy \[CONTAINER_NOT_RUNNING\]/)
    await host.sh('cd /tmp/copy; rm -f go began')
    expect(await host.sh(`journalctl -u ctr-${id} --no-pager -o cat`)).not.toContain('without the engine')
  })
})
