/** Reading the JSON of engines: a value of the wrong kind is told by name. */
import type { EngineContainer, NumberRange } from './port.ts'

export function recordOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new TypeError(`${what} is not an object`)
  return value as Readonly<Record<string, unknown>>
}

export function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new TypeError(`${what} is not a text`)
  return value
}

/** What `inspect` says of a container, which is the same with both engines but for a slash and the name of an algorithm. */
export function containerOf(body: unknown): EngineContainer {
  const container = recordOf(body, 'the answer')
  const state = recordOf(container['State'], 'State')
  const labels = recordOf(recordOf(container['Config'], 'Config')['Labels'] ?? {}, 'Labels')
  return {
    id: textOf(container['Id'], 'Id'),
    name: textOf(container['Name'], 'Name').replace(/^\//, ''),
    labels: Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, textOf(value, name)])),
    isRunning: state['Running'] === true,
    pid: typeof state['Pid'] === 'number' ? state['Pid'] : 0,
    imageId: digestOf(textOf(container['Image'], 'Image')),
    volumes: anonymousVolumesOf(container['Mounts']),
    numbers: numbersOf(container['HostConfig']),
  }
}

/** What podman's `HostConfig` says of a user namespace, where groups have the same numbers as users. Docker has one for all its containers, or none. */
function numbersOf(settings: unknown): readonly NumberRange[] {
  const mappings = recordOf(recordOf(settings ?? {}, 'HostConfig')['IDMappings'] ?? {}, 'IDMappings')['UidMap']
  if (!Array.isArray(mappings)) return []
  return mappings.map(mapping => {
    const [inside = 0, outside = 0, count = 0] = textOf(mapping, 'UidMap').split(':').map(Number)
    return { inside, outside, count }
  })
}

/** The anonymous volumes among the `Mounts` of an inspected container, by name: the engine gave them 64 hex digits. */
function anonymousVolumesOf(mounts: unknown): readonly string[] {
  if (!Array.isArray(mounts)) return []
  return mounts
    .map(mount => recordOf(mount, 'a mount'))
    .filter(({ Type: type, Name: name }) => type === 'volume' && typeof name === 'string' && /^[0-9a-f]{64}$/.test(name))
    .map(({ Name: name }) => textOf(name, 'Name'))
}

/** Podman leaves the algorithm out. */
export function digestOf(id: string): string {
  return /^[0-9a-f]{64}$/.test(id) ? `sha256:${id}` : id
}
