/** What a command would do, asked of a real host, which is left as it was. */
import { afterAll, describe, expect, it } from 'vitest'
import { LabHost } from '../lab-host.ts'

const host = new LabHost('web1')

/** Every path and link of gear and systemd, the reservations of ports among them. */
const state = () => host.sh('find /var/lib/containers /run/containers /etc/systemd/system -printf "%p %l %m %T@\\n" 2>&1 | sort')

afterAll(async () => {
  await host.sh('systemctl start gear')
  await host.gear('delete', '--all', 'dryly')
})

describe('a dry run', () => {
  it('tells the steps of an install with the port it would reserve, and touches nothing', async () => {
    const before = await state()
    const plan = await host.gearDo('install', 'gear/httpd', 'dryly', '-p', '8080:0', 'KEY=secret', '--start', '--dry-run')
    expect(await state()).toBe(before)
    expect(plan).toMatch(/^dryly: \d+ steps\n +1\. write version/)
    expect(plan).not.toContain('secret')
    const port = Number(/reserve ports {2}(\d+)/.exec(plan)?.[1])
    await host.gearDo('install', 'gear/httpd', 'dryly', '-p', '8080:0', '--start', '--wait')
    expect(await host.port('dryly')).toBe(port)
  })

  it('of a delete leaves the container running', async () => {
    const before = await state()
    const [plan] = JSON.parse(await host.gearDo('delete', '--all', 'dryly', '--dry-run', '--output', 'json')) as [
      { readonly steps: readonly { readonly kind: string; readonly on: readonly string[] }[] },
    ]
    expect(plan.steps).toContainEqual(expect.objectContaining({ kind: 'stop', on: ['ctr-dryly.service'] }))
    expect(await state()).toBe(before)
    expect(await host.activeState('dryly')).toBe('active')
  })

  it('of a build, a push to deploy and a copy tells what they would do, and leaves files, units and engine alone', async () => {
    await host.sh(
      'mkdir -p /srv/git/dry && cd /srv/git/dry && git init -q -b main && mkdir -p .s2i/bin && printf "#!/bin/sh\\n" >.s2i/bin/assemble && git add . && git -c user.name=a -c user.email=a@b commit -qm one',
    )
    await host.gearDo('create-repo', 'dry-src', '/srv/git/dry', '--build', 'gear/httpd', '--tag', 'acme/dry', '--restart', 'dryly')
    const everything = async () =>
      `${await state()}${await host.sh('docker ps -aq --no-trunc; docker images -q --no-trunc | sort; ls /run/systemd/transient')}`
    const before = await everything()
    const build = await host.gearDo('build', '/srv/git/dry/.git', 'gear/httpd', 'acme/dry', '--host', 'local', '--dry-run')
    expect(build).toMatch(
      /keep request[\s\S]*run unit {2}build-[\s\S]*clone {2}\/srv\/git\/dry\/\.git[\s\S]*assemble[\s\S]*commit {2}acme\/dry/,
    )
    const push = await host.gearDo('deploy-repo', 'dry-src', '--dry-run')
    expect(push).toMatch(
      /check out[\s\S]*is on the default branch of dry-src[\s\S]*commit {2}acme\/dry[\s\S]*swap unit[\s\S]*restart {2}ctr-dryly\.service/,
    )
    expect(await host.gearDo('cp', '/etc/hostname', 'dryly:/etc', '--dry-run')).toMatch(/copy {2}\/etc\/hostname dryly:\/etc\/hostname/)
    expect(await everything()).toBe(before)
    await host.gearDo('delete-repo', 'dry-src')
  })

  it('can be asked for with curl', async () => {
    const answer = await host.api('POST', '/container/dryly/restart?dry-run=1', { headers: ['Accept: text/plain'] })
    expect(answer).toMatchObject({ status: 200, body: expect.stringMatching(/^restart ctr-dryly\.service a restart was asked for$/m) })
  })

  it('needs no agent, and takes no lock from one that starts meanwhile', async () => {
    await host.sh('systemctl stop gear')
    const before = await state()
    expect(await host.gearDo('purge', '--dry-run')).toContain('stop  ctr-dryly.service')
    expect(await state()).toBe(before)
  })
})
