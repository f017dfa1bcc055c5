/**
 * `gear api`, with every operation there is: called in the order of a working day, and with something wrong. An operation of
 * the contract without a case here fails this file.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contract, type OperationName } from '../../../src/api/index.ts'
import { parseAuthorizedKey, sshKeyFingerprint } from '../../../src/formats/index.ts'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const id = 'api-web'
const repository = 'api-src'
const work = '/root/api-work'
const lease = 'api-shop.json'
const leaseToken = 'a'.repeat(22)
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKVsMWF/wy8Ln4oIp4uSMZ87hhAsZYsC059XG+84Cf7U'
const fingerprint = sshKeyFingerprint(parseAuthorizedKey(key).key)

interface Case {
  /** What is typed after the name of the operation. */
  readonly words: readonly string[]
  readonly input?: string
  /** On the host, instead of an input. */
  readonly inputFile?: string
  /** What is said on standard error meanwhile. */
  readonly error?: string
  /** The text that it prints, or what the JSON has that it prints. */
  readonly answer: RegExp | object
  readonly exitCode?: number
  /** What is so on the host afterwards. */
  readonly effect?: () => Promise<unknown>
  /** Words with something wrong in them, and what is said of it: a code, or a field and its rule. */
  readonly bad: readonly [words: readonly string[], said: string]
}

const field = (...assignments: readonly string[]): readonly string[] => assignments.flatMap(item => ['--field', item])
const query = (...assignments: readonly string[]): readonly string[] => assignments.flatMap(item => ['--query', item])
const nothing = /^$/
const unknown = (...more: readonly string[]): Case['bad'] => [
  ['api-none', ...more],
  'There is no container api-none on this host [CONTAINER_UNKNOWN]',
]
const noBuild = 'A'.repeat(22)

const api = (...words: readonly string[]) => host.gear('api', ...words)
const data = async <Shape>(...words: readonly string[]): Promise<Shape> => JSON.parse(await host.gearDo('api', ...words)) as Shape

interface Builds {
  readonly Builds: readonly { readonly RequestId: string; readonly Tag: string; readonly Result: string }[]
}

/** The id of the build that made a tag, or makes it. */
async function buildOf(tag: string): Promise<string> {
  const { Builds } = await data<Builds>('listBuilds')
  const build = Builds.findLast(({ Tag }) => Tag === tag)
  if (build === undefined) throw new Error(`no build of ${tag}`)
  return build.RequestId
}

async function untilBuild(tag: string, result: string): Promise<void> {
  await until(`the build of ${tag} is ${result}`, async () => {
    const { Builds } = await data<Builds>('listBuilds')
    const found = Builds.findLast(({ Tag }) => Tag === tag)?.Result
    return found === result ? true : `it is ${found}`
  })
}

