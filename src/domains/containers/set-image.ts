/** The unit of an installed container with another image and everything else as it is. Pure. */
import {
  escapeSpecifiers,
  parseUnitFile,
  printCommand,
  printUnitFile,
  readUnitMetadata,
  splitCommand,
  type UnitEntry,
} from '../../formats/index.ts'

/** The image is the last argument of its name in the commands, and what the metadata say. */
export function withImage(unitText: string, { image, requestId }: { readonly image: string; readonly requestId: string }): string {
  const unit = parseUnitFile(unitText)
  const [before = ''] = readUnitMetadata(unitText).get('X-ContainerImage') ?? []
  const entry = ([key, value]: UnitEntry): UnitEntry => {
    if (key === 'X-ContainerImage') return [key, escapeSpecifiers(image)]
    if (key === 'X-ContainerRequestId') return [key, requestId]
    if (!key.startsWith('Exec')) return [key, value]
    const argv = [...splitCommand(value)]
    const place = argv.lastIndexOf(before)
    if (place < 0) return [key, value]
    argv[place] = image
    return [key, printCommand(argv)]
  }
  return printUnitFile({ sections: unit.sections.map(({ name, entries }) => ({ name, entries: entries.map(entry) })) })
}
