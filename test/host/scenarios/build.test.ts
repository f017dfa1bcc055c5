/**
 * From source to a service: builder images of today's kind and of the original's, a Node application with dependencies, git, incremental builds,
 * failures, and builds that are ended in every way. The lab has no way to the npm registry, so packages come from one on the host.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BuildTraces } from '../build-traces.ts'
import { LabHost, until } from '../lab-host.ts'
import { fixturesOnHost, makeNodeBuilder } from '../node-builder.ts'

const host = new LabHost('web1')
const fixtures = fixturesOnHost
const registryPort = 4873
/** The host as its containers see it. */
let registry = ''

const source = '/root/site'
const traces = new BuildTraces(host, 'docker')

/** Sources with scripts of their own: a site of the original's kind, and one whose assemble does not end. */
async function makeSources(): Promise<void> {
  await host.sh(`mkdir -p ${source}/.sti/bin; cd ${source}; echo '<h1>a built page</h1>' > index.html
    printf '#!/bin/sh\\nmkdir -p /site && cp /tmp/src/*.html /site\\n[ ! -e /tmp/artifacts/count ] || cp /tmp/artifacts/count /site\\necho x >> /site/count; wc -l < /site/count\\n' > .sti/bin/assemble
    printf '#!/bin/sh\\nexec busybox httpd -f -p 8080 -h /site\\n' > .sti/bin/run
    printf '#!/bin/sh\\ncp /site/count /tmp/artifacts; echo saved\\n' > .sti/bin/save-artifacts`)
  await host.sh(`mkdir -p /root/slow/.s2i/bin; printf '#!/bin/sh\\necho it goes on; sleep 600\\n' > /root/slow/.s2i/bin/assemble`)
}

beforeAll(async () => {
  await traces.begin()
  await makeSources()
  await makeNodeBuilder(host, 'docker', 'lab/node-builder')
  await host.sh(
    `systemd-run --quiet --unit=npm-registry /usr/lib/gear/bin/node ${fixtures}/npm-registry.mjs ${registryPort} hono @hono/node-server`,
  )
  registry = `http://${await host.address()}:${registryPort}`
  await until('the registry answers', async () =>
    (await host.exec(['curl', '-q', '-s', `${registry}/-/count`])).exitCode === 0 ? true : 'not yet',
  )
})

afterAll(async () => {
  for (const id of ['node-app', 'old-site']) await host.gear('delete', '--all', id)
  await host.sh('systemctl stop npm-registry; docker image prune -f >/dev/null')
})

const fetched = async () => Number(await host.do(['curl', '-q', '-s', `${registry}/-/count`]))

describe('a Node application', () => {
  it('is built with its dependencies, without what .s2iignore names', async () => {
    await host.sh(
      `cp -R ${fixtures}/node-app /root/node-app; cd /root/node-app; touch notes error.log; mkdir .git; echo secret > .git/config`,
    )
    const built = await host.sh(`cd /root && gear build node-app lab/node-builder lab/node-app NPM_CONFIG_REGISTRY=${registry}`)
    expect(built).toMatch(/Assembling\n.*, as 1001\n/)
    expect(built).toContain('added 2 packages')
    expect(built).toMatch(/Built lab\/node-app \(sha256:[0-9a-f]{64}\)\n$/)
    expect(await fetched()).toBe(2)
    expect((await host.sh('docker run --rm lab/node-app ls -A /app /tmp')).split('\n')).not.toContain('notes')
    expect(await host.sh('docker run --rm lab/node-app ls -A /app /tmp')).not.toMatch(/error\.log|\.git\b|artifacts|scripts/)
  })

  it('is installed and serves, with the environment of its source', async () => {
    await host.gearDo('install', 'lab/node-app', 'node-app', '--start', '--wait', '-p', '8080:0')
    await host.untilPage(await host.port('node-app'), 'It works: hello from the source, as 1001')
  })

  it('is built again from what the last build saved: nothing is fetched', async () => {
    await host.sh('echo >> /root/node-app/server.js')
    const before = await fetched()
    const built = await host.sh(`gear build /root/node-app lab/node-builder lab/node-app NPM_CONFIG_REGISTRY=${registry} --rm`)
    expect(built).toContain('Saving artifacts of lab/node-app\n')
    expect(await fetched()).toBe(before)
    // the container still runs from it
    expect(built).toMatch(/The previous image sha256:[0-9a-f]{64} stays: it is in use/)
  })

  it('is built from nothing when that is asked for', async () => {
    const before = await fetched()
    expect(await host.sh(`gear build /root/node-app lab/node-builder lab/node-app NPM_CONFIG_REGISTRY=${registry} --clean`)).not.toContain(
      'Saving',
    )
    expect(await fetched()).toBe(before + 2)
    expect(await traces.left()).toEqual([])
  })
})

