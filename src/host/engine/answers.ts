/** Reading the JSON of engines: a value of the wrong kind is told by name. */
export function recordOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new TypeError(`${what} is not an object`)
  return value as Readonly<Record<string, unknown>>
}

export function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new TypeError(`${what} is not a text`)
  return value
}
