/** The order of two texts by the numbers of their characters, as `sort` takes it. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