/** In this order; a function where the words are known only when it is its turn. */
const cases: Readonly<Record<OperationName, () => Case | Promise<Case>>> = {
  getVersion: () => ({
    words: [],
    answer: { Api: '1', Version: expect.stringContaining('build') },
    bad: [['x'], 'getVersion takes no parameters'],
  }),
  getHealth: () => ({
    words: [],
    answer: { Systemd: 'ok', Engine: 'ok', Disk: 'ok' },
    bad: [query('a=1'), '--query a: there is no such name'],
  }),
  getOpenApi: () => ({
    words: [],
    answer: { openapi: '3.1.0', paths: expect.objectContaining({ '/container/{id}': expect.anything() }) },
    bad: [['--body', '{}'], 'takes no body'],
  }),
  listImages: () => ({
    words: query('engine=podman'),
    answer: /^localhost\/gear\/httpd:latest$|^gear\/httpd:latest$/m,
    bad: [query('engine=rkt'), 'engine must be one of docker, podman'],
  }),
  putEnvironment: () => ({
    words: ['api-env', ...field('Variables[0].Name=A', 'Variables[0].Value=1')],
    answer: nothing,
    effect: async () => expect(await host.gearDo('env', 'api-env')).toBe('A=1\n'),
    bad: [['api-env', ...field('Variables[0].Name=A B')], 'Variables[0].Name must not contain white space or ='],
  }),
  patchEnvironment: () => ({
    words: ['api-env', ...field('Variables[0].Name=B', 'Variables[0].Value=two words')],
    answer: nothing,
    effect: async () => expect(await host.gearDo('env', 'api-env')).toBe('A=1\nB=two words\n'),
    bad: [['api-env', ...field('Varibles[0].Name=A')], 'did you mean variables?'],
  }),
  getEnvironment: () => ({
    words: ['api-env'],
    answer: /^A=1\nB=two words\n$/,
    bad: [['api-none'], 'There is no environment api-none [ENVIRONMENT_UNKNOWN]'],
  }),
  listEnvironments: () => ({
    words: [],
    answer: { Environments: expect.arrayContaining([{ Id: 'api-env' }]) },
    bad: [query('all=1'), '--query all: there is no such name'],
  }),
  installContainer: () => ({
    words: [id, ...field('Image=gear/httpd', 'Ports[0].Internal=8080', 'Environment.Id=api-env', 'Memory=64m', 'Cpus=1', 'Started=true')],
    answer: /^PortMapping: 8080 -> \d+\nContainer api-web is installed and starting\n$/,
    effect: async () => expect(await host.sh(`cat /var/lib/containers/units/*/ctr-${id}.service`)).toContain('gear/httpd'),
    bad: [[id, ...field('Image=gear/httpd', 'Ports[0].Internal=70000')], 'Ports[0].Internal must be a whole number from 1 to 65535'],
  }),
  waitContainer: () => ({
    words: [id, ...query('for=started')],
    answer: /^(\{"Event":"(state|log)".*\}\n)*\{"Event":"reached","Message":"active \(running\)"\}\n$/,
    bad: unknown(),
  }),
  containerStatus: () => ({
    words: [id, ...query('lines=1')],
    answer: { Id: id, ActiveState: 'active', Enabled: true, Image: 'gear/httpd', Lines: [expect.stringContaining(id)] },
    bad: unknown(),
  }),
  containerLog: () => ({ words: [id, ...query('lines=5')], answer: /: Started ctr-api-web\.service/, bad: unknown() }),
  containerPorts: () => ({
    words: [id],
    answer: { Ports: [{ Internal: 8080, External: expect.any(Number) }] },
    effect: async () => host.untilPage(await host.port(id), 'It works'),
    bad: unknown(),
  }),
  listContainers: () => ({
    words: query('all=1'),
    answer: { Containers: expect.arrayContaining([expect.objectContaining({ Id: id, ActiveState: 'active' })]) },
    bad: [query('all=perhaps'), 'all must be 1, true, 0 or false'],
  }),
  containersUsage: () => ({
    words: [],
    answer: { Containers: expect.arrayContaining([expect.objectContaining({ Id: id, MemoryMaxBytes: 67_108_864 })]) },
    bad: [['x'], 'takes no parameters'],
  }),
  execContainer: () => ({
    words: [id, '--body', '{"Command": ["sh", "-c", "cat; echo $A >&2; exit 3"], "Input": true}'],
    input: 'from outside\n',
    answer: /^from outside\n$/,
    exitCode: 3,
    error: '1\n',
    bad: unknown(...field('Command[0]=id')),
  }),
  writeFiles: () => ({
    words: [id, ...field('Folder=/tmp')],
    inputFile: `${work}/in.tar`,
    answer: nothing,
    effect: async () => expect(await host.gearDo('exec', id, '--', 'cat', '/tmp/hello')).toBe('hello\n'),
    bad: [[id, ...field('Folder=/nowhere')], 'FILE_UNKNOWN'],
  }),
  getFileKind: () => ({
    words: [id, ...query('path=/tmp/hello')],
    answer: { Kind: 'file' },
    bad: [[id, ...query('path=/tmp/none')], 'Container api-web has no file or folder /tmp/none [FILE_UNKNOWN]'],
  }),
  readFiles: () => ({
    words: [id, ...query('path=/tmp/hello'), '--to', `${work}/hello.tar`],
    answer: nothing,
    effect: async () => expect(await host.sh(`tar -xOf ${work}/hello.tar hello`)).toBe('hello\n'),
    bad: [[id, ...query('path=tmp')], 'path must be an absolute path'],
  }),
  linkContainers: () => ({
    words: field(
      `Links[0].Id=${id}`,
      'Links[0].NetworkLinks[0].FromPort=6379',
      'Links[0].NetworkLinks[0].ToPort=4100',
      'Links[0].NetworkLinks[0].ToHost=10.1.2.3',
    ),
    answer: nothing,
    effect: async () => expect(await host.gearDo('link', '--list', id)).toContain('10.1.2.3:4100'),
    bad: [field(`Links[0].Id=${id}`, 'Links[0].NetworkLinks[0].FromPort=x'), 'Links[0].NetworkLinks[0].FromPort must be a number'],
  }),
  listLinks: () => ({
    words: [id],
    answer: { Id: id, Installed: true, Links: [expect.objectContaining({ FromPort: 6379, ToHost: '10.1.2.3', ToPort: 4100 })] },
    bad: [['api-none'], 'CONTAINER_UNKNOWN'],
  }),
  restartContainer: () => ({
    words: [id],
    answer: /^Container api-web is restarting\n$/,
    effect: async () => expect(await host.gearDo('api', 'waitContainer', id, '--query', 'for=started')).toContain('"reached"'),
    bad: unknown(),
  }),
  stopContainer: () => ({
    words: [id, ...field('Wait=true')],
    answer: /\nContainer api-web is stopped\n$/,
    effect: () => host.untilState(id, 'inactive'),
    bad: [[id, ...field('Wait=soon')], 'Wait must be true or false'],
  }),
  startContainer: () => ({
    words: [id],
    answer: /^Container api-web is starting\n$/,
    effect: () => host.untilState(id, 'active'),
    bad: unknown(),
  }),
  takeLease: () => ({
    words: [lease, ...field(`Token=${leaseToken}`, 'Holder=ann@ops1', `Containers[0]=${id}`, 'Seconds=300')],
    answer: { Name: lease, Holder: 'ann@ops1', Renewed: false },
    effect: async () => expect(await host.gearDo('leases')).toContain('ann@ops1'),
    bad: [[lease, ...field('Token=short', 'Holder=ann@ops1', 'Seconds=300')], 'Token must be 22 characters of base64url'],
  }),
  listLeases: () => ({
    words: [],
    answer: { Leases: [expect.objectContaining({ Name: lease, Holder: 'ann@ops1', Containers: [id] })] },
    bad: [['x'], 'takes no parameters'],
  }),
  releaseLease: () => ({
    words: [lease, ...query(`token=${leaseToken}`)],
    answer: nothing,
    effect: async () => expect(await host.gearDo('leases')).not.toContain(lease),
    bad: [[lease, ...query('token=short')], 'token must be 22 characters of base64url'],
  }),
  makeRepositoryKey: () => ({
    words: [repository],
    answer: { PublicKey: expect.stringMatching(/^ssh-ed25519 \S+ git-api-src$/), Sha256: expect.stringMatching(/^SHA256:/) },
    effect: async () => expect((await host.gearDo('repo-key', repository)).split(' ')[0]).toBe('ssh-ed25519'),
    bad: [['x y'], 'id must be'],
  }),
  createRepository: () => ({
    words: [repository, ...query(`source=/srv/git/api-origin`), ...field('Build.BaseImage=gear/httpd', 'Build.Tag=acme/api-pushed')],
    answer: /Repository api-src is created/,
    effect: async () => expect(await host.do(['getent', 'passwd', `git-${repository}`])).toContain('Repository user'),
    bad: [['api-other', ...query('source=/srv/git/api-none')], 'Error: Repository api-other could not be created'],
  }),
  getRepository: () => ({
    words: [repository],
    answer: { Id: repository, Branch: 'main', Account: 'git-api-src', Image: 'acme/api-pushed' },
    bad: [['api-none'], 'REPOSITORY_UNKNOWN'],
  }),
  listRepositories: () => ({
    words: [],
    answer: { Repositories: expect.arrayContaining([expect.objectContaining({ Id: repository })]) },
    bad: [['x'], 'takes no parameters'],
  }),
  archiveRepository: () => ({
    words: [repository, 'main', ...query('format=tar.gz'), '--to', `${work}/source.tar.gz`],
    answer: nothing,
    effect: async () => expect(await host.do(['tar', 'tzf', `${work}/source.tar.gz`])).toContain('.s2i/bin/assemble'),
    bad: [[repository, 'none', '--to', `${work}/none`], 'Repository api-src has nothing that is called none [REF_UNKNOWN]'],
  }),
  putKeys: () => ({
    words: ['--body', JSON.stringify({ Keys: [{ Type: 'authorized_keys', Value: key }], Permissions: [{ Type: 'container', With: id }] })],
    answer: nothing,
    effect: async () => expect(await host.gearDo('keys', 'list')).toContain(id),
    bad: [
      field('Keys[0].Type=authorized_keys', 'Keys[0].Value=no key', `Containers[0].Id=${id}`),
      'there is no key of a kind that is known',
    ],
  }),
  postKeys: () => ({
    words: field('Keys[0].Type=authorized_keys', `Keys[0].Value=${key}`, `Repositories[0].Id=${repository}`, 'Repositories[0].Write=true'),
    answer: nothing,
    effect: async () => expect(await host.gearDo('keys', 'list')).toContain(repository),
    bad: [field('Keys[0].Type=rsa', `Keys[0].Value=${key}`), 'Keys[0].Type must be authorized_keys'],
  }),
  listKeys: () => ({
    words: query(`repository=${repository}`),
    answer: { Keys: [expect.objectContaining({ Fingerprint: fingerprint, Repositories: [{ Id: repository, Write: true }] })] },
    bad: [query('repository=x'), 'repository must be'],
  }),
  deleteKey: () => ({
    words: [fingerprint],
    answer: nothing,
    effect: async () => expect(await host.gearDo('api', 'listKeys')).not.toContain(fingerprint),
    bad: [['A'.repeat(43)], 'KEY_UNKNOWN'],
  }),
  buildImage: () => ({
    words: field('Source=/srv/git/api-origin/.git', 'BaseImage=gear/httpd', 'Tag=acme/api-built', 'Network=none'),
    answer: /assembled here/,
    effect: async () => expect(await host.gearDo('list-images')).toContain('acme/api-built'),
    bad: [
      field('Source=/srv/git/api-none', 'BaseImage=gear/httpd', 'Tag=acme/api-none'),
      'Error: Could not build acme/api-none: There is no /srv/git/api-none',
    ],
  }),
  listBuilds: () => ({
    words: [],
    answer: { Builds: expect.arrayContaining([expect.objectContaining({ Tag: 'acme/api-built', Result: 'built' })]) },
    bad: [query('all=1'), '--query all: there is no such name'],
  }),
  getBuild: async () => ({
    words: [await buildOf('acme/api-built')],
    answer: { Tag: 'acme/api-built', Result: 'built', ImageId: expect.stringMatching(/^sha256:/) },
    bad: [[noBuild], 'BUILD_UNKNOWN'],
  }),
  buildLog: async () => ({
    words: [await buildOf('acme/api-built')],
    answer: /assembled here/,
    bad: [['x'], 'build must be the id of a build'],
  }),
  stopBuild: async () => {
    await host.sh(`(gear build /srv/git/api-origin/.git gear/httpd acme/api-stopped STAY=300 --host local >/dev/null 2>&1 &)`)
    await untilBuild('acme/api-stopped', 'running')
    return {
      words: [await buildOf('acme/api-stopped')],
      answer: nothing,
      effect: () => untilBuild('acme/api-stopped', 'stopped'),
      bad: [[noBuild], 'BUILD_UNKNOWN'],
    }
  },
  deployRepository: () => ({
    words: [repository],
    answer: /"deployed"|assembled here/,
    effect: async () => expect(await host.gearDo('list-images')).toContain('acme/api-pushed'),
    bad: [['api-none'], 'REPOSITORY_UNKNOWN'],
  }),
  deleteRepository: () => ({
    words: [repository],
    answer: nothing,
    effect: async () => expect((await host.exec(['getent', 'passwd', `git-${repository}`])).exitCode).toBe(2),
    bad: [['x'], 'id must be 4 to 24 characters'],
  }),
  runJob: () => ({
    words: field('Image=gear/busybox', 'Command=/bin/echo', 'Arguments[0]=once', 'Arguments[1]=2'),
    answer: /^once 2\n$/,
    bad: [field('Image=gear/busybox', 'Command=/bin/false'), 'Error: The job of gear/busybox ended with exit code 1'],
  }),
  purgeContainers: () => ({
    words: ['--dry-run'],
    answer: /stop {2}ctr-api-web\.service/,
    effect: async () => expect(await host.activeState(id)).toBe('active'),
    bad: [['x'], 'takes no parameters'],
  }),
  deleteContainer: () => ({
    words: [id, ...query('all=1')],
    answer: nothing,
    effect: async () => {
      expect(await host.gearDo('list', '--all')).not.toContain(id)
      expect((await api('getEnvironment', 'api-env')).stderr).toContain('ENVIRONMENT_UNKNOWN')
    },
    bad: [['x'], 'id must be 4 to 24 characters'],
  }),
}

