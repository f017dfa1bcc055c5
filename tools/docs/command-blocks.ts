/**
 * The commands that documents show. A fenced block without a language, or with `sh` or `console`, holds commands; a story runs them on lab hosts
 * (test/host/scenarios/guides.test.ts), unless a comment just before the block, which readers do not see, says why that cannot be:
 *
 *     <!-- not run: it needs the internet -->
 *
 * What is printed, or is a file, has another language: `text`, `yaml`, `Dockerfile`.
 */

export interface CommandBlock {
  /** Of the fence that opens it, from 1. */
  readonly line: number
  readonly commands: readonly Command[]
  /** Why it is not run. */
  readonly excuse: string | undefined
}

export interface Command {
  readonly line: number
  readonly text: string
  /** What it prints, where that is told. */
  readonly printed?: string
}

const commandLanguages: ReadonlySet<string> = new Set(['', 'sh', 'console'])

/** The blocks of a document that hold commands, in its order. */
export function commandBlocks(markdown: string): readonly CommandBlock[] {
  const lines = markdown.split('\n')
  const blocks: CommandBlock[] = []
  for (let at = 0; at < lines.length; at++) {
    const [, indent, language] = /^( *)```(\w*)$/.exec(lines[at] ?? '') ?? []
    if (indent === undefined || language === undefined) continue
    const end = lines.indexOf(`${indent}\`\`\``, at + 1)
    if (end < 0) throw new Error(`the block at line ${at + 1} does not end`)
    if (commandLanguages.has(language)) {
      blocks.push({ line: at + 1, commands: commandsIn(lines.slice(at + 1, end), at + 2), excuse: excuseBefore(lines, at) })
    }
    at = end
  }
  return blocks
}

function excuseBefore(lines: readonly string[], at: number): string | undefined {
  const before = lines.slice(0, at).findLast(line => line.trim() !== '')
  return /^ *<!-- not run: (.*\S) -->$/.exec(before ?? '')?.[1]
}

/** What the first block of a language holds. */
export function fencedText(markdown: string, language: string): string | undefined {
  return new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm').exec(markdown)?.[1]
}

/** Where lines begin with `$ `, those are the commands and the others are what they print; a `\` at the end goes on in the next line. */
function commandsIn(lines: readonly string[], first: number): readonly Command[] {
  const isConsole = lines.some(line => line.startsWith('$ '))
  const commands: Command[] = []
  let begun: Command | undefined
  for (const [index, line] of lines.entries()) {
    const last = commands.at(-1)
    if (isConsole && begun === undefined && !line.startsWith('$ ')) {
      if (last !== undefined) commands[commands.length - 1] = { ...last, printed: `${last.printed ?? ''}${line}\n` }
      continue
    }
    const text = isConsole && begun === undefined ? line.slice(2) : line
    if (begun === undefined && (text.trim() === '' || text.startsWith('#'))) continue
    const whole: Command = begun === undefined ? { line: first + index, text } : { line: begun.line, text: `${begun.text}\n${text}` }
    if (text.endsWith('\\')) begun = whole
    else {
      commands.push(whole)
      begun = undefined
    }
  }
  return commands
}

/** What stands between backticks in running text, with its line, where it begins with `gear`. */
export function inlineCommands(markdown: string): readonly Command[] {
  let isInBlock = false
  return markdown.split('\n').flatMap((line, index) => {
    if (/^ *```/.test(line)) isInBlock = !isInBlock
    if (isInBlock) return []
    return [...line.matchAll(/`(gear [^`]+)`/g)].map(([, text = '']) => ({ line: index + 1, text }))
  })
}

/** The words of a simple command of the shell: without its comment, what it is piped into, and where its output goes. Quotes are taken away. */
export function shellWords(text: string): readonly string[] {
  const words: string[] = []
  let word: string | undefined
  let rest = text.replaceAll('\\\n', ' ')
  while (rest !== '') {
    const [piece = '', single, double] = /^(?:'([^']*)'|"([^"]*)"|[^\s'"]+|\s+)/.exec(rest) ?? [rest]
    rest = rest.slice(piece.length)
    if (/^\s/.test(piece)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (word === undefined && /^(?:#|[|&;]|\d?>)/.test(piece)) return words
    else word = `${word ?? ''}${single ?? double ?? piece}`
  }
  return word === undefined ? words : [...words, word]
}
