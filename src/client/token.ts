/** The token that a call to an agent carries, from a file of the caller's. */
import { GearError } from '../api/index.ts'
import { FormatError, parseTokenFile, tokenFor } from '../formats/index.ts'
import type { Address } from './transport.ts'

export interface Credentials {
  /** Undefined when the file has none for this agent. */
  readonly token: string | undefined
  /** The file, for messages. */
  readonly source: string
}

const fileBytesMax = 1_048_576

/** Throws TOKEN_FILE_REFUSED when the file cannot be read, is no token file, or may be read or changed by others than its owner. */
export function readCredentials(source: string, address: Address): Credentials {
  const text = readPrivate(source)
  try {
    const agent = address.kind === 'tcp' ? { name: address.host, port: address.port } : { name: 'local', port: 0 }
    return { token: tokenFor(parseTokenFile(text), agent), source }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw new GearError('TOKEN_FILE_REFUSED', `The token file ${source} cannot be used: ${error.message}`)
  }
}

/** Looks at the file that it has open, so that nobody can put another in its place in between. */
function readPrivate(path: string): string {
  const { closeSync, fstatSync, openSync, readFileSync } = process.getBuiltinModule('node:fs')
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const { mode, size } = fstatSync(file)
    if ((mode & 0o077) !== 0) throw new GearError('TOKEN_FILE_REFUSED', `The token file ${path} is open to others than its owner`)
    if (size > fileBytesMax) throw new GearError('TOKEN_FILE_REFUSED', `The token file ${path} has more than ${fileBytesMax} bytes`)
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if (cause instanceof GearError) throw cause
    throw new GearError('TOKEN_FILE_REFUSED', `The token file ${path} could not be read`, { cause })
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
