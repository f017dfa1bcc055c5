/**
 * The MCS level of a container (SELinux): processes and files of one level are out of reach for those of another, though their type is the same.
 * It follows from the id alone, so that a container has the same at every start and on every host. Pairs of categories, as engines draw them, would be
 * alike for two of a thousand containers; eight of the 1024 are not before there are a billion. Sets of one size never hold each other.
 */
import { createHash } from 'node:crypto'

const categoriesMax = 1024
const categoriesPerLevel = 8

/** `s0:c1,c20,…`, in order. */
export function mcsLevel(id: string): string {
  const categories = new Set<number>()
  for (let round = 0; categories.size < categoriesPerLevel; round++) {
    const digest = createHash('sha256').update(`gear ${round} ${id}`).digest()
    for (let at = 0; at < digest.length && categories.size < categoriesPerLevel; at += 2)
      categories.add(digest.readUInt16BE(at) % categoriesMax)
  }
  return `s0:${[...categories]
    .sort((one, other) => one - other)
    .map(category => `c${category}`)
    .join(',')}`
}
