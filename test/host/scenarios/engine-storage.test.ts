/**
 * Where an engine keeps its images and containers there is no room, or nothing can be written: for real, on a small file system in its place. What
 * runs goes on, what is asked for is refused with the reason, and once it is mended the same requests work.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EngineName, onBothEngines } from '../lab-engine.ts'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web2')
const registry = '127.0.0.1:5005'
const work = '/root/engine-storage'
const setting = '/etc/containers/registries.conf.d/engine-storage.conf'
const ids = ['roomy', 'cramped', 'pulled-in', 'lost'] as const

interface Place {
  readonly folder: string
  /** Of the folder, what a new container is written to. */
  readonly layers: string
  /** Shell that swaps what is in the folder while no engine runs. */
  readonly swap: (line: string) => string
}

const places: Readonly<Record<EngineName, Place>> = {
  docker: {
    folder: '/var/lib/docker',
    layers: '/var/lib/docker/overlay2',
    swap: line => `systemctl stop docker.socket docker.service; ${line}; systemctl start docker.socket docker.service`,
  },
  podman: { folder: '/var/lib/containers/storage', layers: '/var/lib/containers/storage', swap: line => line },
}

beforeAll(async () => {
  const config = `version: 0.1\nstorage: {filesystem: {rootdirectory: ${work}/registry}}\nhttp: {addr: "${registry}"}\n`
  await host.sh(
    `rm -rf ${work}; mkdir -p ${work}/source/.s2i/bin; cat > ${work}/registry.yml
     systemd-run --quiet --unit=storage-registry docker-registry serve ${work}/registry.yml
     printf '[[registry]]\\nlocation = "${registry}"\\ninsecure = true\\n' > ${setting}
     printf '#!/bin/sh\\ntouch /built\\n' > ${work}/source/.s2i/bin/assemble; printf '#!/bin/sh\\n' > ${work}/source/.s2i/bin/run
     docker save -o ${work}/images.tar gear/httpd gear/busybox`,
    { input: config },
  )
  await until('the registry answers', async () => {
    return (await host.exec(['curl', '-q', '-s', `http://${registry}/v2/`])).exitCode === 0 || 'not yet'
  })
  await host.sh(
    `docker create --name storage-source gear/httpd > /dev/null
     docker export storage-source | docker import --change 'CMD ["/app/serve"]' - ${registry}/shop; docker rm storage-source
     docker push -q ${registry}/shop; docker rmi ${registry}/shop`,
  )
})
afterAll(() => host.sh(`systemctl stop storage-registry; rm -rf ${work} ${setting}`))

