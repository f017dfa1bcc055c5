/** The model of a repository: what its own files say of it. Pure. */

/** The branch a clone checks out, from the text of HEAD; undefined when it stands on a commit. */
export function branchOf(head: string): string | undefined {
  return /^ref: refs\/heads\/(\S+)\s*$/.exec(head)?.[1]
}

/** An archive of a ref as a file name: `shop-v1.0.zip`. */
export function archiveName(id: string, ref: string, extension: string): string {
  return `${id}-${ref.replaceAll(/[^\w.-]/g, '-')}.${extension}`
}

/** A ref and the form that its end asks for: `v1.0.tar.gz` may be a tag, or the tag `v1.0` packed. */
export function refWithoutSuffix(ref: string): { readonly ref: string; readonly format: 'zip' | 'tar.gz' } | undefined {
  const [, stem = '', suffix] = /^(.+)\.(zip|tar\.gz|tgz)$/.exec(ref) ?? []
  if (suffix === undefined) return undefined
  return { ref: stem, format: suffix === 'zip' ? 'zip' : 'tar.gz' }
}
