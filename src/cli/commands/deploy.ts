/** `gear deploy` (spec §10.4) */
import type { Deployment } from '../../api/deployment-file.ts'
import { GearError } from '../../api/index.ts'
import { freshRequestId } from '../../client/index.ts'
import type { DeploymentPlan, DeployReport, Described } from '../../domains/deployments/index.ts'
import { type LocatorHost, printHost, printTable } from '../../formats/index.ts'
import { readHosts } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { type Context, Interruption } from '../context.ts'
import { loadDeployment } from '../deployment-source.ts'
import { type CommonFlags, type DryRunFlags, dryRunFlags, parsed, toggle, wholeNumber } from '../flags.ts'
import { errorData, errorText } from '../render/errors.ts'
import { UsageError } from '../usage-error.ts'

interface DeployFlags extends DryRunFlags {
  readonly isolate?: boolean
  readonly timeout?: number
  readonly wait?: number
}

const timeoutDefault = 300

export const command = () =>
  defineCommand<DeployFlags>({
    name: 'deploy',
    usage: 'FILE_OR_URL [HOST...] [flags]',
    description: [
      'Places the instances of a deployment file (JSON or YAML) on the hosts, links them to each other, starts them and waits until they run. What was made is written to a new file in the current folder: FILE.YYYYMMDD-HHMMSS. Deploy that file to change something: instances that are as they should be are left alone, changed ones are updated, and old ones go when the new ones run.',
      'A host that cannot be reached does not keep the others from being deployed to; the exit code is 1 then, and the next deploy of the written file goes on where this one ended. Of two deploys of the same at the same time one is refused.',
    ],
    argument: {
      placeholder: 'FILE',
      brief: 'A deployment file or its URL, then hosts: host[:port]; none means this machine',
      names: ['file', 'host'],
    },
    examples: [
      'gear deploy shop.json node7 node8 node9',
      'gear deploy --dry-run shop.yaml node7 node8',
      'gear deploy shop.json.20260102-030405 node7 node8',
      'gear deploy https://config.example/shop.json node7 --timeout 60',
    ],
    flags: {
      isolate: toggle('Run all containers as Unix users of their own; the file that is written says so, and later deploys keep to it'),
      timeout: parsed(
        'SECONDS',
        'Longest wait for a URL, for an answer of a host (at most 60), and for new instances to run (300)',
        wholeNumber(86_400),
      ),
      wait: parsed(
        'SECONDS',
        'Longest wait for another deploy of the same to end; without it that is refused at once',
        wholeNumber(86_400),
      ),
      ...dryRunFlags,
    },
    run: async (context, flags, [place, ...names]) => {
      if (place === undefined) throw new UsageError('give a deployment file or its URL')
      const hosts = readHosts(names).map(({ host }) => host)
      const waitMs = 1000 * (flags.timeout || timeoutDefault)
      try {
        const loaded = await loadDeployment(context, place, { timeoutMs: waitMs, isInsecure: flags.insecure ?? false })
        const deployment = flags.isolate ? isolated(loaded) : loaded
        const { planDeployment } = await import('../../domains/deployments/index.ts')
        const plan = planOf(place, () => planDeployment({ deployment, hosts, drawText: freshRequestId }))
        const order = { plan, place, waitMs, hosts: hosts.map(printHost) }
        return await (flags.dryRun ? showPlan(context, flags, order) : carryOut(context, flags, order))
      } catch (error) {
        if (!(error instanceof Interruption)) throw error
        if (!error.isSilent) await context.err.write('Interrupted. Nothing was changed.\n')
        return error.exitCode
      }
    },
  })

function isolated(deployment: Deployment): Deployment {
  return { ...deployment, containers: deployment.containers.map(container => ({ ...container, isolate: true })) }
}

function planOf(place: string, make: () => DeploymentPlan): DeploymentPlan {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof GearError)) throw error
    throw new GearError(error.code, `${place}: ${error.message}`, { fields: error.fields })
  }
}

function connectionOf(context: Context, flags: CommonFlags) {
  const tokenFile = flags.tokenFile ?? context.tokenFile
  return { connect: (host: LocatorHost) => context.connect(host, { tokenFile }), signal: context.signal, pause: context.delay }
}

interface Order {
  readonly plan: DeploymentPlan
  readonly place: string
  readonly waitMs: number
  /** As they were given. */
  readonly hosts: readonly string[]
}

async function showPlan(context: Context, flags: CommonFlags, { plan, waitMs }: Order): Promise<number> {
  const { previewDeploy, stepRow } = await import('../../domains/deployments/index.ts')
  const { steps, lost } = await previewDeploy(plan, { ...connectionOf(context, flags), waitMs })
  const rows = steps.map(stepRow)
  if (flags.output === 'json') {
    await context.out.write(`${JSON.stringify({ steps: rows, errors: lost.map(errorData) })}\n`)
  } else {
    await context.out.write(
      printTable(
        ['STEP', 'ID', 'HOST', 'REASON'],
        rows.map(({ step, id, host, reason }) => [step, id, host, reason]),
      ),
    )
    for (const error of lost) await context.err.write(errorText(error, ''))
  }
  return lost.length === 0 ? 0 : 1
}

