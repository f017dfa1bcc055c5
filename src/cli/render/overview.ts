/** What `gear` and `gear help` print. */
import { commandAliases, linuxCommands, summaries, systemName } from '../summaries.ts'

export function overviewText(platform: string): string {
  const there = Object.entries(summaries).filter(([name]) => platform === 'linux' || !linuxCommands.has(name))
  const names = there.map(([name, summary]) => {
    const aliases = Object.keys(commandAliases).filter(alias => commandAliases[alias] === name)
    return { title: [name, ...aliases].join(', '), summary }
  })
  const width = Math.max(...names.map(({ title }) => title.length)) + 2
  return `${[
    'gear installs container images as systemd services on Linux hosts.',
    '',
    'Usage: gear COMMAND [arguments] [flags]',
    '',
    ...names.map(({ title, summary }) => `  ${title.padEnd(width)}${summary}`),
    `  ${'help COMMAND'.padEnd(width)}Explain a command`,
    '',
    platform === 'linux'
      ? 'Containers and environments are named [host[:port]/]id, for example web-1 on this machine or node7/web-1.'
      : `Containers and environments are named host[:port]/id, for example node7/web-1; ${systemName(platform)} itself has none.`,
    'Flags of every command: --output text|json (-o), --token-file FILE, --help (-h).',
  ].join('\n')}\n`
}
