/** Words of containers, images and other hosts, made harmless for a terminal: none of theirs may move the cursor, set a title or hide a line. */
export function foreignText(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]/gu, '?')
}
