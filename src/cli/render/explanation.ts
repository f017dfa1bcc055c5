/** An error code explained: the catalogue, the notes, and which operations answer it. */
import { contract, type ErrorCode, errorCatalogue, errorNotes, type Operation } from '../../api/index.ts'
import { wrap } from './wrap.ts'

export function explanation(code: ErrorCode): string {
  const { status, meaning, next } = errorCatalogue[code]
  const note = errorNotes[code]
  const answering = (Object.values(contract) as Operation[]).filter(({ errors }) => errors.includes(code)).map(({ id }) => id)
  return `${[
    `${code} (HTTP status ${status})`,
    '',
    wrap(meaning),
    ...(note === undefined ? [] : ['', wrap(note)]),
    '',
    wrap(`What to do: ${next}`),
    ...(answering.length === 0 ? [] : ['', wrap(`Operations that answer it: ${answering.join(', ')}.`)]),
  ].join('\n')}\n`
}
