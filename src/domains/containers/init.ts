/**
 * `gear init`: what units written by the original call before and after their container starts (spec §7.1, §7.3). The units of gear itself have helpers
 * of their own for that, so that no Node is in the start of a container.
 */
import { type ContainerId, GearError, type ImageName, limits } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'
import { GeneratedFiles } from '../keys/index.ts'
import { containerPaths } from '../layout/index.ts'
import { containerUnknown } from './service.ts'

export interface ContainerInit {
  readonly id: ContainerId
  readonly image: ImageName
  /** `pre`: makes the account and the scripts that the container runs first, pulling the image if need be. `post`: applies links, and keys anew. */
  readonly phase: 'pre' | 'post'
}

/** Throws CONTAINER_UNKNOWN without a unit, and COMMAND_FAILED with what the helper said. */
export async function initContainer(host: Host, { id, image, phase }: ContainerInit): Promise<void> {
  const { commands, files, paths } = host
  if (!(await files.exists(containerPaths(paths, id).unit))) throw containerUnknown(id)
  if (phase === 'post') await new GeneratedFiles(host).forget({ type: 'container', id })
  const { exitCode, stderr } = await commands.run('original-init', [id, phase, ...(phase === 'pre' ? [image] : [])], {
    runMs: limits.startWaitMs,
    variables: { GEARD_BASE_PATH: paths.base, GEARD_RUN_PATH: paths.run },
  })
  if (exitCode === 0 || (phase === 'post' && exitCode === linksLeftOut)) return
  const attempted = phase === 'pre' ? 'prepare the start of' : 'apply the links of'
  throw new GearError('COMMAND_FAILED', `Could not ${attempted} container ${id}`, { cause: new Error(stderr.trim()) })
}

/** The code of container-links when some links wait for the other end. */
const linksLeftOut = 75
