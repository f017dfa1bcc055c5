/** The manual pages gear(1), gear-COMMAND(1) and sti(1), from what the commands say of themselves: the same words as in `--help`. */
import type { Flag } from '../../src/cli/command.ts'
import { allCommands } from '../../src/cli/index.ts'
import { stiFlags, stiHelp, stiVerbs } from '../../src/cli/sti-words.ts'
import { commandAliases, summaries } from '../../src/cli/summaries.ts'

type Command = ReturnType<typeof allCommands> extends ReadonlyMap<string, infer Each> ? Each : never

/** File names and texts. */
export function manualPages(version: string): readonly (readonly [name: string, text: string])[] {
  const commands = [...allCommands()]
  return [
    ['gear.1', overviewPage(version)],
    ...commands.map(([name, command]): [string, string] => [`gear-${name}.1`, commandPage(name, command, version)]),
    ['sti.1', stiPage(version)],
  ]
}

function overviewPage(version: string): string {
  const commands = Object.entries(summaries).map(([name, summary]) => {
    const aliases = Object.keys(commandAliases).filter(alias => commandAliases[alias] === name)
    const also = aliases.length === 0 ? '' : ` Also: gear ${aliases.join(', gear ')}.`
    return term(`\\fBgear\\-${roff(name)}\\fR(1)`, `${summary}.${also}`)
  })
  return page('gear', 'install container images as systemd services', version, [
    section('SYNOPSIS', ['.B gear', '.I COMMAND', '[\\fIarguments\\fR] [\\fIflags\\fR]']),
    section('DESCRIPTION', [
      ...paragraph(
        'gear installs container images as systemd services on plain Linux hosts. An agent on each host offers the same over an HTTP API; the command line talks to one host or to many at once, and does the work itself on a host where no agent runs.',
      ),
      ...paragraph(
        'Containers and environments are named [host[:port]/]id, for example web-1 on this machine or node7/web-1. Flags and arguments may come in any order. Help and messages go to standard error, results to standard output.',
      ),
    ]),
    section('COMMANDS', commands.flat()),
    section('OPTIONS', commonOptions().flat()),
    section(
      'ENVIRONMENT',
      [
        term(
          '\\fBGEAR_TOKENS\\fR, \\fBGEAR_TOKEN_FILE\\fR',
          'The file with the bearer token of the agents, unless --token-file names one. Without any of them it is ~/.config/gear/tokens, if that is there.',
        ),
        term('\\fBGEAR_HOSTS\\fR', 'Hosts that completion proposes, with spaces or commas between them.'),
        term('\\fBGEARD_SOCKET\\fR', 'The Unix socket of the agent of this machine (/run/gear/gear.sock).'),
        term('\\fBTERM\\fR', 'A terminal that is dumb is written to as a file is. Colours are not used.'),
      ].flat(),
    ),
    section(
      'FILES',
      [
        term('\\fI/var/lib/containers\\fR', 'Units, ports, environments and links: what is installed.'),
        term('\\fI/etc/default/gear\\fR, \\fI/etc/gear/gear.json\\fR', 'Settings of the agent.'),
      ].flat(),
    ),
    exitStatus(),
    section('SEE ALSO', ['.BR systemctl (1),', '.BR journalctl (1),', '.BR systemd.service (5)']),
  ])
}

function commandPage(name: string, command: Command, version: string): string {
  const { text, usage, argument, flags, aliases } = command
  const own = Object.entries(flags).filter(([, flag]) => flag.hidden !== true)
  const summary = summaries[name as keyof typeof summaries]
  return page(`gear-${name}`, `${summary.charAt(0).toLowerCase()}${summary.slice(1)}`, version, [
    section('SYNOPSIS', [`.B gear ${roff(name)}`, roff(usage.slice(`gear ${name}`.length).trim()) || '\\&']),
    section(
      'DESCRIPTION',
      [summary, ...text.description].flatMap(words => paragraph(words.endsWith('.') ? words : `${words}.`)),
    ),
    ...(argument === undefined ? [] : [section('ARGUMENTS', term(`\\fI${roff(argument.placeholder)}\\fR`, argument.brief))]),
    section('OPTIONS', [...own.flatMap(([flagName, flag]) => option(flagName, flag, aliases)), ...helpOption()]),
    section('EXAMPLES', ['.EX', ...text.examples.map(roff), '.EE']),
    exitStatus(text.exitCodes),
    section('SEE ALSO', ['.BR gear (1)']),
  ])
}

