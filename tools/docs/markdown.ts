/** The few forms of Markdown that the reference is written in. */

/** What every page begins with. */
export function page(title: string, introduction: string, parts: readonly string[]): string {
  return `${[`# ${title}`, '<!-- Written by `npm run docs`; changes are made in the sources. -->', introduction, ...parts].join('\n\n')}\n`
}

export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return [columns, columns.map(() => '---'), ...rows].map(cells => `| ${cells.map(cell).join(' | ')} |`).join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ')
}

export function code(text: string): string {
  return `\`${text}\``
}
