/** An error code explained: the catalogue, the notes, and which operations answer it. */
import { contract, type ErrorCode, errorCatalogue, errorNotes, type Operation } from '../../api/index.ts'
import { fold } from './wrap.ts'

export function explanation(code: ErrorCode, terminalColumns: number | undefined): string {
  const { status, meaning, next } = errorCatalogue[code]
  const note = errorNotes[code]
  const answering = (Object.values(contract) as Operation[]).filter(({ errors }) => errors.includes(code)).map(({ id }) => id)
  const text = [
    `${code} (HTTP status ${status})`,
    '',
    meaning,
    ...(note === undefined ? [] : ['', note]),
    '',
    `What to do: ${next}`,
    ...(answering.length === 0 ? [] : ['', `Operations that answer it: ${answering.join(', ')}.`]),
  ].join('\n')
  return `${fold(text, terminalColumns)}\n`
}
