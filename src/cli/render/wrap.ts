/** Help in lines that fit: what is longer goes on below, under the text it belongs to. */

/** No wider, or it does not read well. */
const helpColumns = 100
/** A column of text that is narrower than this is not worth it. */
const textColumnsMin = 24

/** Paragraphs are folded to a width that reads well, tables only to that of a terminal: in a file they are for programs, and stay as they are. */
export function fold(text: string, terminalColumns: number | undefined): string {
  const widest = Math.max(terminalColumns ?? helpColumns, textColumnsMin)
  return text
    .split('\n')
    .map(line => {
      if (!line.startsWith(' ')) return folded(line, Math.min(widest, helpColumns), 0)
      return terminalColumns === undefined ? line : folded(line, widest, hangingIndent(line, widest))
    })
    .join('\n')
}

/** Where the text of a line of a table begins: after its last gap. */
function hangingIndent(line: string, columns: number): number {
  const gap = /^( *\S.*? {2,})\S/.exec(line)?.[1]?.length ?? 0
  return gap > 0 && gap <= columns - textColumnsMin ? gap : (/^ */.exec(line)?.[0].length ?? 0) + 2
}

function folded(line: string, columns: number, indent: number): string {
  const lines = []
  let rest = line
  while (rest.length > columns) {
    const start = /^ */.exec(rest)?.[0].length ?? 0
    const space = rest.lastIndexOf(' ', columns)
    const end = space > start ? space : rest.indexOf(' ', columns)
    if (end < 0) break
    lines.push(rest.slice(0, end).trimEnd())
    rest = `${' '.repeat(indent)}${rest.slice(end).trimStart()}`
  }
  return [...lines, rest].join('\n')
}
