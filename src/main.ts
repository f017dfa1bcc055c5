/** The one executable. Asking for the version loads nothing else, since tools ask for it all the time. */
import packageFile from '../package.json' with { type: 'json' }

const { version } = packageFile
const words = process.argv.slice(2)
if (words.length === 1 && (words[0] === 'version' || words[0] === '--version')) tellVersion()
else void runCommand()

function tellVersion(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    const isUnread = error.code === 'EPIPE'
    if (!isUnread) process.stderr.write(`Error: What was to be printed could not be written (${error.message})\n`)
    process.exitCode = isUnread ? 141 : 1
  })
  process.stdout.write(`gear ${version}\n`)
}

async function runCommand(): Promise<void> {
  takeCompiledBuiltins()
  const { processContext, runCommandLine } = await import('./cli/index.ts')
  const context = processContext(version)
  await context.end(await runCommandLine(words, context))
}

/**
 * `bin/gear` starts commands with `--no-rehash-snapshot`, a seventh of Node's own start. Modules of Node that are loaded later, such as `node:net`, come with compiled code that V8 takes only
 * under the flags it was compiled under, so from here on they are as if nothing had been said. The public way to set flags, `node:v8`, is one of those
 * modules itself. Without the binding everything works the same, 3 ms later (docs/decisions/0008-compiled-scripts.md).
 */
function takeCompiledBuiltins(): void {
  const internals = process.getBuiltinModule('internal/test/binding') as Internals | undefined
  internals?.internalBinding('v8').setFlagsFromString('--rehash-snapshot')
}

interface Internals {
  internalBinding(name: 'v8'): { setFlagsFromString(flags: string): void }
}
