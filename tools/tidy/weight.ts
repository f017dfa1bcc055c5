/**
 * What a start of the program loads before it knows what is asked of it, told by the bundler: the way from an entry over everything that is
 * imported at once.
 */
import type { Finding } from './rules.ts'

/** The part of esbuild's metafile that is needed here. */
export interface Bundle {
  readonly inputs: Readonly<
    Record<string, { readonly imports: readonly { readonly path: string; readonly kind: string; readonly external?: boolean }[] }>
  >
}

export interface Weight {
  readonly entry: string
  /** Packages and folders that must not be loaded, by why. */
  readonly without: Readonly<Record<string, string>>
}

export const weights: readonly Weight[] = [
  {
    entry: 'src/main.ts',
    without: { 'node_modules/': 'asking for the version loads no package', 'src/agent/': 'only the daemon needs it' },
  },
  {
    entry: 'src/cli/index.ts',
    without: {
      'node_modules/zod/v4/classic/': 'zod/mini is enough',
      'node_modules/hono/': 'the command line serves nothing',
      'node_modules/@hono/': 'the command line serves nothing',
      'node_modules/dbus-native/': 'the command line asks agents',
      'src/agent/': 'the command line asks agents',
      'src/domains/': 'the command line asks agents',
      'src/host/': 'the command line asks agents',
    },
  },
]

export function checkWeight({ inputs }: Bundle, { entry, without }: Weight): readonly Finding[] {
  const reachedFrom = new Map<string, string>([[entry, '']])
  for (const path of reachedFrom.keys()) {
    for (const { path: next, kind, external } of inputs[path]?.imports ?? []) {
      if (kind !== 'dynamic-import' && external !== true && !reachedFrom.has(next)) reachedFrom.set(next, path)
    }
  }
  if (inputs[entry] === undefined) return [{ path: entry, message: 'is not part of the bundle' }]
  return Object.entries(without).flatMap(([part, why]) => {
    const path = reachedFrom.keys().find(candidate => candidate.startsWith(part))
    return path === undefined ? [] : [{ path: entry, message: `loads ${path}, through ${reachedFrom.get(path)}, but ${why}` }]
  })
}