onBothEngines(host, engine => {
  const { folder, layers, swap } = places[engine.name]
  const limit = '/etc/systemd/system/ctr-cramped.service.d'

  beforeAll(async () => {
    await host.sh(swap(`mount -t tmpfs -o size=48m,nr_inodes=6000,mode=711 tmpfs ${folder}`))
    await engine.do('load', '--quiet', '--input', `${work}/images.tar`)
    await host.gearDo('install', 'gear/httpd', 'roomy', '-p', '8080:0', '--start', '--wait')
    await host.gearDo('install', 'gear/httpd', 'cramped')
    await host.gearDo('install', `${registry}/shop`, 'pulled-in', '--restart', 'no')
    await host.sh(`mkdir -p ${limit}; printf '[Unit]\\nStartLimitBurst=2\\n' > ${limit}/limit.conf; systemctl daemon-reload`)
  })
  afterAll(async () => {
    for (const id of ids) await host.gear('delete', '--all', id)
    await host.sh(`rm -rf ${limit}; systemctl daemon-reload; ${swap(`umount -l ${folder}`)}`)
  })

  /** Starts, pulls and builds; each is refused with this. */
  async function expectRefusals(why: RegExp, next: RegExp): Promise<void> {
    const said = (words: RegExp) => ({ exitCode: 1, stderr: expect.stringMatching(words) })
    const storage = new RegExp(`the engine's storage is ${why.source}: [^]*\\[START_FAILED\\]\\. [^]*${next.source}`)
    expect(await host.gear('start', 'cramped', '--wait')).toMatchObject(said(storage))
    expect(await host.gear('start', 'pulled-in', '--wait')).toMatchObject(said(storage))
    const build = await host.gear('build', `${work}/source`, 'gear/httpd', 'lab/cramped', '--host', 'local')
    expect(build).toMatchObject(said(/\[ENGINE_FAILED\]\. .*df -h/))
    // No restart without end.
    await host.untilState('cramped', 'failed')
    expect(JSON.parse(await host.gearDo('status', 'cramped', '--output', 'json'))[0].status.cause).toMatch(
      /^it failed too often .*storage is/,
    )
    await host.untilPage(await host.port('roomy'), 'It works: gear')
    expect(await host.activeState('roomy')).toBe('active')
  }

  /** Nothing of what was refused is there, and the same requests work. */
  async function expectMended(): Promise<void> {
    const names = (await engine.do('ps', '-a', '--format', '{{.Names}}')).trim().split('\n')
    expect(names.filter(name => name !== 'roomy')).toEqual([])
    await host.gearDo('start', 'cramped', '--wait')
    await host.gearDo('start', 'pulled-in', '--wait')
    expect(await host.gearDo('build', `${work}/source`, 'gear/httpd', 'lab/cramped', '--host', 'local')).toContain('Built lab/cramped')
    // The next build clears up after one that could not.
    expect(await host.sh('ls -A /var/lib/containers/builds/work')).toBe('')
    await host.gearDo('stop', 'cramped', 'pulled-in')
    await engine.do('rmi', 'lab/cramped', `${registry}/shop`)
  }

  describe("the engine's storage", () => {
    it('without room is named, with what to do, and is well again when there is room', async () => {
      await host.sh(
        `dd if=/dev/zero of=${folder}/ballast bs=64k 2> /dev/null || dd if=/dev/zero of=${folder}/more bs=512 2> /dev/null || :`,
      )
      await expectRefusals(/full/, /Make room there/)
      await host.sh(`rm ${folder}/ballast ${folder}/more`)
      await expectMended()
    })

    it('without room for another name is the same', async () => {
      await host.sh(`mkdir ${folder}/names; cd ${folder}/names; seq 6000 | xargs touch 2> /dev/null || :`)
      const { exitCode, stderr } = await host.gear('start', 'cramped', '--wait')
      expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/storage is full: [\s\S]*Make room there \(.*df -i/)])
      await host.sh(`rm -r ${folder}/names`)
      await host.gearDo('start', 'cramped', '--wait')
      await host.gearDo('stop', 'cramped')
    })

    it('that is read-only is named, with what to do, and is well again when it is not', async () => {
      await host.sh(`mount --bind ${layers} ${layers}; mount -o remount,ro,bind ${layers}`)
      try {
        await expectRefusals(/read-only/, /findmnt/)
      } finally {
        await host.sh(`umount -l ${layers}`)
      }
      await host.gearDo('start', 'cramped', '--wait')
    })

    if (engine.name === 'docker') {
      // What a power cut does to Podman's is told in podman.test.ts.
      it('that has lost its record of a data container costs no data', async () => {
        await host.gearDo('install', 'gear/httpd', 'lost', '-v', '/data,/more', '--start', '--wait')
        await engine.inside('lost', 'sh', '-c', 'echo kept > /data/file')
        const volumesOf = async (id: string) =>
          (await engine.do('inspect', '-f', '{{range .Mounts}}{{println .Destination .Name}}{{end}}', id)).trim().split('\n').sort()
        const before = await volumesOf('lost')
        await until('its data are held', async () => (await engine.containers('lost-data')).length === 1 || 'not yet')
        const [holder = ''] = await engine.containers('lost-data')
        await host.gearDo('stop', 'lost', '--wait')
        await host.sh(swap(`truncate -s 0 ${folder}/containers/${holder}*/config.v2.json`))
        expect(await engine.containers('lost-data')).toEqual([])
        const outcome = await host.gear('start', 'lost', '--wait')
        expect(outcome.stderr).toContain('docker has lost the container that holds its data; the data are there')
        expect(outcome.exitCode).toBe(0)
        expect(await engine.inside('lost', 'cat', '/data/file')).toBe('kept\n')
        expect(await Promise.all(['lost', 'lost-data'].map(volumesOf))).toEqual([before, before])
        await host.gearDo('delete', '--all', 'lost')
        expect(await host.sh("find /var/lib/containers/units -name '*lost*'")).toBe('')
      })
    }
  })
})
