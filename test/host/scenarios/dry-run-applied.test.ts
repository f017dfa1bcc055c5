/**
 * What a dry run tells against what the same command then does, step by step: the agent writes every step that it carries out into its log (level
 * debug). A command that has `--dry-run` and no example here fails this file.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allCommands } from '../../../src/cli/index.ts'
import { LabHost, until } from '../lab-host.ts'

const host = new LabHost('web1')
const work = '/root/dry-work'
const source = '/srv/git/dry-applied'
const id = 'dry-web'
const repository = 'dry-src'

interface Step {
  readonly kind: string
  readonly on?: readonly string[] | undefined
  readonly reason: string
}

interface Plan {
  readonly id?: string
  readonly steps: readonly Step[]
}

/** Its steps are those of many hosts, and of the client. */
interface DeployPlan {
  readonly steps: readonly { readonly step: string; readonly id: string; readonly host: string; readonly reason: string }[]
}

interface Example {
  readonly words: readonly string[]
  /** Before the dry run. */
  readonly arrange?: () => Promise<unknown>
  /** Looks at a run of which the agent's log does not tell all. */
  readonly seen?: (steps: readonly Step[], output: string, logged: readonly Step[]) => unknown
}

const sorted = (steps: readonly Step[]) => steps.map(each => JSON.stringify(each)).sort()

const wordsOf = ({ kind, reason }: Step) => `${kind}: ${reason}`

/** What a build told of its steps (`--verbose`). */
const saidIn = (output: string): readonly string[] => [...output.matchAll(/^Step (\w+: .*)$/gm)].map(([, words = '']) => words)

const example = (...words: readonly string[]): Example => ({ words })
const up = () => host.untilState(id, 'active')

/** In this order: each finds what those before it have left. */
const examples: readonly Example[] = [
  example('install', 'gear/httpd', id, '-p', '8080:0', '--env-id', 'dry-env', 'A=secret', '-n', '127.0.0.1:6379:10.1.2.3:4100', '--start'),
  { words: ['install', 'gear/httpd', id, '-p', '8080:0', '-p', '8081:0', '--memory', '64m', '--env-id', 'dry-env'], arrange: up },
  example('stop', id, '--wait'),
  example('stop', id),
  example('start', id, '--wait'),
  example('start', id),
  example('restart', id, '--wait'),
  example('set-env', 'dry-env', 'B=secret'),
  example('set-env', '--reset', 'dry-env', 'B=secret'),
  example('link', id, '-n', '127.0.0.1:6379:10.1.2.4:4101'),
  example('add-keys', id, '--key-file', `${work}/key.pub`),
  example('keys', 'remove', id, '--key-file', `${work}/key.pub`),
  {
    words: ['cp', `${work}/site`, `${id}:/tmp`],
    seen: async steps => {
      const places = steps.flatMap(({ kind, on }) => (kind === 'copy' || kind === 'makeFolder' ? (on ?? []) : [])).join(' ')
      expect(places).toContain('/tmp/site')
      expect(await host.gearDo('exec', id, '--', 'cat', '/tmp/site/page')).toBe('a page\n')
    },
  },
  {
    words: ['cp', `${id}:/tmp/site`, `${work}/out`],
    seen: async steps => {
      expect(steps.flatMap(({ on = [] }) => on)).toContain(`${work}/out`)
      expect(await host.do(['cat', `${work}/out/page`])).toBe('a page\n')
    },
  },
  {
    words: ['repo-key', repository],
    seen: async (steps, output, logged) => {
      expect(steps).toEqual(logged)
      const { on } = steps.find(({ kind }) => kind === 'makeKey') ?? { on: [] }
      expect(output).toContain('ssh-ed25519')
      await host.do(['test', '-s', on?.find(word => word.startsWith('/')) ?? ''])
    },
  },
  {
    words: ['create-repo', repository, source, '--build', 'gear/httpd', '--tag', 'acme/dry-pushed', '--restart', id],
    // It is made by a unit of its own.
    seen: async steps => {
      const target = steps.find(({ kind }) => kind === 'moveFolder')?.on?.at(-1) ?? ''
      expect(target).toMatch(new RegExp(`/git/${repository}$`))
      const account = steps.find(({ kind }) => kind === 'createAccount')?.on ?? []
      expect(account).toContain(`git-${repository}`)
      await host.sh(`test -s ${target}/HEAD; getent passwd git-${repository}`)
      for (const { on } of steps.filter(({ kind }) => kind === 'writeFile'))
        await host.sh(`ls -d ${target} ${(on ?? []).filter(path => !path.includes('unfinished')).join(' ')}`)
    },
  },
  {
    words: ['build', source, 'gear/httpd', 'acme/dry-built', '--network', 'none', '--verbose', '--host', 'local'],
    seen: (steps, output, logged) => {
      expect(steps.slice(0, logged.length)).toEqual(logged)
      expect(steps.slice(logged.length).map(wordsOf)).toEqual(saidIn(output))
    },
  },
  {
    words: ['build', `${source}/.git`, 'gear/httpd', 'acme/dry-built', '--network', 'none', '--verbose'],
    // What is in a repository is seen when it is fetched: until then the plan says if.
    seen: (steps, output) => {
      expect(steps.map(({ kind }) => kind)).toEqual(['clone', 'saveArtifacts', 'assemble', 'placeRun', 'commit'])
      const said = saidIn(output)
      const told = steps.slice(1).map(wordsOf)
      expect(
        told
          .filter(words => !words.includes(', if ') || said.includes(words.replace(/, if .*/, '')))
          .map(words => words.replace(/, if .*/, '')),
      ).toEqual(said)
    },
  },
  {
    words: ['deploy-repo', repository],
    arrange: up,
    // What it fetches and what the build does are told by nobody; the rest is the agent's.
    seen: async (steps, _, logged) => {
      const others = ['noteDeploy', 'checkOut', 'saveArtifacts', 'assemble', 'placeRun', 'commit', 'removeFolder']
      expect(steps.filter(step => logged.some(({ kind }) => kind === step.kind))).toEqual(logged)
      expect(steps.flatMap(({ kind }) => (logged.some(step => step.kind === kind) || others.includes(kind) ? [] : [kind]))).toEqual([])
      expect(await host.gearDo('list-images')).toContain('acme/dry-pushed')
      await up()
    },
  },
  {
    words: ['delete-repo', repository],
    seen: async steps => {
      expect(steps.map(({ kind }) => kind)).toContain('removeAccount')
      const folders = steps.flatMap(({ kind, on }) => (kind === 'removeFolder' ? (on ?? []) : []))
      expect(folders).not.toEqual([])
      for (const folder of folders) expect((await host.exec(['test', '-e', folder])).exitCode, folder).toBe(1)
      expect((await host.exec(['getent', 'passwd', `git-${repository}`])).exitCode).toBe(2)
    },
  },
  example('api', 'takeLease', 'dry.json', '--field', `Token=${'a'.repeat(22)}`, '--field', 'Holder=ann@ops1', '--field', 'Seconds=300'),
  example('api', 'releaseLease', 'dry.json', '--query', `token=${'a'.repeat(22)}`),
  {
    words: ['deploy', `${work}/dry-shop.json`, 'local'],
    seen: asReported,
  },
  {
    // One instance is updated, the other goes.
    words: ['deploy', `${work}/dry-shop-2.json`, 'local'],
    arrange: () =>
      host.sh(`cd ${work}; sed '0,/gear.httpd/s//gear\\/httpd-user/; s/"Count": 2/"Count": 1/' dry-shop.json.2* > dry-shop-2.json`),
    seen: asReported,
  },
  example('delete', '--all', id),
  {
    words: ['purge', '--yes'],
    // Several containers are worked on at the same time.
    seen: (steps, _, logged) => expect(sorted(steps)).toEqual(sorted(logged)),
  },
]

