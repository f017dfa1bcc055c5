/**
 * The parts of zod that the contract is written with, under zod's names: each schema is made when it is first looked into. The contract has hundreds, a command
 * looks into a dozen, and making all of them took an eighth of its time.
 */
import * as z from 'zod/mini'

export { type infer, NEVER, type output, type ZodMiniType } from 'zod/mini'

/** A schema that is not made yet. Zod, and all that looks into schemas, begins with `_zod`. */
class Later {
  readonly #make: () => z.ZodMiniType
  #made: z.ZodMiniType | undefined

  constructor(make: () => z.ZodMiniType) {
    this.#make = make
  }

  get made(): z.ZodMiniType {
    this.#made ??= this.#make()
    return this.#made
  }

  get _zod(): z.ZodMiniType['_zod'] {
    const value = this.made._zod
    // From now on a property as any other.
    Object.defineProperty(this, '_zod', { value })
    return value
  }

  check(...checks: Parameters<z.ZodMiniType['check']>): Later {
    return new Later(() => this.made.check(...checks))
  }

  safeParse(value: unknown): ReturnType<z.ZodMiniType['safeParse']> {
    return this.made.safeParse(value)
  }
}

function later<Make extends (...args: never[]) => unknown>(make: Make): Make {
  const makeLater = (...args: never[]) => new Later(() => make(...args) as z.ZodMiniType)
  return makeLater as unknown as Make
}

export const array = later(z.array)
export const boolean = later(z.boolean)
const enumeration = later(z.enum)
export const number = later(z.number)
export const object = later(z.object)
export const optional = later(z.optional)
export const pipe = later(z.pipe)
export const refine = later(z.refine)
export const string = later(z.string)
export const transform = later(z.transform)
export const unknown = later(z.unknown)
export const _default = later(z._default)
export { enumeration as enum }
