/**
 * Tables as text, laid out as the original's are (by Go's `text/tabwriter`): every column but the last is at least 8 wide and one
 * wider than its longest cell. Scripts cut these columns, so the widths are part of the contract.
 */
import { FormatError } from './format-error.ts'

const columnWidthMin = 8
const padding = 1

/** One line per row, the header first. Control characters in cells are shown as `?`, so that no cell can break the table. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows].map(row => row.map(cell => cell.toWellFormed().replaceAll(/\p{Cc}/gu, '?')))
  const odd = rows.find(row => row.length !== header.length)
  if (odd !== undefined) throw new FormatError('table.row', `a row of the table has ${odd.length} cells instead of ${header.length}`)
  const widths = header.map((_, column) =>
    lines.reduce((width, line) => Math.max(width, cellWidth(line[column]) + padding), columnWidthMin),
  )
  return lines
    .map(line => `${line.map((cell, column) => (column === line.length - 1 ? cell : pad(cell, widths[column] ?? 0))).join('')}\n`)
    .join('')
}

/** In characters, not in UTF-16 units. */
function cellWidth(cell = ''): number {
  return [...cell].length
}

function pad(cell: string, width: number): string {
  return cell + ' '.repeat(width - cellWidth(cell))
}
