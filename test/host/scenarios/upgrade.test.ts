/**
 * An upgrade as README has it, `make install` of another version and a restart of the agent, in the middle of everything: containers of both engines
 * run, a log and a list are followed, images are pulled, a command runs in a container, files are copied both ways, an image is built.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LabEngine } from '../lab-engine.ts'
import { LabHost, type Outcome, until } from '../lab-host.ts'

const host = new LabHost('web1')
const engines = [new LabEngine(host, 'docker'), new LabEngine(host, 'podman')] as const
const names = ['docker', 'podman'] as const
const registry = '127.0.0.1:5003'
const relay = '127.0.0.1:5004'
const work = '/root/upgrade'

/** Of this repository, with another version: what is beside `node_modules`, which is used where it is. */
async function makeNextVersion(): Promise<void> {
  await host.sh(
    `rm -rf ${work}; mkdir -p ${work}/next ${work}/stopped ${work}/out/docker ${work}/out/podman; cd /usr/src/gear
     tar c --exclude=./node_modules --exclude=./.git --exclude=./dist . | tar x -C ${work}/next
     cd ${work}/next; ln -s /usr/src/gear/node_modules node_modules; sed -i 's/"version": "[^"]*"/"version": "9.9.9"/' package.json`,
  )
}

/** A registry, and one before it that stops in the middle of an image. */
async function serveImage(): Promise<void> {
  const config = `version: 0.1\nstorage: {filesystem: {rootdirectory: ${work}/registry}}\nhttp: {addr: "${registry}"}\n`
  await host.sh(
    `cat > ${work}/registry.yml; systemd-run --quiet --unit=upgrade-registry docker-registry serve ${work}/registry.yml
     systemd-run --quiet --unit=upgrade-relay /usr/lib/gear/bin/node /usr/src/gear/test/host/holding-relay.ts 5004 5003 ${work}/go-on
     printf '[[registry]]\nlocation = "${relay}"\ninsecure = true\n' > /etc/containers/registries.conf.d/upgrade.conf`,
    { input: config },
  )
  await until('both answer', async () => (await host.exec(['curl', '-q', '-s', `http://${relay}/v2/`])).exitCode === 0 || 'not yet')
  // An image of which no engine has a layer.
  await engines[0].makeImage(`${registry}/shop`, 'CMD ["sh", "-c", "trap exit TERM; while :; do sleep 1; done"]')
  await host.sh(`docker push -q ${registry}/shop; docker rmi ${registry}/shop`)
}

/** What would show that somebody touched it: the unit's main process and its start, the container's first process and its. */
const lifeOf = (engine: LabEngine) =>
  host.sh(
    `for id in steady-${engine.name} copied-${engine.name}; do
       systemctl show -P MainPID -P ActiveEnterTimestampMonotonic -P NRestarts ctr-$id
       pid=$(${engine.name} inspect -f '{{.State.Pid}}' $id); echo $pid; cut -d ' ' -f 22 /proc/$pid/stat
     done`,
  )

const versionOfAgent = async () => (JSON.parse((await host.api('GET', '/version')).body) as { readonly Version: string }).Version

/** What a command says that cannot go on without the agent it talked to. */
const cutOff = expect.stringMatching(/^Error: .*agent.* \[HOST_UNREACHABLE\]/m)

/** By which the command of a container is known. */
const secondsOf = (name: string) => `70${name.charCodeAt(0)}`

const under: Record<string, Promise<Outcome>> = {}
const outcomes: Record<string, Outcome> = {}
let before: { readonly version: string; readonly life: readonly string[] }
/** The build that was there, which is put back. */
let build = ''

beforeAll(async () => {
  build = (await host.do(['readlink', '/usr/lib/gear/dist'])).trim()
  await makeNextVersion()
  await Promise.all([serveImage(), host.sh('docker save gear/httpd | podman load --quiet')])
  await host.sh(
    `mkdir -p ${work}/source/.s2i/bin; printf '#!/bin/sh\\necho half way; until [ -e /tmp/go ]; do sleep 0.2; done; echo the rest\\n' > ${work}/source/.s2i/bin/assemble`,
  )
  for (const name of names) {
    await host.gearDo('install', 'gear/httpd', `steady-${name}`, `copied-${name}`, '--engine', name, '--start', '--wait')
    await host.gearDo('exec', `copied-${name}`, '--', 'truncate', '-s', '50M', '/large')
  }
  before = { version: await versionOfAgent(), life: await Promise.all(engines.map(lifeOf)) }
  await begin()
  await host.sh(`cd ${work}/next && make install && systemctl restart gear.service`)
  await host.untilAgentIsUp()
  await host.sh(`touch ${work}/go-on; kill -CONT $(cat ${work}/stopped/*)`)
  for (const [name, outcome] of Object.entries(under)) outcomes[name] = await outcome
})