beforeAll(async () => {
  await host.sh(`
    rm -rf ${work} /srv/git/api-origin; mkdir -p ${work} /srv/git/api-origin/.s2i/bin; cd ${work}; echo hello > hello; tar -cf in.tar hello
    cd /srv/git/api-origin; git init -q -b main
    printf '#!/bin/sh\\necho assembled here\\nexec sleep \${STAY:-0}\\n' > .s2i/bin/assemble; printf '#!/bin/sh\\n' > .s2i/bin/run; chmod 755 .s2i/bin/*
    git add .; git -c user.name=n -c user.email=n@example commit -q -m one`)
})

afterAll(async () => {
  await host.gear('delete', '--all', id)
  await host.gear('delete-repo', repository)
  await host.exec(['sh', '-c', `docker rmi -f acme/api-built acme/api-pushed; rm -rf ${work} /srv/git/api-origin`])
})

describe('gear api', () => {
  it('is called here with every operation', () => {
    expect(Object.keys(cases).sort()).toEqual(Object.keys(contract).sort())
  })

  it.each(Object.entries(cases))('%s answers, does what it says, and refuses what is wrong with the reason', async (name, find) => {
    const { words, input, inputFile, answer, error = '', exitCode = 0, effect, bad } = await find()
    const line = ['gear', 'api', name, ...words]
    const outcome = await host.exec(inputFile === undefined ? line : ['sh', '-c', `exec "$@" < ${inputFile}`, 'sh', ...line], {
      input: input ?? '',
    })
    expect(outcome).toMatchObject({ exitCode, stderr: error })
    if (answer instanceof RegExp) expect(outcome.stdout).toMatch(answer)
    else expect(JSON.parse(outcome.stdout)).toMatchObject(answer)
    await effect?.()
    const [wrong, said] = bad
    const refusal = await api(name, ...wrong)
    expect(refusal).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining(said) })
  })
})
