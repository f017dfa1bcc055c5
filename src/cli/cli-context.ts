/** What the parser of the arguments hands through to a command. */
import type { ApplicationContext } from '@stricli/core'
import type { Context } from './context.ts'

export interface CliContext extends ApplicationContext {
  readonly gear: Context
  /** Set by the command that ran. */
  exitCode: number
}
