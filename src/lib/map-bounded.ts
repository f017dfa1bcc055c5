/** The same work for many items, a few at a time. */

/** The results in the order of the items. The first failure is thrown once what had begun has ended; nothing more is begun then. */
export async function mapBounded<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  map: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  const waiting = items.entries()
  let hasFailed = false
  const work = async (): Promise<void> => {
    for (const [index, item] of waiting) {
      if (hasFailed) return
      try {
        results[index] = await map(item)
      } catch (error) {
        hasFailed = true
        throw error
      }
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, work))
  const failed = ended.find(outcome => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return results
}
