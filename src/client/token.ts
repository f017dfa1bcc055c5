/** The token that a call to an agent carries, from a file of the caller's. */
import { GearError } from '../api/index.ts'
import { FormatError, parseTokenFile, tokenFor } from '../formats/index.ts'
import { type Address, readPrivateText } from './transport.ts'

export interface Credentials {
  /** Undefined when the file has none for this agent. */
  readonly token: string | undefined
  /** The file, for messages. */
  readonly source: string
}

/** Throws TOKEN_FILE_REFUSED when the file cannot be read, is no token file, or may be read or changed by others than its owner. */
export function readCredentials(source: string, address: Address): Credentials {
  const text = readPrivateText(source)
  try {
    const agent = address.kind === 'tcp' ? { name: address.host, port: address.port } : { name: 'local', port: 0 }
    return { token: tokenFor(parseTokenFile(text), agent), source }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw new GearError('TOKEN_FILE_REFUSED', `The token file ${source} cannot be used: ${error.message}`)
  }
}
