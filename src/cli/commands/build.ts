/** `gear build` (spec §2.3, §12) */
import { type BuildAsked, type BuildReport, type ErrorCode, errorCatalogue, GearError, limits } from '../../api/index.ts'
import { freshRequestId, type Input, request } from '../../client/index.ts'
import { type EnvironmentVariable, FormatError, parseCpus, parseHost, parseMemory, parseVariable } from '../../formats/index.ts'
import { sayAnswer } from '../answers.ts'
import { defineCommand } from '../command.ts'
import { type Context, Interruption } from '../context.ts'
import { showPlan, showPlans } from '../dry-run.ts'
import { readVariables } from '../environment.ts'
import { type CommonFlags, checked, type DryRunFlags, dryRunFlags, hidden, parsed, repeated, text, toggle, wholeNumber } from '../flags.ts'
import { errorData } from '../render/errors.ts'
import { runWork } from '../run.ts'
import { UsageError, usage } from '../usage-error.ts'

interface BuildFlags extends DryRunFlags {
  readonly ref?: string
  readonly clean?: boolean
  readonly rm?: boolean
  readonly scripts?: string
  readonly env?: readonly (readonly EnvironmentVariable[])[]
  readonly envFile?: string
  readonly envUrl?: string
  readonly callbackUrl?: string
  readonly network?: string
  readonly memory?: string
  readonly cpus?: string
  readonly pids?: number
  readonly host?: string
  readonly verbose?: boolean
  readonly dockerSocket?: string
  readonly request?: string
}

type Body = NonNullable<Input<'buildImage'>['body']>

export const command = () =>
  defineCommand<BuildFlags>({
    name: 'build',
    usage: 'SOURCE IMAGE TAG [VARIABLE=VALUE...] [flags]',
    description: [
      'The source is a git repository (https, http, ssh, git, user@host:path, a path that ends in .git) or a folder or file of this machine. IMAGE is a builder image: its script assemble makes the application out of the source, and the result becomes the image TAG, which starts the script run.',
      'The scripts come from --scripts, else from .s2i/bin or .sti/bin of the source, else from where the builder image says. When TAG exists and there is a script save-artifacts, what that saves of it is handed to assemble, unless --clean.',
      'Without --host the build runs here and ends with this command; on a host it is a unit, which goes on when you leave: gear builds.',
    ],
    argument: {
      placeholder: 'SOURCE IMAGE TAG',
      brief: 'What, with which builder image, to which image; arguments with = are variables',
      names: ['file', 'image'],
    },
    examples: [
      'gear build https://example.com/shop.git acme/node-builder acme/shop --ref v1.2',
      'gear build . acme/node-builder acme/shop NODE_ENV=production && gear install acme/shop shop --start',
      'gear build git@example.com:acme/shop.git acme/node-builder acme/shop --host node7',
    ],
    flags: {
      ref: text('REF', 'Branch, tag or commit of the repository'),
      clean: toggle('Take nothing over from the image that has the name now'),
      rm: toggle('Remove the image that had the name before'),
      scripts: text('URL', 'Folder of scripts that count before all others: http, https, file or image URL'),
      env: repeated('VARIABLES', 'Variables NAME=VALUE,... of the scripts and the image', parseVariables),
      envFile: text('FILE', 'File with one VARIABLE=VALUE a line; arguments come after it'),
      envUrl: text('URL', 'File of variables to fetch'),
      callbackUrl: text('URL', 'Call it with POST when the build has ended'),
      network: text('NAME', 'Network of the builder containers: none, or one of the engine'),
      memory: checked('SIZE', 'Memory of a builder container: 512m, 1g; 0 for no limit', parseMemory),
      cpus: checked('COUNT', 'Processors of a builder container: 1.5; 0 for no limit', parseCpus),
      pids: parsed('COUNT', 'Most processes of a builder container; 0 for no limit', wholeNumber(4_194_304)),
      host: text('HOST', 'Build on this host, with its engine: host[:port], or local for the agent of this machine'),
      verbose: toggle('Tell every step, and what git says'),
      dockerSocket: text('URL', 'Address of the engine: unix:///var/run/docker.sock'),
      request: hidden(text('FOLDER', 'Build what an agent has put down there')),
      ...dryRunFlags,
    },
    aliases: { S: 'dockerSocket', r: 'ref', s: 'scripts', e: 'env' },
    flagNames: { host: 'host' },
    run: async (context, flags, args) => {
      if (flags.request !== undefined) return runRequest(context, flags.request)
      const { variables, others } = splitBuildWords(args)
      const [source, baseImage, tag, ...rest] = others
      if (source === undefined || baseImage === undefined || tag === undefined || rest.length > 0) {
        throw new UsageError('give a source, a builder image and the name of the image to make: SOURCE IMAGE TAG')
      }
      const given = [...(await readVariables(context, flags.envFile)), ...(flags.env?.flat() ?? []), ...variables]
      if (given.length > limits.variablesMax) throw new UsageError(`there may be at most ${limits.variablesMax} variables`)
      const body = bodyOf(flags, { source, baseImage, tag, variables: given })
      if (flags.host === undefined) return flags.dryRun ? planHere(context, flags, body) : buildHere(context, flags, body)
      return buildOn(context, flags, body, flags.host)
    },
  })