describe('a site with scripts of its own, of the kind the original had', () => {
  it('is built by an image that is no builder', async () => {
    await host.sh(`gear build ${source} gear/httpd lab/site --network none`)
    expect(await host.do(['docker', 'image', 'inspect', '-f', '{{json .Config.Cmd}}', 'lab/site'])).toBe('["/opt/sti/bin/run"]\n')
    await host.gearDo('install', 'lab/site', 'old-site', '--start', '--wait', '-p', '8080:0')
    await host.untilPage(await host.port('old-site'), 'a built page')
  })

  it('hands its artifacts on in the folder, and what is copied from there is not in the image twice', async () => {
    expect(await host.sh(`gear build ${source} gear/httpd lab/site`)).toMatch(/Saving artifacts of lab\/site\nsaved\nAssembling\n2\n/)
    expect(await host.sh('docker run --rm lab/site ls -A /opt/sti/artifacts /tmp')).toBe('/opt/sti/artifacts:\n\n/tmp:\n')
  })

  it('says with its last lines why it could not be built, and leaves the image as it was', async () => {
    const before = await host.do(['docker', 'image', 'inspect', '-f', '{{.Id}}', 'lab/site'])
    await host.sh(
      `cp -R ${source} /root/broken; cd /root/broken; printf '#!/bin/sh\\necho these are the last words; exit 3\\n' > .sti/bin/assemble`,
    )
    const outcome = await host.gear('build', '/root/broken', 'gear/httpd', 'lab/site', '--clean')
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stdout).toMatch(/these are the last words\n$/)
    expect(outcome.stderr).toContain('assemble ended with exit code 3 [BUILD_FAILED]')
    const { error, lines } = JSON.parse(
      (await host.gear('build', '/root/broken', 'gear/httpd', 'lab/site', '--output', 'json')).stdout,
    ) as { error: { code: string }; lines: string[] }
    expect([error.code, lines.at(-1)]).toEqual(['BUILD_FAILED', 'these are the last words'])
    expect(await host.do(['docker', 'image', 'inspect', '-f', '{{.Id}}', 'lab/site'])).toBe(before)
    expect(await traces.left()).toEqual([])
  })
})

describe('sti', () => {
  it('builds, shows what a builder says of itself, and tells its version', async () => {
    expect(await host.sh('sti version')).toMatch(/^sti version /)
    await host.sh(`cp -R /root/site /root/sti; cd /root/sti
      printf '#!/bin/sh\nif [ "$1" = -h ]; then echo "give it a site"; exit; fi\nmkdir /site; echo "$MODE" > /site/mode\n' > .sti/bin/assemble`)
    await host.sh('sti build /root/sti gear/httpd lab/sti -e MODE=a,NAME=b --clean')
    expect(await host.do(['docker', 'run', '--rm', 'lab/sti', 'cat', '/site/mode'])).toBe('a\n')
    expect(await host.sh('sti usage gear/httpd --scripts file:///root/sti/.sti/bin')).toBe('give it a site\n')
    expect(await host.sh('sti usage lab/node-builder')).toMatch(/^A Node application: /)
    const outcome = await host.exec(['sti', 'build', '/root/broken', 'gear/httpd', 'lab/sti', '--clean'])
    expect([outcome.exitCode, outcome.stdout]).toEqual([1, expect.stringContaining('An error occurred: assemble ended with exit code 3')])
  })
})

