/**
 * The instances of a deployment file, as far as `--with` needs them (spec §2.1): which ids are on which hosts. Everything else of a deployment is
 * for those who plan one.
 */
import { FormatError, quoted } from './format-error.ts'
import { foldKeys, parseFirstJson } from './json.ts'
import { parseLocator } from './locator.ts'

/** A planned deployment of thousands of instances. */
const lengthMax = 16 * 1024 * 1024

/** The names of all instances that are on a host, as the command line has them: `ctr://node7/web-1`, `ctr://web-1` on this machine. */
export function deployedNames(text: string): readonly string[] {
  const value = parseFirstJson(text, { lengthMax })
  const { Instances: instances = [] } = foldKeys(value ?? {}, ['Instances'])
  if (!Array.isArray(instances)) throw new FormatError('deployment.instances', 'Instances must be a list')
  return instances.flatMap((instance: unknown, index) => nameOf(instance, index))
}

function nameOf(instance: unknown, index: number): readonly string[] {
  const { Id: id, On: host } = foldKeys(instance, ['Id', 'On'])
  if (host === undefined) return []
  if (typeof id !== 'string' || typeof host !== 'string' || host === '') {
    throw new FormatError('deployment.instance', `Instances[${index}] must have an Id and the name of the host it is On`)
  }
  const name = host === 'local' ? `ctr://${id}` : `ctr://${host}/${id}`
  try {
    parseLocator(name)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw new FormatError('deployment.instance', `Instances[${index}] is not named as a container is: ${quoted(name)}`)
  }
  return [name]
}
