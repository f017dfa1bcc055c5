/** `gear explain` */
import { type ErrorCode, errorCatalogue } from '../../api/index.ts'
import { printTable } from '../../formats/index.ts'
import { defineCommand } from '../command.ts'
import { didYouMean, UsageError } from '../usage-error.ts'

export const command = () =>
  defineCommand({
    name: 'explain',
    usage: '[CODE...] [flags]',
    description: ['Tells what the code of an error means, what usually leads to it, and what to do. Without a code it lists all of them.'],
    argument: { placeholder: 'CODE', brief: 'A code, such as PORT_TAKEN', values: Object.keys(errorCatalogue) },
    examples: ['gear explain PORT_TAKEN', 'gear explain'],
    flags: {},
    run: async (context, flags, args) => {
      const codes = args.map(codeNamed)
      if (flags.output === 'json') {
        const all = (codes.length === 0 ? (Object.keys(errorCatalogue) as ErrorCode[]) : codes).map(code => ({
          code,
          ...errorCatalogue[code],
        }))
        await context.out.write(`${JSON.stringify(all)}\n`)
      } else if (codes.length === 0) {
        const rows = Object.entries(errorCatalogue).map(([code, { meaning }]) => [code, meaning])
        await context.out.write(printTable(['CODE', 'MEANING'], rows))
      } else {
        const { explanation } = await import('../render/explanation.ts')
        await context.out.write(codes.map(code => explanation(code, context.out.isTerminal ? context.out.columns : undefined)).join('\n'))
      }
      return 0
    },
  })

function codeNamed(word: string): ErrorCode {
  const code = word.toUpperCase().replaceAll('-', '_')
  if (Object.hasOwn(errorCatalogue, code)) return code as ErrorCode
  throw new UsageError(`there is no code ${word}${didYouMean(code, Object.keys(errorCatalogue))} (all: gear explain)`)
}
