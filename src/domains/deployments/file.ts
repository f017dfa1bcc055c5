/**
 * Deployment files as text: JSON or YAML in, JSON out, and how the file is named that a deploy writes. What is read is checked with the
 * contract's own rules, so that a message names the place in the file: `Containers[1].Links[0].To`.
 */
import { type Deployment, deploymentFile } from '../../api/deployment-file.ts'
import { type FieldError, fromWire, GearError, limits, type UnknownKey, unknownKeys } from '../../api/index.ts'
import { FormatError, type LocatorHost, parseFirstJson, parseYaml, printHost } from '../../formats/index.ts'

const jsonDepthMax = 16

/**
 * Reads a file. Its name decides how: `.yaml` and `.yml` are YAML, everything else is JSON when it begins with `{`. Tells of keys that no deployment has. Throws
 * DEPLOYMENT_INVALID.
 */
export async function readDeployment(
  text: string,
  name: string,
  onUnknown: (keys: readonly UnknownKey[]) => void = () => undefined,
): Promise<Deployment> {
  if (Buffer.byteLength(text) > limits.deploymentFileBytes) {
    throw placeInvalid('', `it has more than ${limits.deploymentFileBytes} bytes`)
  }
  const value = await readValue(text.replace(/^\ufeff/, ''), name)
  if (typeof value !== 'object' || value === null) throw placeInvalid('', 'it must be an object with Containers')
  try {
    const deployment = fromWire(deploymentFile, value)
    onUnknown(unknownKeys(deploymentFile, value))
    return deployment
  } catch (error) {
    if (!(error instanceof GearError && error.code === 'INPUT_INVALID')) throw error
    throw deploymentInvalid(error.fields)
  }
}

/** DEPLOYMENT_INVALID for one place in the file, or the file as a whole. */
export function placeInvalid(field: string, rule: string): GearError {
  return deploymentInvalid([{ field, rule }])
}

/** It names each place and what is wrong there. */
function deploymentInvalid(fields: readonly FieldError[]): GearError {
  const message = fields.map(({ field, rule }) => (field === '' ? rule : `${field} ${rule}`)).join('; ')
  return new GearError('DEPLOYMENT_INVALID', message, { fields })
}

async function readValue(text: string, name: string): Promise<unknown> {
  const isYaml = /\.ya?ml$/i.test(name) || !/^\s*\{/.test(text)
  try {
    if (isYaml) return await parseYaml(text, { lengthMax: limits.deploymentYamlBytes })
    return parseFirstJson(text, { depthMax: jsonDepthMax, lengthMax: limits.deploymentFileBytes })
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw placeInvalid('', error.message)
  }
}

type Container = Deployment['containers'][number]

/** A deployment with the instances that a deploy made, as it is written down. */
export interface Described {
  readonly containers: Deployment['containers']
  readonly idPrefix: string
  readonly randomizeIds: boolean
  readonly instances: readonly DescribedInstance[]
}

export interface DescribedInstance {
  readonly id: string
  readonly image: string
  /** The name of its container; empty when the next deploy is to remove it. */
  readonly group: string
  readonly host: LocatorHost
  readonly ports: readonly { readonly internal: number; readonly external: number; readonly target?: Target | undefined }[]
  readonly environment: readonly { readonly name: string; readonly value: string }[]
  readonly isIsolated: boolean
}

interface Target {
  readonly host: string
  readonly port: number
}

/** Two-space-indented JSON with the field order of spec §10.1. What is empty is left out where the original leaves it out. */
export function printDeployment({ containers, instances, idPrefix, randomizeIds }: Described): string {
  const value = {
    Containers: containers.map(container => ({
      Name: container.name,
      Image: container.image,
      PublicPorts: unlessEmpty(container.publicPorts.map(printPortPair)),
      Links: unlessEmpty(container.links.map(printLink)),
      Environment: unlessEmpty(container.environment.map(printVariable)),
      Count: container.count,
      Affinity: container.affinity === '' ? undefined : container.affinity,
      Isolate: container.isolate || undefined,
    })),
    Instances: instances.map(instance => ({
      Id: instance.id,
      Image: instance.image,
      From: instance.group,
      On: printHost(instance.host),
      Ports: unlessEmpty(
        instance.ports.map(({ internal, external, target }) => ({
          Internal: internal,
          External: unlessZero(external),
          Target: target === undefined ? {} : { Host: target.host, Port: target.port },
        })),
      ),
      Environment: unlessEmpty(instance.environment.map(printVariable)),
      Isolate: instance.isIsolated || undefined,
    })),
    IdPrefix: idPrefix,
    RandomizeIds: randomizeIds,
  }
  return `${JSON.stringify(value, undefined, 2)}\n`
}

function printLink({ to, nonLocal, matchPort, ports, aliasPorts }: Container['links'][number]) {
  return {
    To: to,
    NonLocal: nonLocal || undefined,
    MatchPort: matchPort || undefined,
    Ports: unlessEmpty(ports),
    AliasPorts: unlessEmpty(aliasPorts.map(printPortPair)),
  }
}

function printPortPair({ internal, external }: Container['publicPorts'][number]) {
  return { Internal: internal, External: unlessZero(external) }
}

function printVariable({ name, value }: Container['environment'][number]) {
  return { Name: name, Value: value }
}

function unlessEmpty<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length === 0 ? undefined : items
}

function unlessZero(value: number): number | undefined {
  return value === 0 ? undefined : value
}

const stampPattern = /\.\d{8}-\d{6}$/

/** What a deployment is called, wherever its file is and however often it was deployed: the last part of its path, without a time at its end. */
export function deploymentName(place: string): string {
  const path = /^https?:\/\//i.test(place) && URL.canParse(place) ? new URL(place).pathname : place
  const base = path.slice(path.lastIndexOf('/') + 1).replace(stampPattern, '')
  return base === '' ? 'deployment' : base
}

/** The name of the file that a deploy writes: `shop.json.20260102-030405`, in local time. */
export function stampedName(name: string, at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`
  return `${name}.${day}-${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`
}
