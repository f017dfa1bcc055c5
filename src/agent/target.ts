/** The request target as it stands on the wire: nothing decoded, nothing resolved, so that `..` and `%2F` are what they look like. */

export interface Target {
  readonly path: string
  /** The name of the host in an absolute target, as proxies send them. */
  readonly authority: string | undefined
  readonly query: Readonly<Record<string, string>>
}

const noQuery: Readonly<Record<string, string>> = Object.freeze({})

export function parseTarget(url: string): Target {
  const absolute = url.startsWith('/') ? undefined : /^https?:\/\/([^/?#]*)/i.exec(url)
  const rest = absolute?.[0] === undefined ? url : url.slice(absolute[0].length)
  const mark = rest.indexOf('?')
  return {
    path: (mark === -1 ? rest : rest.slice(0, mark)) || '/',
    authority: absolute?.[1],
    query: mark === -1 ? noQuery : parseQuery(rest.slice(mark + 1)),
  }
}

/** The first value of each name, as the original reads them. */
function parseQuery(text: string): Readonly<Record<string, string>> {
  const query: Record<string, string> = Object.create(null)
  for (const [name, value] of new URLSearchParams(text)) query[name] ??= value
  return query
}

/** A path of the contract, taken apart once. */
export interface PathTemplate {
  /** In the router's notation: `/container/:id/status`. */
  readonly pattern: string
  /** Each parameter and its place among the parts between slashes. */
  readonly parameters: readonly PathParameter[]
}

interface PathParameter {
  readonly name: string
  readonly index: number
  /** It takes all that is left of the path, slashes included. */
  readonly isRest: boolean
}

export function parseTemplate(path: string): PathTemplate {
  const parts = path.split('/')
  const parameters = parts.flatMap((part, index): PathParameter[] => {
    const [, name, star] = /^\{(\w+)(\*?)\}$/.exec(part) ?? []
    return name === undefined ? [] : [{ name, index, isRest: star === '*' }]
  })
  return { pattern: path.replaceAll(/\{(\w+)\}/g, ':$1').replace(/\{(\w+)\*\}$/, ':$1{.+}'), parameters }
}

export function pathParameters(template: PathTemplate, path: string): Readonly<Record<string, string>> {
  const parts = path.split('/')
  return Object.fromEntries(
    template.parameters.map(({ name, index, isRest }) => [name, isRest ? decoded(parts.slice(index).join('/')) : (parts[index] ?? '')]),
  )
}

/** What cannot be decoded stays as it is, for the rule of the field to refuse. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return `${text}\0`
  }
}
