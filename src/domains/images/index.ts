/** Images of the engine (spec §4.10). */
import type { Handlers } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'

export function imageHandlers({ engines }: Pick<Host, 'engines'>) {
  return {
    listImages: async ({ query }) => {
      const engine = query.engine === undefined ? await engines.choose() : engines.of(query.engine)
      const images = await engine.images()
      const tags = images.flatMap(image => image.tags.slice(0, 1))
      return { text: tags.map(tag => `${tag}\n`).join('') }
    },
  } satisfies Partial<Handlers>
}