/** Everything at once, each known to be in its middle. */
async function begin(): Promise<void> {
  await host.sh(`(gear list-units --watch >> ${work}/watch 2>&1 & echo $! > ${work}/watch.pid) > /dev/null`)
  under['build'] = host.gear('build', `${work}/source`, 'gear/httpd', 'lab/upgraded', '--host', 'local')
  for (const name of names) {
    under[`log ${name}`] = host.gear('log', '--follow', `steady-${name}`)
    under[`exec ${name}`] = host.gear('exec', `steady-${name}`, '--', 'sleep', secondsOf(name))
    under[`install ${name}`] = host.gear('install', `${relay}/shop`, `pulled-${name}`, '--engine', name, '--start', '--wait')
    under[`copy ${name}`] = host.exec([
      'sh',
      '-c',
      `gear cp copied-${name}:/large ${work}/out/${name} & pid=$!
       until [ -n "$(ls -A ${work}/out/${name})" ]; do :; done; kill -STOP $pid; echo $pid > ${work}/stopped/${name}; wait $pid`,
    ])
  }
  await until('all is under way', async () => (await host.sh(missing)).trim() || true)
}

/** Says what is not in its middle yet. */
const missing = `
  seen() { [ "$2" -ge "$1" ] || echo "$3: $2"; }
  seen 2 "$(pgrep -fc '[j]ournalctl.*ctr-steady-' || :)" logs
  seen 2 "$(pgrep -fc '^[s]leep 70' || :)" commands
  seen 2 "$(ls ${work}/stopped | wc -l)" copies
  seen 2 "$(journalctl -q -o cat -u 'ctr-pulled-*' | grep -c '^pulling' || :)" pulls
  seen 1 "$(docker ps -q --filter name=gear-build- | wc -l)" builds
  seen 1 "$(grep -c steady-podman ${work}/watch || :)" lists`

afterAll(async () => {
  await host.sh(
    `[ ! -e ${work}/watch.pid ] || kill -INT $(cat ${work}/watch.pid) || :
     ln -sfn ${build} /usr/lib/gear/dist; systemctl restart gear.service; systemctl stop upgrade-relay upgrade-registry || :
     rm -rf ${work} /etc/containers/registries.conf.d/upgrade.conf`,
  )
  await host.untilAgentIsUp()
  for (const name of names) {
    for (const kind of ['steady', 'copied', 'pulled']) await host.gear('delete', '--all', `${kind}-${name}`)
    await host.exec([name, 'rmi', `${relay}/shop`])
  }
  await host.exec(['docker', 'rmi', 'lab/upgraded'])
})

describe('an upgrade', () => {
  it('is seen by who asks for the version, and not by what runs', async () => {
    expect(before.version).not.toContain('9.9.9')
    expect(await versionOfAgent()).toContain('version 9.9.9')
    expect(await host.gearDo('version')).toContain('version 9.9.9')
    expect(await Promise.all(engines.map(lifeOf))).toEqual(before.life)
  })

  it.each(names)('ends a log that is followed and a command in a container with a word, and nothing of them stays (%s)', async name => {
    expect(outcomes[`log ${name}`]).toMatchObject({ exitCode: 1, stderr: cutOff })
    expect(outcomes[`exec ${name}`]).toMatchObject({ exitCode: 125, stderr: cutOff })
    await until('nothing of them is there', async () => {
      const { stdout } = await host.exec(['pgrep', '-fa', `^(sleep ${secondsOf(name)}|.*journalctl.*ctr-steady-${name})`])
      return stdout || true
    })
    expect(await host.gearDo('log', `steady-${name}`)).toContain('Started')
    expect(await host.gearDo('exec', `steady-${name}`, '--', 'echo', 'as ever')).toBe('as ever\n')
  })

  it.each(names)('leaves pulls alone, and the install that waits for one waits on (%s)', async name => {
    expect(outcomes[`install ${name}`]).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/pulling [\s\S]*the agent went away; asking the next one\n[\s\S]*active \(running\)/),
    })
  })

  it.each(names)('breaks copies off with a word, puts nothing half in place, and the same copy works afterwards (%s)', async name => {
    const out = `${work}/out/${name}`
    expect(outcomes[`copy ${name}`]).toMatchObject({ exitCode: 1, stderr: cutOff })
    expect(await host.sh(`ls -A ${out}`)).toBe('')
    await host.gearDo('cp', `copied-${name}:/large`, `${out}/large`)
    expect(await host.sh(`ls ${out}; stat -c %s ${out}/large; rm ${out}/large`)).toBe('large\n52428800\n')
  })

  it('leaves a build alone, and says how to hear of it', async () => {
    expect(outcomes['build']).toMatchObject({ exitCode: 1, stderr: cutOff })
    const [, id = ''] = /The build goes on, .*gear builds log --follow (\S+)\)/.exec(outcomes['build']?.stderr ?? '') ?? []
    const rest = host.gearDo('builds', 'log', '--follow', id)
    await host.sh('docker exec $(docker ps -q --filter name=gear-build-) touch /tmp/go')
    expect(await rest).toMatch(/half way\nthe rest\n[\s\S]*Built lab\/upgraded/)
  })

  it('is survived by a list that is watched', async () => {
    await host.gearDo('stop', 'copied-docker', 'copied-podman')
    await until('the list tells of it', async () => {
      const { stdout } = await host.exec(['grep', '-cE', '^copied-(docker|podman) +local +inactive', `${work}/watch`])
      return Number(stdout) >= 2 || stdout
    })
  })
})
