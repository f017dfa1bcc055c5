/**
 * Port pairs: a port inside a container and the port of the host that leads to it. External 0 asks for a free one. The text form
 * `8080:0,22:4022` is used by `--ports`, by the `X-PortMapping` header and by the metadata of unit files.
 */
import { FormatError, quoted } from './format-error.ts'

export interface PortPair {
  readonly internal: number
  /** 0 asks for allocation. */
  readonly external: number
}

const portMax = 65535
export const portPairsMax = 100

const textCharactersMax = portPairsMax * '65535:65535,'.length

/** Reads the text form. An empty text is an empty list. */
export function parsePortPairs(text: string): readonly PortPair[] {
  if (text === '') return []
  if (text.length > textCharactersMax) throw new FormatError('ports.count', `there may be at most ${portPairsMax} port pairs`)
  const pairs = text.split(',').map(parsePortPair)
  checkPortPairs(pairs)
  return pairs
}

function parsePortPair(text: string): PortPair {
  const parts = text.split(':')
  const [internalText, externalText] = parts
  if (parts.length !== 2 || internalText === undefined || externalText === undefined) {
    throw new FormatError('ports.pair', `a port pair must be internal:external, as in 8080:4000, not ${quoted(text)}`, { input: text })
  }
  const internal = readPort(internalText)
  const external = readPort(externalText)
  if (internal === undefined || external === undefined) {
    throw new FormatError('ports.number', `a port must be a number from 0 to ${portMax}, not ${quoted(text)}`, { input: text })
  }
  if (internal === 0) {
    throw new FormatError('ports.internal-zero', `the port inside the container must not be 0: ${quoted(text)}`, { input: text })
  }
  return { internal, external }
}

/** What holds between the pairs of one container, wherever they come from: each port is named once. */
export function checkPortPairs(pairs: readonly PortPair[]): void {
  if (pairs.length > portPairsMax) throw new FormatError('ports.count', `there may be at most ${portPairsMax} port pairs`)
  const internals = firstRepeated(pairs.map(pair => pair.internal))
  if (internals !== undefined) {
    throw new FormatError('ports.internal-repeated', `the port ${internals} inside the container is named twice`)
  }
  const externals = firstRepeated(pairs.map(pair => pair.external).filter(port => port !== 0))
  if (externals !== undefined) {
    throw new FormatError('ports.external-repeated', `the port ${externals} of the host is named twice`)
  }
}

/** `8080:4000,22:4001` */
export function printPortPairs(pairs: readonly PortPair[]): string {
  return pairs.map(({ internal, external }) => `${internal}:${external}`).join(',')
}

/** `8080 -> 4000, 22 -> 4001`, for people and logs. */
export function describePortPairs(pairs: readonly PortPair[]): string {
  return pairs.map(({ internal, external }) => `${internal} -> ${external}`).join(', ')
}

/** A decimal number from 0 to 65535, or undefined. */
export function readPort(text: string): number | undefined {
  if (!/^[0-9]{1,5}$/.test(text)) return undefined
  const port = Number(text)
  return port <= portMax ? port : undefined
}

function firstRepeated(ports: readonly number[]): number | undefined {
  return ports.find((port, index) => ports.indexOf(port) !== index)
}