/** A variable is what begins like one: an address may hold `=` as well. */
export function splitBuildWords(args: readonly string[]): {
  readonly variables: readonly EnvironmentVariable[]
  readonly others: readonly string[]
} {
  const variables: EnvironmentVariable[] = []
  const others: string[] = []
  for (const arg of args) {
    const variable = /^[A-Za-z_][\w.-]*=/.test(arg) ? usage('', () => parseVariable(arg)) : undefined
    if (variable === undefined) others.push(arg)
    else variables.push(variable)
  }
  return { variables, others }
}

/** `NAME=VALUE,NAME2=VALUE2`: a comma begins a new variable only before something that looks like one. */
export function parseVariables(input: string): readonly EnvironmentVariable[] {
  if (input === '') return []
  return input.split(/,(?=[A-Za-z_][\w.-]*=)/).map(part => {
    const variable = parseVariable(part)
    if (variable === undefined) throw new FormatError('variables', 'what is given is no variable: NAME=VALUE,...')
    return variable
  })
}

function bodyOf(
  flags: BuildFlags,
  words: { readonly source: string; readonly baseImage: string; readonly tag: string; readonly variables: readonly EnvironmentVariable[] },
): Body {
  const { source, baseImage, tag, variables } = words
  return {
    source,
    baseImage,
    tag,
    ref: flags.ref,
    clean: flags.clean ?? false,
    removePrevious: flags.rm ?? false,
    verbose: flags.verbose ?? false,
    scripts: flags.scripts,
    callbackUrl: flags.callbackUrl,
    network: flags.network,
    memory: flags.memory,
    cpus: flags.cpus,
    pids: flags.pids,
    environment: { variables, source: flags.envUrl ?? '' },
  }
}

/** What a build in this process would do. */
async function planHere(context: Context, flags: BuildFlags & CommonFlags, body: Body): Promise<number> {
  const asked = request('buildImage', { body }).body as BuildAsked
  const { planBuildHere } = await import('../../agent/index.ts')
  const plan = await planBuildHere(asked, { engineAddress: flags.dockerSocket })
  return showPlan(context, flags, { host: 'local', name: asked.tag, plan })
}

/** Builds in this process, and prints what happens as it happens. */
async function buildHere(context: Context, flags: BuildFlags & CommonFlags, body: Body): Promise<number> {
  const asked = request('buildImage', { body }).body as BuildAsked
  const { buildHere: build } = await import('../../agent/index.ts')
  const isJson = flags.output === 'json'
  const lines = { written: Promise.resolve(), text: '' }
  const say = (text: string): Promise<void> => {
    if (isJson) lines.text = (lines.text + text).slice(-limits.buildLogBytes)
    else lines.written = context.out.write(text)
    return lines.written
  }
  const document = async (value: object): Promise<void> => {
    if (isJson) await context.out.write(`${JSON.stringify({ tag: asked.tag, ...value, lines: lines.text.split('\n').slice(0, -1) })}\n`)
  }
  try {
    const built = await build(asked, { signal: context.signal, say, engineAddress: flags.dockerSocket })
    await lines.written
    await document({ result: 'built', ...built })
    return 0
  } catch (error) {
    await lines.written
    const { reason } = context.signal
    if (reason instanceof Interruption) {
      if (!reason.isSilent) await context.err.write('The build was ended; nothing of it is left\n')
      return reason.exitCode
    }
    if (!isJson) throw error
    await document({ result: 'failed', error: errorData(error) })
    return 1
  }
}

async function buildOn(context: Context, flags: BuildFlags & CommonFlags, body: Body, hostName: string): Promise<number> {
  if (flags.dockerSocket !== undefined) throw new UsageError('--docker-socket is for builds on this machine; a host has its own engine')
  const host = usage('--host', () => parseHost(hostName))
  const build = request('buildImage', { body })
  const requestId = freshRequestId()
  const name = host.kind === 'local' ? requestId : `${hostName}/${requestId}`
  if (flags.dryRun) return showPlans(context, flags, [{ host, targets: [{ name: body.tag as string, request: build }] }])
  return runWork(context, flags, {
    groups: [{ host, targets: [{ name: hostName }] }],
    isLive: true,
    change: () => ({ what: 'The build', look: `gear builds log ${name}` }),
    run: async ({ client, signal, say }) => {
      await sayAnswer(await client.call(build, { signal, requestId }), say)
      // text cannot say whether it tells of a failure
      const report = await client.call(request('getBuild', { params: { build: requestId } }), { signal })
      if (report.result !== 'built') throw buildFailure(report, name)
      return { ...report }
    },
  })
}

function buildFailure({ requestId, result, code, cause, lines }: BuildReport, name: string): GearError {
  if (result === 'running') {
    return new GearError('HOST_UNREACHABLE', `The build goes on, but its agent went away (gear builds log --follow ${name})`)
  }
  const known = code !== undefined && Object.hasOwn(errorCatalogue, code) ? (code as ErrorCode) : 'BUILD_FAILED'
  return new GearError(known, `The build ${requestId} has failed`, { data: { cause, lines } })
}

async function runRequest(context: Context, folder: string): Promise<number> {
  const { buildRequested } = await import('../../agent/index.ts')
  const isBuilt = await buildRequested(folder, { signal: context.signal, say: text => context.out.write(text) })
  return isBuilt ? 0 : 1
}