/** What a host does for the steps of a deploy, by which it is known there. */
const stepsOnHost: Readonly<Record<string, string>> = {
  install: 'swapUnit',
  update: 'swapUnit',
  start: 'start',
  restart: 'restart',
  delete: 'resetFailed',
}

/** The report of a deploy has the steps of its plan (`tell`); here what the host did for each of them, and for nothing else. */
function asReported(steps: readonly Step[], _: string, logged: readonly Step[]): void {
  const planned = steps.flatMap(({ kind, on }) => (stepsOnHost[kind] === undefined ? [] : [`${stepsOnHost[kind]} ctr-${on?.[0]}.service`]))
  const done = logged.filter(({ kind }) => Object.values(stepsOnHost).includes(kind))
  expect(done.map(({ kind, on }) => `${kind} ${on?.[0]?.replace(/^.*\//, '')}`)).toEqual(planned)
  expect(planned).not.toEqual([])
}

/** A build that runs, and is stopped. */
async function stayingBuild(): Promise<string> {
  await host.sh(`(gear build ${source}/.git gear/httpd acme/dry-stopped STAY=300 --network none --host local >/dev/null 2>&1 &)`)
  let found = ''
  await until('the build runs', async () => {
    const { Builds } = JSON.parse(await host.gearDo('api', 'listBuilds')) as {
      Builds: { RequestId: string; Tag: string; Result: string }[]
    }
    found = Builds.find(({ Tag, Result }) => Tag === 'acme/dry-stopped' && Result === 'running')?.RequestId ?? ''
    const log = found === '' ? '' : await host.gearDo('builds', 'log', found)
    return log.includes('staying') ? true : 'it is not there yet'
  })
  return found
}

/** All that gear, systemd and the engine have; of containers those of this file, since others may be coming and going. */
const state = () =>
  host.sh(`find /var/lib/containers /run/containers /etc/systemd/system /run/systemd/transient /run/gear/leases ${work} /srv/git \\
      -not -path '*/storage/*' -not -path '*/cache/*' -printf '%p %l %m %s %T@\\n' 2>/dev/null | sort
    docker ps -aq --no-trunc --filter name=dry --filter name=gear | sort; docker images -aq --no-trunc | sort; docker volume ls -q | sort
    systemctl list-units --all --plain --no-legend 'ctr-dry*' 'build-*' 'job-*' 'gear-links@dry*' | sort; cat /etc/passwd /etc/group`)

