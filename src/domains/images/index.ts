/** Images of the engine (spec §4.10). */
import type { Handlers } from '../../api/index.ts'
import type { Host } from '../../host/index.ts'

export function imageHandlers({ engine }: Pick<Host, 'engine'>) {
  return {
    listImages: async () => {
      const images = await engine.images()
      const tags = images.flatMap(image => image.tags.slice(0, 1))
      return { text: tags.map(tag => `${tag}\n`).join('') }
    },
  } satisfies Partial<Handlers>
}