describe('a repository', () => {
  const repository = '/root/small.git'

  beforeAll(async () => {
    await host.sh(`
      export GIT_AUTHOR_NAME=lab GIT_AUTHOR_EMAIL=lab@example.com GIT_COMMITTER_NAME=lab GIT_COMMITTER_EMAIL=lab@example.com
      git init -q -b main /root/small; cd /root/small; mkdir -p .s2i/bin
      printf '#!/bin/sh\\nmkdir /site; cp /tmp/src/which /site; sha256sum /tmp/src/large || :\\n' > .s2i/bin/assemble
      echo main > which; git add .; git commit -qm one; git tag v1
      git checkout -q -b other; echo other > which; git commit -qam two
      git checkout -q main; git clone -q --bare /root/small ${repository}
      head -c 52428800 /dev/urandom > large; git add .; git commit -qm large; git clone -q --bare /root/small /root/large.git
      systemd-run --quiet --unit=git-daemon git daemon --export-all --base-path=/root /root`)
    await until('git is served', async () =>
      (await host.exec(['git', 'ls-remote', 'git://127.0.0.1/large.git'])).exitCode === 0 ? true : 'not yet',
    )
  })
  afterAll(() => host.sh('systemctl stop git-daemon'))

  it('of 50 MB comes whole', async () => {
    const sum = (await host.do(['sha256sum', '/root/small/large'])).slice(0, 64)
    expect(await host.sh('gear build git://127.0.0.1/large.git gear/httpd lab/large')).toContain(sum)
  })

  it.each([
    ['other', 'other'],
    ['v1', 'main'],
  ])('gives its ref %s', async (ref, which) => {
    await host.sh(`gear build file://${repository} gear/httpd lab/ref --ref ${ref} --clean`)
    expect(await host.do(['docker', 'run', '--rm', 'lab/ref', 'cat', '/site/which'])).toBe(`${which}\n`)
  })

  it('gives a commit, which the image remembers', async () => {
    const commit = (await host.do(['git', '-C', repository, 'rev-parse', 'v1'])).trim()
    await host.sh(`gear build ${repository} gear/httpd lab/ref --ref ${commit} --clean`)
    expect(await host.do(['docker', 'image', 'inspect', '-f', '{{index .Config.Labels "gear.build.commit"}}', 'lab/ref'])).toBe(
      `${commit}\n`,
    )
  })

  it('that does not have the ref is named', async () => {
    const outcome = await host.gear('build', repository, 'gear/httpd', 'lab/none', '--ref', 'nowhere')
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stderr).toMatch(/Could not clone nowhere of \S*\/root\/small\.git: .* \[SOURCE_FAILED\]/)
  })

  it.each([['ext::sh -c touch% /run/owned'], ['--upload-pack=touch /run/owned'], ['ssh://-oProxyCommand=touch%20x/x.git'], ['fd::17']])(
    'at %s is refused before git is asked',
    async source => {
      const outcome = await host.gear('build', '--', source, 'gear/httpd', 'lab/none')
      expect(outcome.exitCode).toBe(1)
      expect(await host.sh('ls /run | grep owned || :')).toBe('')
    },
  )

  it('executes nothing by a submodule that is a command or a file of the host', async () => {
    await host.sh(`
      git clone -q ${repository} /root/evil; cd /root/evil
      printf '[submodule "x"]\\n\\tpath = x\\n\\turl = ext::sh -c touch%% /run/owned\\n' > .gitmodules
      git -c user.name=x -c user.email=x@example.com -c protocol.ext.allow=always update-index --add --cacheinfo 160000,$(git rev-parse HEAD),x
      git add .gitmodules; git -c user.name=x -c user.email=x@example.com commit -qm evil`)
    const outcome = await host.gear('build', 'file:///root/evil', 'gear/httpd', 'lab/none')
    expect([outcome.exitCode, outcome.stderr]).toEqual([1, expect.stringContaining("transport 'ext' not allowed")])
    expect(await host.sh('ls /run | grep owned || :')).toBe('')
    expect(await traces.left()).toEqual([])
  })
})

