/** Reading the JSON of engines: a value of the wrong kind is told by name. */
export function recordOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new TypeError(`${what} is not an object`)
  return value as Readonly<Record<string, unknown>>
}

/** The anonymous volumes among the `Mounts` of an inspected container, by name: the engine gave them 64 hex digits. */
export function anonymousVolumesOf(mounts: unknown): readonly string[] {
  if (!Array.isArray(mounts)) return []
  return mounts
    .map(mount => recordOf(mount, 'a mount'))
    .filter(({ Type: type, Name: name }) => type === 'volume' && typeof name === 'string' && /^[0-9a-f]{64}$/.test(name))
    .map(({ Name: name }) => textOf(name, 'Name'))
}

export function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new TypeError(`${what} is not a text`)
  return value
}
