/** The page of the command line: what `gear help` prints, and what every command says about itself. */
import type { Context } from '../../src/cli/context.ts'
import { runCommandLine } from '../../src/cli/index.ts'
import { summaries } from '../../src/cli/summaries.ts'
import { page } from './markdown.ts'

/** As wide as a line of the page may be. */
const columns = 120

export async function cliPage(version: string): Promise<string> {
  const commands = Object.keys(summaries)
  const texts = await Promise.all([['help'], ...commands.map(name => [name, '--help'])].map(words => helpText(words, version)))
  const titles = ['gear', ...commands.map(name => `gear ${name}`)]
  return page(
    'Command line',
    'Help goes to standard error, results to standard output. The exit code is 0 when everything was done, and 1 when anything failed or was used wrongly.',
    titles.map((title, index) => `## ${title}\n\n\`\`\`text\n${texts[index]}\n\`\`\``),
  )
}

async function helpText(words: readonly string[], version: string): Promise<string> {
  let printed = ''
  const none = (): never => {
    throw new Error(`gear ${words.join(' ')} does more than explain itself`)
  }
  const output = {
    isTerminal: false,
    columns,
    rows: 24,
    draw: none,
    write: async (text: string) => {
      printed += text
    },
  }
  const context: Context = {
    version,
    platform: 'linux',
    out: output,
    err: output,
    signal: new AbortController().signal,
    tokenFile: undefined,
    variable: none,
    confirm: undefined,
    nowMs: none,
    pause: none,
    connect: none,
    readTextFile: none,
    createFile: none,
    replaceFile: none,
    delay: none,
    identity: none,
    streams: { input: none, write: none, size: none, takeKeys: none },
    endWithReader: none,
    readInput: none,
    saveBytes: none,
  }
  const exitCode = await runCommandLine(words, context)
  if (exitCode !== 0) throw new Error(`gear ${words.join(' ')} ended with ${exitCode}: ${printed}`)
  return printed.trimEnd()
}
