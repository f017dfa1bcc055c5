/** Host names and IPv4 addresses as they may appear in links and locators: nothing else may reach a rule file or a URL. */

const hostNameCharactersMax = 253
const labelPattern = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/

/** True for a DNS name (underscores allowed, as containers' names have them) and for an IPv4 address in its usual form. */
export function isHostName(text: string): boolean {
  if (text.length > hostNameCharactersMax) return false
  // A name that ends in a number is read as an address by URL parsers (WHATWG URL, "ends in a number") and by many tools.
  if (/(?:^|\.)(?:[0-9]+|0x[0-9A-Fa-f]*)$/.test(text)) return isIpv4Address(text)
  return text.split('.').every(label => labelPattern.test(label))
}

/** Four decimal numbers without leading zeros: other spellings mean different things to different tools. */
export function isIpv4Address(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every(part => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255)
}
