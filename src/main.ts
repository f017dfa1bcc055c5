/** The one executable. Asking for the version loads nothing else, since tools ask for it all the time. */
import packageFile from '../package.json' with { type: 'json' }

const { version } = packageFile
const words = process.argv.slice(2)
if (words.length === 1 && (words[0] === 'version' || words[0] === '--version')) {
  process.stdout.write(`gear ${version}\n`)
} else {
  const { processContext, runCommandLine } = await compiledAtOnce(() => import('./cli/index.ts'))
  const context = processContext(version)
  await context.end(await runCommandLine(words, context))
}

/**
 * Functions are usually compiled when they are first called, too late for Node's cache of compiled code, so every command would compile again what
 * it calls. Compiled with their module they are in the cache, which saves a command a fifteenth. Without a cache it would only be more work.
 */
async function compiledAtOnce<Loaded>(load: () => Promise<Loaded>): Promise<Loaded> {
  if (process.getBuiltinModule('node:module').getCompileCacheDir() === undefined) return load()
  const { setFlagsFromString } = process.getBuiltinModule('node:v8')
  setFlagsFromString('--no-lazy')
  try {
    return await load()
  } finally {
    // The code that Node itself comes with is compiled for this setting.
    setFlagsFromString('--lazy')
  }
}
