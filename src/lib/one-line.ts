/** Text of any number of lines as one. Not by a regular expression: with `\s*\n\s*` somebody's long run of blanks takes time by its square. */
export function oneLine(text: string): string {
  return text
    .split(/[\n\r]/)
    .map(line => line.trim())
    .filter(line => line !== '')
    .join(' ')
}
