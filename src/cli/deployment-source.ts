/** Where commands get a deployment from: a file, or for some an http or https URL. */
import { GearError, limits, type UnknownKey } from '../api/index.ts'
import { fetchText } from '../client/index.ts'
import { urlWithoutSecrets } from '../lib/index.ts'
import { type Context, Interruption } from './context.ts'
import { foreignText } from './render/foreign-text.ts'
import { didYouMean, UsageError } from './usage-error.ts'

export interface SourceOptions {
  readonly timeoutMs: number
  readonly isInsecure: boolean
}

/** The deployment in a file or behind a URL. Throws DEPLOYMENT_UNREADABLE and DEPLOYMENT_INVALID, both with the name of the file. */
export async function loadDeployment(context: Context, place: string, { timeoutMs, isInsecure }: SourceOptions) {
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(place) ?? []
  switch (scheme?.toLowerCase()) {
    case undefined:
      return readFrom(context, { shown: place, name: place }, () => context.readTextFile(place, limits.deploymentFileBytes))
    case 'file':
      return readFrom(context, { shown: place, name: place }, () =>
        context.readTextFile(decodeURIComponent(new URL(place).pathname), limits.deploymentFileBytes),
      )
    case 'http':
    case 'https': {
      if (!URL.canParse(place)) throw new UsageError(`${place} is no URL`)
      const bytesMax = limits.deploymentFileBytes
      return readFrom(context, { shown: urlWithoutSecrets(place), name: new URL(place).pathname }, () =>
        fetchText(place, { timeoutMs, bytesMax, isInsecure, signal: context.signal }),
      )
    }
    default:
      throw new UsageError(`a deployment may come from a file, http:// or https://, not from ${scheme}://`)
  }
}

/** So many misspelt keys are told of one by one. */
const unknownMax = 5

/** Longer than any key. */
const keyMax = 40

async function readFrom(context: Context, { shown, name }: { readonly shown: string; readonly name: string }, read: () => Promise<string>) {
  const text = await read().catch((cause: unknown) => {
    if (cause instanceof Interruption) throw cause
    throw new GearError('DEPLOYMENT_UNREADABLE', `The deployment ${shown} cannot be read`, { cause })
  })
  const { readDeployment } = await import('../domains/deployments/index.ts')
  try {
    let unknown: readonly UnknownKey[] = []
    const deployment = await readDeployment(text, name, keys => {
      unknown = keys
    })
    const told = unknown
      .slice(0, unknownMax)
      .map(({ path, key, known }) => `${path} is no key of a deployment, and is passed over${didYouMean(key.slice(0, keyMax), known)}`)
    if (unknown.length > told.length) told.push(`and so are ${unknown.length - told.length} more`)
    for (const line of told) await context.err.write(foreignText(`Warning: ${shown}: ${line.slice(0, 300)}\n`))
    return deployment
  } catch (error) {
    if (!(error instanceof GearError)) throw error
    throw new GearError(error.code, `${shown}: ${error.message}`, { fields: error.fields })
  }
}
