/** The transient unit of a job (spec §4.13): the helper `run-job`, which runs a container and ends with its exit code. Pure. */
import type { EngineKind, ImageName, RequestId, UnitName } from '../../api/index.ts'
import type { Paths, TransientUnit } from '../../host/index.ts'
import { hardeningOptions, plainContainer } from '../containers/index.ts'

export interface JobRequest {
  readonly id: RequestId
  readonly image: ImageName
  /** Instead of the entry point of the image; empty for that. */
  readonly command: string
  readonly args: readonly string[]
}

/** The units of all jobs; those that make repositories have names of this form, too. */
export const jobUnits = 'job-*.service'

export function transientUnit(
  request: JobRequest,
  { engine, paths }: { readonly engine: EngineKind; readonly paths: Paths },
): TransientUnit {
  const { id, image, command, args } = request
  const name = `job-${id}`
  const options = [
    ...(command === '' ? [] : [`--entrypoint=${command}`]),
    // podman would limit it to 2048
    ...(engine === 'podman' ? ['--pids-limit', '-1'] : []),
    ...hardeningOptions({ ...plainContainer, id: name }),
  ]
  return {
    name: jobUnit(id),
    description: command === '' ? `Job of ${image}` : `Job ${command} of ${image}`,
    command: [`${paths.libexec}/run-job`, name, engine, image, ...options, image, ...args],
    slice: 'container.slice' as UnitName,
    // the container is told to stop, and killed after 10 s
    stopMs: 30_000,
  }
}

/** The request id is encoded once more, as in the original. */
function jobUnit(id: RequestId): UnitName {
  return `job-${Buffer.from(id, 'latin1').toString('base64url')}.service` as UnitName
}
