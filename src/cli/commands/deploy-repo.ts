/** `gear deploy-repo` */
import { contract, GearError, type Operation } from '../../api/index.ts'
import { RemoteError, type Request, request } from '../../client/index.ts'
import { parseLocator } from '../../formats/index.ts'
import { readTargets } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { requestAll } from '../requests.ts'
import { type Call, runWork, type Task } from '../run.ts'
import { UsageError, usage } from '../usage-error.ts'

interface DeployTask {
  readonly id: string
  readonly request: Request<'deployRepository', 'text'>
}

export const command = () =>
  defineCommand({
    name: 'deploy-repo',
    usage: 'NAME...',
    description: [
      'Does what a push to a repository that was created with --build does by itself: builds what is on the default branch, and updates and restarts the container with it. The output of the build comes as it is written.',
      'One deployment of a repository runs at a time; others wait. When a build fails the container runs on as it was, and the exit code is 1.',
    ],
    argument: { placeholder: 'NAME', brief: 'A repository: [repo://][host[:port]/]id', names: ['repository'] },
    examples: ['gear deploy-repo shop-src', 'gear deploy-repo node7/shop-src'],
    flags: {},
    run: (context, flags, args) => {
      for (const arg of args) {
        const { type } = usage('', () => parseLocator(arg, 'repo'))
        if (type !== 'repo') throw new UsageError(`deploy-repo deploys repositories (repo://), not ${type}://`)
      }
      return runWork(context, flags, {
        groups: requestAll(readTargets(args, 'repository'), ({ id }) => ({ request: request('deployRepository', { params: { id } }) })),
        isLive: true,
        change: ({ id }) => ({ what: `The deployment of ${id}`, look: `gear list-repos` }),
        run: async call => {
          for (let attempt = 1; ; attempt++) {
            try {
              await deploy(call, call.task)
              return {}
            } catch (error) {
              if (attempt === attemptsMax || !isAgentGone(error)) throw error
              await call.say('The agent went away; once more from the beginning\n')
            }
          }
        },
      })
    },
  })

/** An agent that is restarted forgets what it was deploying. What it did is done again without harm, so the same is asked of the next one. */
const attemptsMax = 3

async function deploy({ client, signal, say }: Call<Task>, { id, request: asked }: DeployTask): Promise<void> {
  for await (const { event, message, code, next } of await client.call(asked, { signal })) {
    if (event === 'failed') {
      const details = { status: 500, message, code, next, fields: [], data: undefined }
      throw new RemoteError(details, contract.deployRepository as Operation)
    }
    await say(`${message}\n`)
    if (event === 'deployed') return
  }
  throw new GearError('HOST_UNREACHABLE', `The agent stopped reporting before ${id} was deployed`)
}

/** Also one that says itself, as the last word of the stream, that it is being stopped. */
function isAgentGone(error: unknown): boolean {
  return error instanceof GearError && error.code === 'HOST_UNREACHABLE'
}
