/** `gear create-repo` */
import { GearError } from '../../api/index.ts'
import { type Client, freshRequestId, type Request, request } from '../../client/index.ts'
import { parseLocator, printHost } from '../../formats/index.ts'
import { defineCommand } from '../command.ts'
import { showPlans } from '../dry-run.ts'
import { type DryRunFlags, dryRunFlags } from '../flags.ts'
import { type RepositoryFlags, readRepositoryFlags, repositoryFlags } from '../repository-flags.ts'
import { requestAll } from '../requests.ts'
import { aboutHost, runWork } from '../run.ts'
import { UsageError, usage } from '../usage-error.ts'

export const command = () =>
  defineCommand<DryRunFlags & RepositoryFlags>({
    name: 'create-repo',
    usage: 'NAME [URL] [flags]',
    description: [
      'Creates a bare git repository with an account of its own, empty or cloned from URL, and shows what git says meanwhile. Afterwards let keys into it (gear add-keys repo://NAME --write) and clone it: git clone git-ID@HOST:~',
      'A private repository is reached by ssh (git@host:acme/shop) with a key that the host makes for it: `gear repo-key NAME` prints the public half, to be added there as a deploy key. A host that is not in /etc/ssh/ssh_known_hosts has to be named by --host-key; what it shows is told when that is missing.',
      'URL is fetched by the host: https://, http://, ssh://, git://, user@host:path, or a path below /srv/git there (or another folder: GEARD_CLONE_ROOT). It may not hold a password.',
      'With --build every push to the default branch is built: BASE_IMAGE is a builder image, as for `gear build`, and the image gets the name TAG. The output comes to the one who pushes. With --restart the container is then updated and restarted; when the build fails it runs on as it was.',
      'With --githost git serves the repository in containers of IMAGE, which must have git in it: each made for one clone, fetch or push, with no network and nothing of the host but this repository. The image is pulled now when it is not there.',
    ],
    argument: { placeholder: 'NAME', brief: 'The repository: [repo://][host[:port]/]id; then where to clone it from' },
    examples: [
      'gear create-repo shop-src',
      'gear create-repo node7/shop-src https://git.example/acme/shop.git',
      'gear create-repo shop-src git@git.example:acme/shop --host-key SHA256:QuTOrlh+pJPkcN3lmmp5VTpTcTQ9M7Gf8gYAlTntgj4',
      'gear create-repo shop-src --build acme/node-builder --tag acme/shop --restart shop',
      'gear create-repo shop-src --githost acme/githost',
    ],
    flags: { ...repositoryFlags, ...dryRunFlags },
    flagNames: { build: 'image', tag: 'image', restart: 'container', githost: 'image' },
    run: (context, flags, args) => {
      const [name, source, ...others] = args
      if (name === undefined || others.length > 0) throw new UsageError('give the name of one repository, and at most one URL')
      const { type, host, id } = usage('', () => parseLocator(name, 'repo'))
      if (type !== 'repo') throw new UsageError(`create-repo makes repositories (repo://), not ${type}://`)
      const body = readRepositoryFlags(flags)
      const isLive = !flags.dryRun && flags.output !== 'json' && context.err.isTerminal
      const shown = host.kind === 'local' ? id : `${printHost(host)}/${id}`
      const groups = requestAll([{ host, targets: [{ id, name: shown }] }], () => ({
        request: request('createRepository', {
          params: { id },
          query: { source, progress: isLive || undefined },
          body,
        }),
      }))
      if (flags.dryRun) return showPlans(context, flags, groups)
      return runWork(context, flags, {
        groups,
        change: (_, place) => ({ what: `The creation of ${id}`, look: aboutHost('gear list-repos', place) }),
        run: async ({ task, client, signal, say, progress }) => {
          const show = (state: string) => progress.update(shown, state)
          await create({ call: task.request, id, client, signal, say, show, pause: context.pause })
          return {}
        },
      })
    },
  })

interface Creation {
  readonly call: Request<'createRepository', 'text'>
  readonly id: string
  readonly client: Client
  readonly signal: AbortSignal
  readonly say: (text: string) => Promise<void>
  /** How far it is, in place of what was shown before. */
  readonly show: (state: string) => Promise<void>
  readonly pause: (waitMs: number) => Promise<void>
}

const attemptsMax = 3
/** systemd starts an agent that was killed again after 2 s. */
const agentBackMs = 4000

/** The text of the creation does not end in a status: whether the repository is there afterwards tells how it went, and the last line why. */
async function create(creation: Creation): Promise<void> {
  const { id, client, signal, say } = creation
  const last = await follow(creation)
  try {
    await client.call(request('getRepository', { params: { id } }), { signal })
  } catch (error) {
    if (!(error instanceof GearError)) throw error
    if (error.code === 'REPOSITORY_UNKNOWN') {
      throw new GearError('REPOSITORY_CREATE_FAILED', last.replace(/^Error: /, '') || `Repository ${id} could not be created`)
    }
    // An original agent cannot be asked for it; what it said last is all there is to know.
    if (error.code !== 'ROUTE_UNKNOWN' && error.code !== 'METHOD_NOT_ALLOWED') throw error
  }
  if (last !== '') await say(`${last}\n`)
}

/**
 * Passes on what is said, but for the last line, which it answers. The unit that makes the repository does not end with the agent: the same request
 * attaches to it again, or finds that it has ended.
 */
async function follow(creation: Creation): Promise<string> {
  const requestId = freshRequestId()
  for (let attempt = 1; ; attempt++) {
    const lines = new LastLine(creation)
    let hasBegun = attempt > 1
    try {
      const { text } = await creation.client.call(creation.call, { signal: creation.signal, requestId })
      hasBegun = true
      for await (const piece of text) await lines.add(piece)
      return lines.end()
    } catch (error) {
      if (!(error instanceof GearError)) throw error
      if (attempt > 1 && error.code === 'REPOSITORY_EXISTS') return ''
      if (error.code !== 'HOST_UNREACHABLE' || !hasBegun || attempt === attemptsMax) throw error
      await creation.say('The agent went away; asking the next one\n')
      await creation.pause(agentBackMs)
    }
  }
}

/** Lines out of pieces, said as soon as there is one after them; states, which end with a carriage return, at once. */
class LastLine {
  readonly #say: (text: string) => Promise<void>
  readonly #show: (state: string) => Promise<void>
  #rest = ''
  #last = ''

  constructor({ say, show }: Pick<Creation, 'say' | 'show'>) {
    this.#say = say
    this.#show = show
  }

  async add(piece: string): Promise<void> {
    const ended = (this.#rest + piece).split(/(?<=[\r\n])/)
    this.#rest = /[\r\n]$/.test(ended.at(-1) ?? '') ? '' : (ended.pop() ?? '')
    for (const each of ended) {
      if (each.endsWith('\n')) await this.#line(each.slice(0, -1))
      else await this.#show(each.slice(0, -1))
    }
  }

  async #line(line: string): Promise<void> {
    if (this.#last !== '') await this.#say(`${this.#last}\n`)
    this.#last = line
  }

  end(): string {
    return this.#rest === '' ? this.#last : this.#rest
  }
}
