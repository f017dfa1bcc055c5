/** What `gear` and `gear help` print. */
import { commandAliases, summaries } from '../summaries.ts'

export function overviewText(): string {
  const names = Object.entries(summaries).map(([name, summary]) => {
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
    'Containers and environments are named [host[:port]/]id, for example web-1 on this machine or node7/web-1.',
    'Flags of every command: --output text|json (-o), --token-file FILE, --help (-h).',
  ].join('\n')}\n`
}