async function carryOut(context: Context, flags: DeployFlags & CommonFlags, { plan, place, waitMs, hosts }: Order): Promise<number> {
  const { deploy, deploymentName, printDeployment, stampedName } = await import('../../domains/deployments/index.ts')
  const isJson = flags.output === 'json'
  const say = async (line: string) => {
    if (!isJson) await context.out.write(`${line}\n`)
  }
  await say(`==> Deploying ${place}`)
  const name = deploymentName(place)
  const file = new WrittenFile(context, at => stampedName(name, at))
  const begin = () =>
    deploy(plan, {
      ...connectionOf(context, flags),
      waitMs,
      say,
      save: (described: Described) => file.save(printDeployment(described)),
      lease: { name, holder: context.identity(), token: freshRequestId() },
    })
  const stopTelling = isJson ? () => undefined : tellOfInterruption(context, file)
  const report = await inTurn(context, begin, { waitMs: 1000 * (flags.wait ?? 0), say }).finally(stopTelling)
  await tell(context, report, { isJson, file, hosts, tokenFile: flags.tokenFile })
  if (report.stopReason instanceof Interruption) return report.stopReason.exitCode
  const isDone = report.stopReason === undefined && file.failure === undefined
  return isDone && report.outcomes.every(({ error }) => error === undefined) ? 0 : 1
}

const askAgainMs = 1000

/** Tries again while somebody else deploys the same, for as long as that is wished. Nothing is changed until it is our turn. */
async function inTurn<Report>(
  { nowMs, delay, signal }: Context,
  begin: () => Promise<Report>,
  { waitMs, say }: { readonly waitMs: number; readonly say: (line: string) => Promise<void> },
): Promise<Report> {
  const endsMs = nowMs() + waitMs
  for (let isTold = false; ; isTold = true) {
    try {
      return await begin()
    } catch (error) {
      if (!(error instanceof GearError) || error.code !== 'LEASE_HELD' || nowMs() >= endsMs) throw error
      if (!isTold) await say(`==> Waiting: ${error.message}`)
      await delay(askAgainMs, signal)
    }
  }
}

/** The file that a deploy writes: made before the first change, so that a folder nobody may write to is noticed in time, and replaced since. */
class WrittenFile {
  readonly #context: Context
  readonly #nameAt: (at: Date) => string
  name: string | undefined
  /** That it could not be replaced; the deploy goes on all the same. */
  failure: unknown

  constructor(context: Context, nameAt: (at: Date) => string) {
    this.#context = context
    this.#nameAt = nameAt
  }

  async save(text: string): Promise<void> {
    if (this.name === undefined) {
      this.name = await this.#create(text)
      return
    }
    this.failure = undefined
    await this.#context.replaceFile(this.name, text).catch((error: unknown) => {
      this.failure = this.#failed(error)
    })
  }

  async #create(text: string): Promise<string> {
    // Another deploy of this second has its name already.
    for (let atMs = Date.now(); ; atMs += 1000) {
      const name = this.#nameAt(new Date(atMs))
      const isMade = await this.#context.createFile(name, text).catch((error: unknown) => {
        throw this.#failed(error)
      })
      if (isMade) return name
    }
  }

  #failed(cause: unknown): GearError {
    return new GearError('STORAGE_FAILED', `The deployment that was made cannot be written to ${this.name ?? 'the current folder'}`, {
      cause,
    })
  }
}

/** What hosts were asked for is not left in the middle, and an answer may take as long as a call may. Answers how to end this. */
function tellOfInterruption({ signal, err }: Context, file: WrittenFile): () => void {
  const tell = () => {
    const { reason } = signal
    const isBegun = file.name !== undefined
    if (!isBegun || !(reason instanceof Interruption) || reason.isSilent) return
    // Whoever loses the output aborts the signal, so nothing fails here.
    void err.write('==> Interrupted: waiting for what hosts were just asked for. Once more ends this at once.\n')
  }
  signal.addEventListener('abort', tell, { once: true })
  return () => signal.removeEventListener('abort', tell)
}

interface Told {
  readonly isJson: boolean
  readonly file: WrittenFile
  /** As they were given. */
  readonly hosts: readonly string[]
  readonly tokenFile: string | undefined
}