describe('a build that does not come to its end', () => {
  it('leaves nothing when it is interrupted', async () => {
    const child = spawn(fileURLToPath(new URL('../../../lab/lab', import.meta.url)), [
      'exec',
      host.name,
      '--',
      'sh',
      '-c',
      'echo $$ > /run/building; exec gear build /root/slow gear/httpd lab/slow',
    ])
    const ended = once(child, 'close')
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (printed += bytes.toString()))
    await until('it assembles', async () => (printed.includes('it goes on') ? true : printed))
    await host.sh('kill -INT $(cat /run/building)')
    expect(await ended).toEqual([130, null])
    expect(printed).toContain('The build was ended; nothing of it is left')
    expect(await traces.left()).toEqual([])
  })

  it('and was killed is cleared up by the next', async () => {
    await host.sh('gear build /root/slow gear/httpd lab/slow > /run/slow.log 2>&1 & echo $! > /run/building')
    await until('it assembles', async () => ((await host.sh('cat /run/slow.log')).includes('it goes on') ? true : 'not yet'))
    await host.sh('kill -KILL $(cat /run/building)')
    expect(await traces.left()).toContainEqual(expect.stringMatching(/^container gear-build-/))
    await host.gear('build', '/root/nowhere', 'gear/httpd', 'lab/slow')
    expect(await traces.left()).toEqual([])
  })
})

describe('awkward things', () => {
  it('in a source come as they are, and lead nowhere else', async () => {
    await host.sh(
      `mkdir -p /root/odd/.s2i/bin /root/odd/deep; cd /root/odd; cat > .s2i/bin/assemble
      printf x > '-rf'; printf x > 'two
lines'; printf x > 'a b*?'; ln -s /etc/shadow shadow; ln -s deep link; mkfifo pipe; printf x > "$(printf 'latin\\351')"; ln ./-rf deep/hard`,
      {
        input: `#!/bin/sh
cd /tmp/src
for name in *; do echo "<$name>"; done
readlink shadow; readlink link
cat shadow 2>&1
head -c 3000000 /dev/zero | tr '\\0' x | fold -w 99
`,
      },
    )
    const built = await host.sh('gear build /root/odd gear/httpd lab/odd')
    const names = built.slice(0, 500)
    for (const name of ['<-rf>', '<two\nlines>', '<a b*?>', '<pipe>', '\n/etc/shadow\n', '\ndeep\n']) expect(names).toContain(name)
    expect(names).toContain("cat: can't open 'shadow'")
    expect(built.length).toBeGreaterThan(3_000_000)
    expect(built.slice(-200)).toMatch(/xxx\n?Committing lab\/odd\nBuilt/)
  })

  it('such as two builds of one image at once do not disturb each other', async () => {
    const build = () => host.sh(`gear build ${source} gear/httpd lab/twice`)
    expect((await Promise.all([build(), build()])).every(text => text.includes('Built lab/twice'))).toBe(true)
    expect(await traces.left()).toEqual([])
  })
})

describe('Podman', () => {
  it('builds as Docker does', async () => {
    const onPodman = new BuildTraces(host, 'podman')
    await onPodman.begin()
    await host.sh('podman load --quiet --input /usr/share/gear-lab/images.tar > /dev/null')
    for (const expected of ['1', '2']) {
      expect(await host.sh('GEARD_ENGINE=podman gear build /root/site gear/httpd lab/site --network none')).toContain(`\n${expected}\n`)
    }
    expect(await host.do(['podman', 'run', '--rm', '--network=none', 'lab/site', 'ls', '/site', '/tmp'])).toMatch(/count[\s\S]*index\.html/)
    expect(await host.do(['podman', 'image', 'inspect', '-f', '{{json .Config.Volumes}} {{json .Config.Cmd}}', 'lab/site'])).toBe(
      'null ["/opt/sti/bin/run"]\n',
    )
    expect(await onPodman.left()).toEqual([])
  })
})
