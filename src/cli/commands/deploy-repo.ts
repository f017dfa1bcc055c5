/** `gear deploy-repo` */
import { contract, GearError, type Operation, type RequestId } from '../../api/index.ts'
import { freshRequestId, type Request, reportedFailure, request } from '../../client/index.ts'
import { parseLocator } from '../../formats/index.ts'
import { readTargets } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { showPlans } from '../dry-run.ts'
import { type DryRunFlags, dryRunFlags } from '../flags.ts'
import { foreignText } from '../render/foreign-text.ts'
import { requestAll } from '../requests.ts'
import { aboutHost, type Call, runWork, type Task } from '../run.ts'
import { UsageError, usage } from '../usage-error.ts'

interface DeployTask {
  readonly id: string
  readonly request: Request<'deployRepository', 'text'>
  readonly requestId: RequestId
}

export const command = () =>
  defineCommand<DryRunFlags>({
    name: 'deploy-repo',
    usage: 'NAME... [flags]',
    description: [
      'Does what a push to a repository that was created with --build does by itself: builds what is on the default branch, and updates and restarts the container with it. The output of the build comes as it is written.',
      'One deployment of a repository runs at a time; others wait. When a build fails the container runs on as it was, and the exit code is 1.',
    ],
    argument: { placeholder: 'NAME', brief: 'A repository: [repo://][host[:port]/]id', names: ['repository'] },
    examples: ['gear deploy-repo shop-src', 'gear deploy-repo node7/shop-src --dry-run'],
    flags: dryRunFlags,
    run: (context, flags, args) => {
      for (const arg of args) {
        const { type } = usage('', () => parseLocator(arg, 'repo'))
        if (type !== 'repo') throw new UsageError(`deploy-repo deploys repositories (repo://), not ${type}://`)
      }
      const groups = requestAll(readTargets(args, 'repository'), ({ id }) => ({
        request: request('deployRepository', { params: { id } }),
        requestId: freshRequestId(),
      }))
      if (flags.dryRun) return showPlans(context, flags, groups)
      return runWork(context, flags, {
        groups,
        isLive: true,
        change: ({ id }, host) => ({ what: `The deployment of ${id}`, look: aboutHost('gear builds list', host) }),
        run: async call => {
          for (let attempt = 1; ; attempt++) {
            const outcome = await deploy(call, call.task)
            if (outcome === 'deployed') return {}
            if (attempt === attemptsMax) throw outcome
            await call.say('The agent went away; once more from the beginning\n')
            await context.pause(agentBackMs)
          }
        },
      })
    },
  })

/** An agent that is started again takes up what the last one was deploying: the same request is attached to it, or does it again without harm. */
const attemptsMax = 3
/** systemd starts an agent that was killed again after 2 s; until it answers a local command would do its work, and keep it from starting. */
const agentBackMs = 4000

/** Answers the failure when the agent went away after it had begun: it may say so itself, as the last word of the stream. */
async function deploy({ client, signal, say }: Call<Task>, { id, request: asked, requestId }: DeployTask): Promise<'deployed' | GearError> {
  let hasBegun = false
  try {
    for await (const event of await client.call(asked, { signal, requestId })) {
      if (event.event === 'failed') throw reportedFailure(event, contract.deployRepository as Operation)
      // At the end of git's pipe is a pusher's terminal.
      await say(foreignText(`${event.message}\n`))
      hasBegun = true
      if (event.event === 'deployed') return event.event
    }
  } catch (error) {
    if (hasBegun && error instanceof GearError && error.code === 'HOST_UNREACHABLE') return error
    throw error
  }
  return new GearError('HOST_UNREACHABLE', `The agent stopped reporting before ${id} was deployed`)
}
