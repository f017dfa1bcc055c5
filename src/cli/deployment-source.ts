/** Where commands get a deployment from: a file, or for some an http or https URL. */
import { GearError, limits } from '../api/index.ts'
import { fetchText } from '../client/index.ts'
import { urlWithoutSecrets } from '../lib/index.ts'
import type { Context } from './context.ts'
import { Interruption } from './context.ts'
import { UsageError } from './usage-error.ts'

export interface SourceOptions {
  readonly timeoutMs: number
  readonly isInsecure: boolean
}

/** The deployment in a file or behind a URL. Throws DEPLOYMENT_UNREADABLE and DEPLOYMENT_INVALID, both with the name of the file. */
export async function loadDeployment(context: Context, place: string, { timeoutMs, isInsecure }: SourceOptions) {
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(place) ?? []
  switch (scheme?.toLowerCase()) {
    case undefined:
      return readFrom(place, place, () => context.readTextFile(place, limits.deploymentFileBytes))
    case 'file':
      return readFrom(place, place, () => context.readTextFile(decodeURIComponent(new URL(place).pathname), limits.deploymentFileBytes))
    case 'http':
    case 'https': {
      if (!URL.canParse(place)) throw new UsageError(`${place} is no URL`)
      const bytesMax = limits.deploymentFileBytes
      return readFrom(urlWithoutSecrets(place), new URL(place).pathname, () =>
        fetchText(place, { timeoutMs, bytesMax, isInsecure, signal: context.signal }),
      )
    }
    default:
      throw new UsageError(`a deployment may come from a file, http:// or https://, not from ${scheme}://`)
  }
}

async function readFrom(shown: string, name: string, read: () => Promise<string>) {
  const text = await read().catch((cause: unknown) => {
    if (cause instanceof Interruption) throw cause
    throw new GearError('DEPLOYMENT_UNREADABLE', `The deployment ${shown} cannot be read`, { cause })
  })
  const { readDeployment } = await import('../domains/deployments/index.ts')
  try {
    return await readDeployment(text, name)
  } catch (error) {
    if (!(error instanceof GearError)) throw error
    throw new GearError(error.code, `${shown}: ${error.message}`, { fields: error.fields })
  }
}
