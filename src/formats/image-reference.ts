/**
 * Image references by the grammar that docker and podman share: `[registry[:port]/]path[:tag][@digest]`, or the id of an image. Parsed
 * strictly, because the text ends up as an argument of the engine's command line. Nothing is filled in: which registry and tag a
 * short name means is the engine's business.
 */
import { FormatError, quoted } from './format-error.ts'

export interface NamedImage {
  readonly kind: 'name'
  readonly registry: string | undefined
  readonly path: string
  readonly tag: string | undefined
  readonly digest: string | undefined
}

export interface ImageId {
  readonly kind: 'id'
  /** 64 hexadecimal digits. */
  readonly hex: string
}

export type ImageReference = NamedImage | ImageId

/** The name is registry and path; with the longest tag and digest no reference is longer than `imageReferenceCharactersMax`. */
const imageNameCharactersMax = 255
const imageReferenceCharactersMax = imageNameCharactersMax + 1 + 128 + 1 + 'sha512:'.length + 128

const pathPattern = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/
const registryPattern =
  /^(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])(?:\.(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]))*(?::([0-9]{1,5}))?$/
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const digestPattern = /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/
const imageIdPattern = /^(?:sha256:)?([0-9a-f]{64})$/

export function parseImageReference(text: string): ImageReference {
  if (text === '') throw new FormatError('image.reference', 'an image must be named, as in registry.example/path:tag')
  if (text.length > imageReferenceCharactersMax) throw refused('image.length', 'the reference is too long', text)
  const hex = imageIdPattern.exec(text)?.[1]
  if (hex !== undefined) return { kind: 'id', hex }

  const { head: tagged, tail: digest } = cut(text, text.indexOf('@'))
  if (digest !== undefined && !digestPattern.test(digest)) {
    throw refused('image.digest', 'a digest must be sha256:, sha384: or sha512: and its hexadecimal digits', text)
  }
  const colon = tagged.lastIndexOf(':')
  const { head: name, tail: tag } = cut(tagged, colon > tagged.lastIndexOf('/') ? colon : -1)
  if (tag !== undefined && !tagPattern.test(tag)) {
    throw refused('image.tag', 'a tag must be 1 to 128 letters, digits, "_", "." or "-", and not begin with "." or "-"', text)
  }
  if (name.length > imageNameCharactersMax)
    throw refused('image.length', `the name must not be longer than ${imageNameCharactersMax} characters`, text)
  return { kind: 'name', ...readName(name, text), tag, digest }
}

export function printImageReference(reference: ImageReference): string {
  if (reference.kind === 'id') return `sha256:${reference.hex}`
  const { registry, path, tag, digest } = reference
  return [
    registry === undefined ? '' : `${registry}/`,
    path,
    tag === undefined ? '' : `:${tag}`,
    digest === undefined ? '' : `@${digest}`,
  ].join('')
}

function readName(name: string, text: string): { readonly registry: string | undefined; readonly path: string } {
  const { head, tail } = cut(name, name.indexOf('/'))
  const isRegistry = tail !== undefined && (/[.:]/.test(head) || head === 'localhost')
  const path = isRegistry ? tail : name
  if (isRegistry) checkRegistry(head, text)
  if (!path.split('/').every(component => pathPattern.test(component))) {
    throw refused('image.reference', 'the path must be lower-case letters and digits, joined by "/", ".", "_", "__" or "-"', text)
  }
  if (!isRegistry && imageIdPattern.test(path)) {
    throw refused('image.reference', 'a name must not look like an image id', text)
  }
  return { registry: isRegistry ? head : undefined, path }
}

function checkRegistry(registry: string, text: string): void {
  const match = registryPattern.exec(registry)
  if (match === null) throw refused('image.registry', 'the registry must be a host name, with or without a port', text)
  const port = match[1]
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535)) {
    throw refused('image.registry', 'the port of the registry must be a number from 1 to 65535', text)
  }
}

function cut(text: string, at: number): { readonly head: string; readonly tail: string | undefined } {
  return at < 0 ? { head: text, tail: undefined } : { head: text.slice(0, at), tail: text.slice(at + 1) }
}

function refused(rule: string, message: string, text: string): FormatError {
  return new FormatError(rule, `${quoted(text)} is not an image reference: ${message}`, { input: text })
}