/** That, once a start has kept its data, and a stop its end: two looks in a row are the same. */
async function settledState(): Promise<string> {
  let last = ''
  await until('the host is at rest', async () => {
    const before = last
    last = await state()
    return last === before || 'it changes'
  })
  return last
}

/** What is a number of the request, not of the plan. */
const plain = (steps: readonly Step[]): readonly Step[] =>
  steps.map(({ kind, on = [], reason }) => ({
    kind,
    on: on.map(word => word.replaceAll(/[\w-]{30}(?=\.service$)|(?<=\/)[\w-]{22}$|(?<=-)[\w-]{22}(?=\/|$)/g, 'REQUEST')),
    reason,
  }))

/** Of the agent's own last line: after one of another unit, journalctl passes over the first line that is of this one. */
async function cursor(): Promise<string> {
  await host.do(['journalctl', '--sync'])
  return /-- cursor: (.*)/.exec(await host.do(['journalctl', '-u', 'gear.service', '-n', '1', '--show-cursor']))?.[1] ?? ''
}

/** The steps that the agent carried out since. */
async function loggedSince(begin: string): Promise<readonly Step[]> {
  await host.do(['journalctl', '--sync'])
  const lines = await host.do(['journalctl', '-u', 'gear.service', '-o', 'cat', '--after-cursor', begin])
  return lines.split('\n').flatMap(line => {
    if (!line.includes('"msg":"step"')) return []
    const { step, on, reason } = JSON.parse(line) as { readonly step: string } & Omit<Step, 'kind'>
    return [{ kind: step, on, reason }]
  })
}

async function tell({ words, arrange, seen }: Example): Promise<void> {
  await arrange?.()
  const before = await settledState()
  const told = JSON.parse(await host.gearDo(...words, '--dry-run', '--output', 'json')) as readonly Plan[] | Plan | DeployPlan
  expect(await state()).toBe(before)
  const isDeploy = words[0] === 'deploy'
  const asked = [told].flat() as readonly Plan[]
  const steps = isDeploy
    ? (told as DeployPlan).steps.map(({ step, id: instance, reason }) => ({ kind: step, on: [instance], reason }))
    : asked.flatMap(plan => plan.steps)
  for (const step of steps) expect(step.reason).not.toBe('')
  expect(JSON.stringify(steps)).not.toContain('secret')
  const begin = await cursor()
  const output = await host.sh(`cd ${work}; exec gear ${words.join(' ')}${isDeploy ? ' --output json' : ''}`)
  const logged = plain(await loggedSince(begin))
  if (isDeploy) {
    const { steps: reported } = JSON.parse(output) as DeployPlan
    expect(reported).toEqual((told as DeployPlan).steps.map(step => ({ ...step, ok: true })))
  }
  if (seen === undefined) expect(plain(steps)).toEqual(logged)
  else await seen(plain(steps), output, logged)
}

beforeAll(async () => {
  await host.sh(`
    rm -rf ${work} ${source}; mkdir -p ${work}/site ${source}/.s2i/bin; echo a page > ${work}/site/page
    ssh-keygen -q -t ed25519 -N '' -f ${work}/key
    echo '{"containers": [{"name": "dry-shop", "count": 2, "image": "gear/httpd", "publicports": [{"internal": 8080}]}]}' > ${work}/dry-shop.json
    cd ${source}; git init -q -b main
    printf '#!/bin/sh\\necho staying; exec sleep \${STAY:-0}\\n' > .s2i/bin/assemble; printf '#!/bin/sh\\nhttpd -f -p 8080 -h /www &\\ntrap "kill $!; exit 0" TERM; wait\\n' > .s2i/bin/run; chmod 755 .s2i/bin/*
    git add .; git -c user.name=n -c user.email=n@example commit -q -m one
    mkdir -p /etc/gear; echo '{"logLevel": "debug", "logFormat": "json"}' > /etc/gear/gear.json; systemctl restart gear.service`)
  await host.untilAgentIsUp()
})

afterAll(async () => {
  await host.gear('delete', '--all', id, 'dry-shop-1', 'dry-shop-2')
  await host.gear('delete-repo', repository)
  await host.exec([
    'sh',
    '-c',
    `docker rmi -f acme/dry-built acme/dry-pushed; rm -rf ${work} ${source} /etc/gear/gear.json; systemctl restart gear.service`,
  ])
  await host.untilAgentIsUp()
})

describe('what a dry run tells', () => {
  it('is tried here for every command that has one', () => {
    const withDryRun = [...allCommands()].flatMap(([name, { flags }]) => (flags['dryRun'] === undefined ? [] : [name]))
    expect(withDryRun.filter(name => name !== 'builds' && !examples.some(({ words }) => words[0] === name))).toEqual([])
  })

  it.each(examples.map(each => [each.words.slice(0, 4).join(' '), each] as const))('is what is done by gear %s', (_, each) => tell(each))

  it('is what is done by gear builds stop', async () => tell(example('builds', 'stop', await stayingBuild())))
})
