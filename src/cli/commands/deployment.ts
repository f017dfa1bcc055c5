/** `gear deployment show` */
import { freshRequestId } from '../../client/index.ts'
import { readHosts } from '../arguments.ts'
import { defineCommand } from '../command.ts'
import { loadDeployment } from '../deployment-source.ts'
import { didYouMean, UsageError } from '../usage-error.ts'

const fetchMs = 300_000

export const command = () =>
  defineCommand({
    name: 'deployment',
    usage: 'show FILE_OR_URL [HOST...]',
    description: [
      'Draws the containers of a deployment file, their instances on their hosts, and what each sees of the others. With hosts it draws what a deploy to them would make. Nothing is asked of any host.',
    ],
    argument: { placeholder: 'FILE', brief: 'show, then a deployment file or its URL, then hosts', verbs: { show: ['file', 'host'] } },
    examples: [
      'gear deployment show shop.json',
      'gear deployment show shop.yaml node7 node8',
      'gear deployment show shop.json.20260102-030405 -o json',
    ],
    flags: {},
    run: async (context, flags, [word, place, ...hosts]) => {
      const hint = word === undefined || word === 'show' ? '' : `there is no ${word}${didYouMean(word, ['show'])}; `
      if (word !== 'show' || place === undefined) throw new UsageError(`${hint}say what to do: show FILE_OR_URL [HOST...]`)
      const deployment = await loadDeployment(context, place, { timeoutMs: fetchMs, isInsecure: flags.insecure ?? false })
      const { deploymentName, drawTopology, hostsOf, planDeployment, topologyOf } = await import('../../domains/deployments/index.ts')
      const on = hosts.length === 0 ? hostsOf(deployment.instances) : readHosts(hosts).map(({ host }) => host)
      const topology = topologyOf(deploymentName(place), planDeployment({ deployment, hosts: on, drawText: freshRequestId }))
      await context.out.write(flags.output === 'json' ? `${JSON.stringify(topology)}\n` : drawTopology(topology))
      return 0
    },
  })