async function tell(context: Context, report: DeployReport, { isJson, file, hosts: given, tokenFile }: Told): Promise<void> {
  const { hostRows, instanceState, progressWords } = await import('../../domains/deployments/index.ts')
  const { outcomes, links, stopReason } = report
  const hosts = hostRows(outcomes)
  const instances = outcomes.map(({ change, id, host, reason, steps, error }) => ({
    ...{ id, host: printHost(host), change, reason, state: instanceState(steps), done: progressWords(steps) },
    ...(error === undefined ? {} : { error: errorData(error) }),
  }))
  const isWhole = instances.every(({ state }) => state === 'done')
  const withToken = tokenFile === undefined ? [] : ['--token-file', tokenFile]
  const look = ['gear list-units --all', ...hosts.map(({ host }) => host), ...withToken].join(' ')
  const goOn = ['gear deploy', file.name, ...given, ...withToken].join(' ')
  if (isJson) {
    const containers = [...links].map(([name, all]) => ({ name, links: all }))
    const steps = await stepDocuments(report)
    const stopped = stopReason === undefined ? {} : { stopped: stopData(stopReason) }
    const next = isWhole ? {} : { next: { look, goOn } }
    await context.out.write(`${JSON.stringify({ file: file.name, hosts, instances, steps, containers, ...stopped, ...next })}\n`)
    return
  }
  if (hosts.length > 1 || !isWhole) {
    const cells = hosts.map(row => [
      row.host,
      ...[row.installed, row.updated, row.kept, row.deleted, row.failed, row.unfinished, row.notBegun].map(String),
    ])
    await context.out.write(printTable(['HOST', 'INSTALLED', 'UPDATED', 'KEPT', 'DELETED', 'FAILED', 'UNFINISHED', 'NOT-BEGUN'], cells))
  }
  if (!isWhole) {
    const cells = instances.map(({ id, host, change, state, done }) => [id, host, change, stateWords[state], done])
    await context.out.write(`\n${printTable(['ID', 'HOST', 'CHANGE', 'STATE', 'THERE'], cells)}`)
  }
  await context.out.write(`==> ${isWhole ? 'Deployed as' : 'What was done is in'} ${file.name}\n`)
  await context.err.write(failuresText(report))
  if (stopReason instanceof Interruption) {
    if (stopReason.isSilent) return
    if (!isWhole) await context.err.write('Interrupted. What hosts were asked for goes on there.\n')
  } else if (stopReason !== undefined) await context.err.write(errorText(stopReason, ''))
  if (file.failure !== undefined) await context.err.write(errorText(file.failure, ''))
  if (isWhole) return
  const isEnded = stopReason === undefined
  await context.err.write(
    `${isEnded ? 'Not everything was done. ' : leftText(instances)}To look: ${look}\n${isEnded ? 'When the cause is gone' : 'To go on'}: ${goOn}\n`,
  )
}

function stopData(reason: unknown): object {
  return reason instanceof Interruption ? { message: reason.message } : errorData(reason)
}

/** Each step of the plan, as a dry run tells it, and how it went; an error is with the step that it stopped. */
async function stepDocuments({ steps, outcomes }: DeployReport): Promise<readonly object[]> {
  const { stepRow } = await import('../../domains/deployments/index.ts')
  const stopped = new Map(
    outcomes.flatMap(({ steps: own, error }) => {
      const open = own.find(({ state }) => state !== 'done')
      return open === undefined || error === undefined ? [] : [[open, error] as const]
    }),
  )
  return steps.map(progress => {
    if (progress.state === 'done') return { ...stepRow(progress.step), ok: true }
    const error = stopped.get(progress)
    return { ...stepRow(progress.step), ok: false, state: progress.state, ...(error === undefined ? {} : { error: errorData(error) }) }
  })
}

const stateWords = { done: 'done', failed: 'failed', unknown: 'unknown', unfinished: 'unfinished', notBegun: 'not begun' } as const

/** What an interruption has left that is neither done nor as it was, by what is there: each with the name by which other commands take it. */
function leftText(
  instances: readonly { readonly id: string; readonly host: string; readonly state: keyof typeof stateWords; readonly done: string }[],
): string {
  const left = instances.filter(({ state }) => state === 'unknown' || state === 'unfinished')
  return [...Map.groupBy(left, ({ done }) => done)]
    .map(([done, all]) => `Left ${done}: ${all.map(({ id, host }) => (host === 'local' ? id : `${host}/${id}`)).join(' ')}\n`)
    .join('')
}

/** One line for every failure; what failed because its host is away is told once for the host. */
function failuresText({ outcomes, lost }: DeployReport): string {
  const away = new Set(lost.map(({ error }) => error))
  const ofHosts = lost.map(({ host, error }) => {
    const ids = outcomes.filter(outcome => outcome.error === error).map(({ id }) => id)
    return errorText(error, ids.length === 0 ? printHost(host) : `${printHost(host)} (${ids.join(', ')})`)
  })
  const others = outcomes.flatMap(({ id, host, error }) =>
    error === undefined || away.has(error) ? [] : [errorText(error, `${id} on ${printHost(host)}`)],
  )
  return [...ofHosts, ...others].join('')
}
