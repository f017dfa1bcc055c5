/** `gear init` */
import { asGearError, explain, type ImageName, idRule, isId } from '../../api/index.ts'
import { parseImageReference } from '../../formats/index.ts'
import { defineCommand } from '../command.ts'
import { text, toggle } from '../flags.ts'
import { UsageError, usage } from '../usage-error.ts'

interface InitFlags {
  readonly pre?: boolean
  readonly post?: boolean
  readonly dockerSocket?: string
}

const usualSocket = 'unix:///var/run/docker.sock'

export const command = () =>
  defineCommand<InitFlags>({
    name: 'init',
    usage: '--pre|--post ID IMAGE',
    description: [
      'Units that the original geard wrote call it before and after their container starts. With --pre it makes the account of the container and the scripts that the container runs first; with --post it applies network links and keys. Containers that gear itself installs do not need it.',
      'The exit code is 1 for wrong arguments and 2 when it failed.',
    ],
    argument: { placeholder: 'ID IMAGE', brief: 'The id of the container, and its image' },
    examples: ['gear init --pre web-1 acme/shop', 'gear init --post web-1 acme/shop'],
    exitCodes: [
      ['0', 'Everything was done.'],
      ['1', 'It was used wrongly.'],
      ['2', 'It failed.'],
    ],
    flags: {
      pre: toggle('Before the container starts'),
      post: toggle('After the container has started'),
      dockerSocket: text('URL', 'Address of the engine; only the usual one, unix:///var/run/docker.sock'),
    },
    aliases: { S: 'dockerSocket' },
    run: async (context, { pre = false, post = false, dockerSocket = usualSocket }, args) => {
      const [id = '', image = '', ...others] = args
      if (pre === post || args.length < 2 || others.length > 0) throw new UsageError('give --pre or --post, an id and an image')
      if (!isId(id)) throw new UsageError(`the id ${idRule}`)
      usage('', () => parseImageReference(image))
      // The helpers know one engine; a socket of another that was passed over in silence would prepare the wrong one.
      if (!/^unix:\/\/(?:\/var)?\/run\/docker\.sock$/.test(dockerSocket))
        throw new UsageError(`the engine is at ${usualSocket}, not at ${dockerSocket}`)
      try {
        const { runContainerInit } = await import('../../agent/index.ts')
        await runContainerInit({ id, image: image as ImageName, phase: pre ? 'pre' : 'post' })
        return 0
      } catch (error) {
        await context.err.write(`Error: ${explain(asGearError(error))}\n`)
        return 2
      }
    },
  })