function stiPage(version: string): string {
  const verbs = Object.entries(stiVerbs)
  const calls = verbs.map(
    ([verb, { usage, takesFlags }]) => `.B sti ${verb}\n${roff([usage, takesFlags ? '[flags]' : ''].join(' ').trim()) || '\\&'}`,
  )
  const options = [...stiFlags, stiHelp].flatMap(({ name, letter, placeholder, brief }) => {
    const value = placeholder === undefined ? '' : ` \\fI${roff(placeholder)}\\fR`
    const spellings = [...(letter === undefined ? [] : [`\\fB\\-${letter}\\fR`]), `\\fB\\-\\-${roff(name)}\\fR`]
    return term(`${spellings.join(', ')}${value}`, `${brief.charAt(0).toUpperCase()}${brief.slice(1)}.`)
  })
  return page('sti', 'make images from source, as the tool of the original geard', version, [
    section('SYNOPSIS', [calls.join('\n.br\n')]),
    section('DESCRIPTION', [
      ...paragraph(
        'For scripts that call the tool of that name: its commands, its flags and its exit codes. gear does the work, on this machine.',
      ),
      ...paragraph('Whoever begins anew takes gear build, which can do more.'),
    ]),
    section(
      'COMMANDS',
      verbs.flatMap(([verb, { brief }]) => term(`\\fB${verb}\\fR`, `${brief}.`)),
    ),
    section('OPTIONS', options),
    section('EXAMPLES', ['.EX', roff('sti build https://example.com/acme/shop.git acme/node-builder acme/shop --ref v1'), '.EE']),
    section(
      'EXIT STATUS',
      [
        ['0', 'The image was made.'] as const,
        ['1', 'It was not, and a message on standard output says why.'] as const,
        ...interruptedCodes,
      ].flatMap(([code, meaning]) => term(code, meaning)),
    ),
    section('SEE ALSO', ['.BR gear (1),', '.BR gear\\-build (1)']),
  ])
}

/** The flags that every command has. */
function commonOptions(): readonly (readonly string[])[] {
  const version = allCommands().get('version')
  if (version === undefined) throw new Error('there is no command version')
  const shown = Object.entries(version.flags).filter(([, flag]) => flag.hidden !== true)
  return [...shown.map(([name, flag]) => option(name, flag, version.aliases)), helpOption()]
}

function option(name: string, flag: Flag, aliases: Readonly<Record<string, string>>): readonly string[] {
  const long = name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
  const letters = Object.entries(aliases).filter(([, full]) => full === name)
  const values = flag.values === undefined ? undefined : flag.values.join('|')
  const value = flag.kind === 'boolean' ? '' : ` \\fI${roff(values ?? flag.placeholder ?? 'VALUE')}\\fR`
  const spellings = [...letters.map(([letter]) => `\\fB\\-${letter}\\fR`), `\\fB\\-\\-${roff(long)}\\fR`]
  return term(`${spellings.join(', ')}${value}`, flag.brief.endsWith('.') ? flag.brief : `${flag.brief}.`)
}

function helpOption(): readonly string[] {
  return term('\\fB\\-h\\fR, \\fB\\-\\-help\\fR', 'Explain the command, and end.')
}

function exitStatus(own: Command['text']['exitCodes'] = usualCodes): string {
  return section(
    'EXIT STATUS',
    [...own, ...interruptedCodes].flatMap(([code, meaning]) => term(code, meaning)),
  )
}

const usualCodes = [
  ['0', 'Everything was done.'],
  ['1', 'Something failed, was refused at a question, or was used wrongly.'],
] as const

const interruptedCodes = [
  ['130, 143', 'The command was interrupted.'],
  ['141', 'Nobody was left to read the output.'],
] as const

function page(name: string, brief: string, version: string, sections: readonly string[]): string {
  const title = `.TH ${roff(name.toUpperCase())} 1 "" "gear ${roff(version)}" "Manual of gear"`
  return `${['.\\" Written by npm run docs; changes are made in the sources.', title, section('NAME', [`${roff(name)} \\- ${roff(brief)}`]), ...sections].join('\n')}\n`
}

function section(title: string, lines: readonly string[]): string {
  // A section begins with a paragraph anyhow.
  return [`.SH ${title}`, ...(lines[0] === '.PP' ? lines.slice(1) : lines)].join('\n')
}

function term(title: string, text: string): readonly string[] {
  return ['.TP', title, ...lines(text)]
}

function paragraph(text: string): readonly string[] {
  return ['.PP', ...lines(text)]
}

/** A sentence a line, as roff wants its input, or more where that is too long for mail and diff. */
function lines(text: string): readonly string[] {
  return text.split(/(?<=[.:!?]) +(?=[A-Z])/).flatMap(sentence => {
    const found = ['']
    for (const word of sentence.split(' ')) {
      const line = found.at(-1) ?? ''
      if (line !== '' && line.length + word.length > lineColumnsMax) found.push(word)
      else found[found.length - 1] = line === '' ? word : `${line} ${word}`
    }
    return found.map(roff)
  })
}

/** Some characters take more in roff. */
const lineColumnsMax = 66

/** Text that roff takes as it stands. Hyphens are those that can be copied into a shell. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('~', '\\(ti')
    .replaceAll('^', '\\(ha')
    .replaceAll('`', '\\(ga')
    .replaceAll("'", '\\(aq')
    .replace(/^\./, '\\&.')
}
