/**
 * Names of units, and of the objects that stand for them on the bus. On the bus every
 * byte that is not a letter or digit is written as `_xx` (a leading digit too), as systemd itself does it.
 */
import { FormatError, quoted } from './format-error.ts'
import { isLongerThan } from './text-rules.ts'

const unitObjectPrefix = '/org/freedesktop/systemd1/unit/'
const unitNameBytesMax = 255
const unitNamePattern = /^[A-Za-z0-9:_.\\@-]+\.(?:service|socket|slice|target|timer|path|mount|automount|swap|scope|device)$/

export function checkUnitName(name: string): void {
  if (name.length > unitNameBytesMax || !unitNamePattern.test(name)) {
    throw new FormatError('unit-name', `not the name of a unit: ${quoted(name)}`, { input: name })
  }
}

/** The path of a unit's object on the bus. */
export function unitObjectPath(unitName: string): string {
  checkUnitName(unitName)
  return unitObjectPrefix + escapeBusLabel(unitName)
}

/** The unit that an object path stands for. */
export function unitNameOfObjectPath(path: string): string {
  if (!path.startsWith(unitObjectPrefix))
    throw new FormatError('unit-name.path', `not the path of a unit: ${quoted(path)}`, { input: path })
  return unescapeBusLabel(path.slice(unitObjectPrefix.length))
}

/** One part of an object path, out of any text. */
export function escapeBusLabel(text: string): string {
  if (isLongerThan(text, unitNameBytesMax))
    throw new FormatError('unit-name.label', `a label must not be longer than ${unitNameBytesMax} bytes`)
  if (!text.isWellFormed()) throw new FormatError('unit-name.label', 'a label must be Unicode text, without lone surrogates')
  if (text === '') return '_'
  return [...Buffer.from(text)].map((byte, index) => escapeByte(byte, index === 0)).join('')
}

export function unescapeBusLabel(label: string): string {
  if (label === '_') return ''
  if (label.length > 3 * unitNameBytesMax || !/^(?:[A-Za-z0-9]|_[0-9a-f]{2})+$/.test(label)) {
    throw new FormatError('unit-name.label', `not an escaped label: ${quoted(label)}`, { input: label })
  }
  const bytes = Buffer.from(
    label.replaceAll(/_(..)|(.)/g, (_, hex?: string, plain?: string) => hex ?? Buffer.from(plain ?? '').toString('hex')),
    'hex',
  )
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new FormatError('unit-name.label', `not an escaped label of UTF-8 text: ${quoted(label)}`, { input: label })
  }
}

function escapeByte(byte: number, isFirst: boolean): string {
  const character = String.fromCharCode(byte)
  const isPlain = isFirst ? /[A-Za-z]/.test(character) : /[A-Za-z0-9]/.test(character)
  return isPlain ? character : `_${byte.toString(16).padStart(2, '0')}`
}
