/**
 * Network links: a host and port as seen inside a container, led to another host and port. The text form is that of `--net-links`,
 * `[fromhost:]fromport:tohost:toport,…`; the file form is what is kept for a container and read by the link helper, one line of four
 * fields between tabs. Hosts are held to names and IPv4 addresses, because they end up in rule sets.
 */
import { FormatError, quoted } from './format-error.ts'
import { isHostName } from './host-name.ts'
import { readPort } from './ports.ts'
import { isLongerThan } from './text-rules.ts'

export interface NetworkLink {
  /** May be empty, which is kept as it is. */
  readonly fromHost: string
  readonly fromPort: number
  /** 0 while it is not known. */
  readonly toPort: number
  /** Empty while it is not known. */
  readonly toHost: string
}

export const networkLinksMax = 1000

const linksBytesMax = networkLinksMax * 600
const defaultFromHost = '127.0.0.1'

/** Reads the text of `--net-links`. An empty text is an empty list. */
export function parseNetworkLinks(text: string): readonly NetworkLink[] {
  checkLength(text)
  if (text === '') return []
  const links = text.split(',').map(parseElement)
  checkCount(links)
  return links
}

/** Reads the file of a container. */
export function parseNetworkLinkFile(text: string): readonly NetworkLink[] {
  checkLength(text)
  const links = text.split('\n').flatMap((line, index) => (line === '' ? [] : [parseLine(line, index + 1)]))
  checkCount(links)
  return links
}

export function printNetworkLinkFile(links: readonly NetworkLink[]): string {
  checkCount(links)
  for (const link of links) checkNetworkLink(link)
  return links.map(({ fromHost, fromPort, toPort, toHost }) => `${fromHost}\t${fromPort}\t${toPort}\t${toHost}\n`).join('')
}

/** The rules that hold for a link wherever it comes from. */
function checkNetworkLink({ fromHost, fromPort, toPort, toHost }: NetworkLink): void {
  for (const host of [fromHost, toHost]) {
    if (host !== '' && !isHostName(host)) {
      throw new FormatError('links.host', `the host of a link must be a host name or an IPv4 address, not ${quoted(host)}`, { input: host })
    }
  }
  if (!isPort(fromPort)) throw new FormatError('links.port', `the port a link leads from must be from 1 to 65535, not ${fromPort}`)
  if (toPort !== 0 && !isPort(toPort))
    throw new FormatError('links.port', `the port a link leads to must be 0 or from 1 to 65535, not ${toPort}`)
}

/** Whether a link says where it leads. Incomplete ones are stored and not applied. */
export function isCompleteLink(link: NetworkLink): boolean {
  return link.toPort > 0 && link.toHost !== ''
}

function parseElement(text: string): NetworkLink {
  const fields = text.split(':')
  if (fields.length < 3) {
    throw new FormatError('links.element', `a link must be [fromhost:]fromport:tohost:toport, not ${quoted(text)}`, { input: text })
  }
  // With more than four fields the rest is ignored, as it always was.
  const [fromHost = '', fromPort = '', toHost = '', toPort = ''] = fields.length === 3 ? [defaultFromHost, ...fields] : fields
  const link = { fromHost, fromPort: givenPort(fromPort, text), toPort: toPort === '' ? 0 : givenPort(toPort, text), toHost }
  checkNetworkLink(link)
  return link
}

function parseLine(line: string, number: number): NetworkLink {
  const fields = line.split('\t')
  const [fromHost, fromPortText, toPortText, toHost] = fields
  const fromPort = readPort(fromPortText ?? '')
  const toPort = readPort(toPortText ?? '')
  if (fields.length !== 4 || fromHost === undefined || fromPort === undefined || toPort === undefined || toHost === undefined) {
    throw new FormatError('links.line', `expected host, port, port and host between tabs, not ${quoted(line)}`, {
      path: `line ${number}`,
      input: line,
    })
  }
  const link = { fromHost, fromPort, toPort, toHost }
  checkNetworkLink(link)
  return link
}

function givenPort(text: string, element: string): number {
  const port = readPort(text)
  if (port === undefined || port === 0) {
    throw new FormatError('links.port', `a port must be a number from 1 to 65535: ${quoted(element)}`, { input: element })
  }
  return port
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535
}

function checkLength(text: string): void {
  if (isLongerThan(text, linksBytesMax)) throw new FormatError('links.count', `there may be at most ${networkLinksMax} links`)
}

function checkCount(links: readonly NetworkLink[]): void {
  if (links.length > networkLinksMax) throw new FormatError('links.count', `there may be at most ${networkLinksMax} links`)
}
