/** The environment that a command line describes: a file, then arguments, and the id under which it is kept. */
import { isId } from '../api/index.ts'
import { freshRequestId } from '../client/index.ts'
import { type EnvironmentVariable, parseEnvironmentFile } from '../formats/index.ts'
import type { Context } from './context.ts'
import { UsageError, usage } from './usage-error.ts'

/** The variables of an `--env-file`. Lines that hold something but no variable are skipped, with a warning. */
export async function readVariables(context: Context, path: string | undefined): Promise<readonly EnvironmentVariable[]> {
  if (path === undefined) return []
  const text = await context.readTextFile(path).catch(cause => {
    throw new UsageError(`--env-file: ${path} cannot be read (${cause instanceof Error ? cause.message : String(cause)})`)
  })
  const { variables, skipped } = usage(`--env-file ${path}`, () => parseEnvironmentFile(text))
  for (const { line, reason } of skipped) await context.err.write(`Warning: ${path}: line ${line} is no variable: ${reason}\n`)
  return variables
}

/** A random id of 22 characters. One in 32 texts begins with a hyphen or underscore, by which a command line takes it for a flag; then another is drawn. */
export function newEnvironmentId(draw: () => string = freshRequestId): string {
  let text = draw()
  while (!isId(text)) text = draw()
  return text
}
