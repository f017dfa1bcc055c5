/** The words of `sti`: what it takes, in one table, for its parser, its help, its manual page and its completion. */

export interface StiFlag {
  readonly name: string
  readonly letter?: string
  /** What stands for its value; none for a switch. */
  readonly placeholder?: string
  readonly brief: string
  /** It may be given several times. */
  readonly isRepeated?: boolean
}

export const stiFlags: readonly StiFlag[] = [
  { name: 'url', letter: 'U', placeholder: 'URL', brief: 'address of the engine (unix:///var/run/docker.sock)' },
  { name: 'verbose', brief: 'tell every step' },
  { name: 'savetempdir', brief: 'keep the folder of the build' },
  { name: 'clean', brief: 'take nothing over from the image that has the name now' },
  { name: 'rm', brief: 'remove the image that had the name before' },
  { name: 'env', letter: 'e', placeholder: 'N=V,N2=V2', brief: 'variables of the scripts and the image', isRepeated: true },
  { name: 'ref', letter: 'r', placeholder: 'REF', brief: 'branch, tag or commit' },
  { name: 'callbackUrl', placeholder: 'URL', brief: 'call it when the build has ended' },
  { name: 'scripts', letter: 's', placeholder: 'FOLDER', brief: 'folder or URL of scripts that count before all others' },
]

export const stiHelp: StiFlag = { name: 'help', letter: 'h', brief: 'explain sti, and end' }

export interface StiVerb {
  readonly usage: string
  readonly brief: string
  /** What completion proposes for its arguments, the last for all that follow. */
  readonly proposes: readonly ('folder' | 'image')[]
  readonly takesFlags: boolean
}

export const stiVerbs: Readonly<Record<'build' | 'usage' | 'version', StiVerb>> = {
  build: {
    usage: 'SOURCE IMAGE TAG',
    brief: 'Make the image TAG from source with the builder image IMAGE',
    proposes: ['folder', 'image', 'image'],
    takesFlags: true,
  },
  usage: { usage: 'IMAGE', brief: 'Show what a builder image says of itself', proposes: ['image'], takesFlags: true },
  version: { usage: '', brief: 'Print the version', proposes: [], takesFlags: false },
}

export function stiUsage(): string {
  const calls = Object.entries(stiVerbs).map(([verb, { usage, takesFlags }]) =>
    ['sti', verb, usage, takesFlags ? '[flags]' : ''].filter(word => word !== '').join(' '),
  )
  const rows = stiFlags.map(({ name, letter, placeholder, brief }) => {
    const spelling = `${letter === undefined ? '    ' : `-${letter}, `}--${name}${placeholder === undefined ? '' : ` ${placeholder}`}`
    return `  ${spelling.padEnd(21)}${brief}`
  })
  return `Usage: ${calls.join('\n       ')}\n\n${rows.join('\n')}\n`
}
