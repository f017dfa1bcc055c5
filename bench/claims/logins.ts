/**
 * Getting in costs little: a login into a container at most 1.5 times one to a plain account, twenty at once too, and a command over the API at most
 * 1.2 times the engine's own client.
 */
import { spawn, spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { agentPort, ids, installAll, until, untilState } from '../agent.ts'
import { Caller } from '../caller.ts'
import { childEnvironment } from '../children.ts'
import { dockerExecMs, gearExecMs } from '../exec-sessions.ts'
import type { Measurement } from '../finding.ts'

const repetitions = 3
const pairs = 5
/** Docker's own client takes now 50, now 65 ms. */
const execPairs = 20
const execs = 10
const atOnce = 20
const key = '/root/.ssh/bench'
const options = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR', '-i', key]

type Command = readonly [program: string, ...args: string[]]

export async function measure(): Promise<readonly Measurement[]> {
  const [id = ''] = ids('login', 1)
  await installAll([id], { Image: 'gear/httpd-user', Ports: [], Isolate: true, Started: true })
  using caller = new Caller(agentPort, 1)
  await untilState(caller, id, 'active')
  prepareAccounts(id)
  const plain: Command = ['ssh', ...options, 'plain-login@127.0.0.1', 'true']
  // A reload closes its sockets for a moment.
  await until('sshd serves', async () => spawnSync(plain[0], plain.slice(1), { env: childEnvironment }).status === 0)
  const inside: Command = ['ssh', ...options, `ctr-${id}@127.0.0.1`, 'true']
  const login = { peer: 'a login to a plain account', goal: { of: 'ratio', atMost: 1.5 } } as const
  return [
    await compare({ what: 'ssh into a container, true', ours: inside, theirs: plain, ...login, width: 1, times: pairs }),
    await compare({ what: 'ssh into a container, 20 at once', ours: inside, theirs: plain, ...login, width: atOnce, times: 1 }),
    ...(await execOverApi(id)),
    await compare({
      what: 'gear exec, true',
      ours: ['gear', 'exec', id, '--', 'true'],
      theirs: ['docker', 'exec', id, 'true'],
      peer: 'docker exec',
      goal: { of: 'ratio', atMost: 1.2 },
      width: 1,
      times: execPairs,
    }),
  ]
}

/**
 * What is left of an exec when no command has to be started for it: the same client asks both, so that what `gear exec` takes more than `docker exec`
 * can be told apart from that. Without a goal: it explains the one below.
 */
async function execOverApi(id: string): Promise<readonly Measurement[]> {
  const ours = () => gearExecMs(id, ['true'])
  const theirs = () => dockerExecMs(id, ['true'])
  const samples = { ours: [] as number[][], theirs: [] as number[][] }
  for (let repetition = -1; repetition < repetitions; repetition++) {
    const round = { ours: [] as number[], theirs: [] as number[] }
    for (let time = 0; time < execs; time++) {
      for (const whose of time % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const)) {
        round[whose].push(await { ours, theirs }[whose]())
      }
    }
    if (repetition < 0) continue // the first round fills the page cache
    samples.ours.push(round.ours)
    samples.theirs.push(round.theirs)
  }
  const peers = [{ name: 'an exec over Docker’s own API by the same client', samples: samples.theirs }]
  return [{ what: 'exec over the API, true', unit: 'ms', samples: samples.ours, peers }]
}

/** sshd as it comes turns some of twenty away that are not logged in yet, whoever they are. */
function prepareAccounts(id: string): void {
  mkdirSync('/root/.ssh', { recursive: true, mode: 0o700 })
  if (!existsSync(key)) run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key])
  run(['useradd', '--create-home', 'plain-login'])
  mkdirSync('/home/plain-login/.ssh', { mode: 0o755 })
  writeFileSync('/home/plain-login/.ssh/authorized_keys', readFileSync(`${key}.pub`))
  run(['gear', 'add-keys', id, '--key-file', `${key}.pub`])
  appendFileSync('/etc/ssh/sshd_config', '\nMaxStartups 100\n')
  run(['systemctl', 'reload', 'ssh.service'])
}

function run([program, ...args]: Command): void {
  const { status, stderr } = spawnSync(program, args, { env: childEnvironment, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`)
}

interface Comparison extends Pick<Measurement, 'what' | 'goal'> {
  readonly ours: Command
  readonly theirs: Command
  readonly peer: string
  /** How many at once. */
  readonly width: number
  /** In one repetition. */
  readonly times: number
}

async function compare({ what, ours, theirs, peer, goal, width, times }: Comparison): Promise<Measurement> {
  const samples = { ours: [] as number[][], theirs: [] as number[][] }
  for (let repetition = -1; repetition < repetitions; repetition++) {
    const round = { ours: [] as number[], theirs: [] as number[] }
    for (let time = 0; time < times; time++) {
      round.theirs.push(await runMs(theirs, width))
      round.ours.push(await runMs(ours, width))
    }
    if (repetition < 0) continue // the first round fills the page cache
    samples.ours.push(round.ours)
    samples.theirs.push(round.theirs)
  }
  return {
    what,
    unit: 'ms',
    samples: samples.ours,
    peers: [{ name: peer, samples: samples.theirs }],
    ...(goal === undefined ? {} : { goal }),
  }
}

/** Until the last of so many has ended. */
async function runMs([program, ...args]: Command, width: number): Promise<number> {
  const startMs = performance.now()
  await Promise.all(
    Array.from({ length: width }, async () => {
      const child = spawn(program, args, { env: childEnvironment, stdio: ['ignore', 'ignore', 'inherit'] })
      const code = await new Promise(resolve => child.once('close', resolve))
      if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}`)
    }),
  )
  return performance.now() - startMs
}
