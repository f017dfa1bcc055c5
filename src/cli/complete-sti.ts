/** What may follow on a command line of `sti`: `sti __complete WORD... PARTIAL`, in the form of `gear __complete`. */
import { printProposals } from './complete.ts'
import type { Context } from './context.ts'
import { liveNames, type Proposal } from './names.ts'
import { type StiFlag, stiFlags, stiHelp, stiVerbs } from './sti-words.ts'

/** The proposals as the shells read them. Never throws. */
export async function completeSti(words: readonly string[], context: Context): Promise<string> {
  return printProposals(await proposals(words.slice(0, -1), words.at(-1) ?? '', context).catch(() => []))
}

const all: readonly StiFlag[] = [...stiFlags, stiHelp]

async function proposals(before: readonly string[], partial: string, context: Context): Promise<readonly Proposal[]> {
  const waiting = flagNamed(before.at(-1) ?? '')
  if (waiting?.placeholder !== undefined) return waiting.placeholder === 'FOLDER' ? folders : []
  const [, assigned] = /^(--\w+)=/.exec(partial) ?? []
  if (assigned !== undefined) return flagNamed(assigned)?.placeholder === 'FOLDER' ? folders : []
  if (partial.startsWith('-')) {
    const flags = all.map(({ name, brief }) => ({ value: `--${name}`, brief }))
    return flags.filter(({ value }) => value.startsWith(partial))
  }
  const [verb, ...given] = before.filter((word, at) => !word.startsWith('-') && flagNamed(before[at - 1] ?? '')?.placeholder === undefined)
  if (verb === undefined) {
    const verbs = Object.entries(stiVerbs).map(([value, { brief }]) => ({ value, brief }))
    return verbs.filter(({ value }) => value.startsWith(partial))
  }
  const kind = Object.hasOwn(stiVerbs, verb) ? stiVerbs[verb as keyof typeof stiVerbs].proposes[given.length] : undefined
  if (kind === 'folder') return folders
  if (kind === undefined) return []
  const images = await liveNames('image', { partial, context, tokenFile: context.tokenFile })
  return images.filter(({ value }) => value.startsWith(partial))
}

const folders: readonly Proposal[] = [{ value: ':folders', brief: '' }]

function flagNamed(word: string): StiFlag | undefined {
  return all.find(({ name, letter }) => word === `--${name}` || (letter !== undefined && word === `-${letter}`))
}
