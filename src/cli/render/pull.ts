/**
 * The progress of a pull in one line, from the lines of the engines: Docker says `LAYER: Pull complete` and the like for each layer and stage, Podman
 * `Copying blob LAYER`, with `done` or `skipped` behind it where it is.
 */

export interface PullProgress {
  /** What to show after this line of the log; undefined when it is not about a pull. */
  take(line: string): string | undefined
}

export function pullProgress(): PullProgress {
  let image: string | undefined
  let layers = new Map<string, boolean>()
  return {
    take(line) {
      const [, pulled] = /: pulling (\S+)$/.exec(line) ?? []
      if (pulled !== undefined) {
        image = pulled
        layers = new Map()
        return `pulling ${image}`
      }
      const layer = layerOf(line)
      if (layer === undefined || image === undefined) return undefined
      layers.set(layer.id, layer.isDone || layers.get(layer.id) === true)
      const done = [...layers.values()].filter(isDone => isDone).length
      return `pulling ${image}: ${done} of ${layers.size} layers`
    },
  }
}

function layerOf(line: string): { readonly id: string; readonly isDone: boolean } | undefined {
  const [, dockerId, stage] =
    /: ([0-9a-f]{12}): (Pulling fs layer|Waiting|Downloading|Verifying Checksum|Download complete|Extracting|Pull complete|Already exists)\b/.exec(
      line,
    ) ?? []
  if (dockerId !== undefined) return { id: dockerId, isDone: stage === 'Pull complete' || stage === 'Already exists' }
  const [, podmanId, end] = /: Copying blob (?:sha256:)?([0-9a-f]{12,64})\b.*?(done|skipped)?\b[^\w]*$/.exec(line) ?? []
  return podmanId === undefined ? undefined : { id: podmanId.slice(0, 12), isDone: end !== undefined }
}
