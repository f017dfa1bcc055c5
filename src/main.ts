/** The one executable. Asking for the version loads nothing else, since tools ask for it all the time. */
import packageFile from '../package.json' with { type: 'json' }

const { version } = packageFile
const words = process.argv.slice(2)
if (words.length === 1 && (words[0] === 'version' || words[0] === '--version')) {
  process.stdout.write(`gear ${version}\n`)
} else {
  const { processContext, runCommandLine, setExitCode } = await import('./cli/index.ts')
  setExitCode(await runCommandLine(words, processContext(version)))
}
