/** A URL for messages and logs: without credentials and query, which may be secret. */
export function urlWithoutSecrets(url: string): string {
  if (!URL.canParse(url)) return url
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}
