/** The one executable. Asking for the version loads nothing else, since tools ask for it all the time. */
import packageFile from '../package.json' with { type: 'json' }

const { version } = packageFile
const words = process.argv.slice(2)
if (words.length === 1 && (words[0] === 'version' || words[0] === '--version')) process.stdout.write(`gear ${version}\n`)
else void runCommand()

async function runCommand(): Promise<void> {
  const { processContext, runCommandLine } = await import('./cli/index.ts')
  const context = processContext(version)
  await context.end(await runCommandLine(words, context))
}
