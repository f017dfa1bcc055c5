/** The pages that are one table of the sources each. */
import { code, page, table } from './markdown.ts'

interface ErrorRow {
  readonly status: number
  readonly shape: 'text' | 'json'
  readonly meaning: string
  readonly next: string
}

export function errorsPage(catalogue: Readonly<Record<string, ErrorRow>>): string {
  return page(
    'Errors',
    [
      'Every failure has a code. A request that was refused before any work began is answered with `text/plain`; work that failed, with JSON that has',
      '`Message`, `Code`, `Next`, `RequestId` and, where there are any, `Data` and `Fields`. The header `X-Error-Code` has the code in both cases. The command line',
      'prints the message with its causes, the code and what to do, and ends with 1.',
    ].join('\n'),
    [
      table(
        ['Code', 'Status', 'Answer', 'Meaning', 'What to do'],
        Object.entries(catalogue).map(([name, { status, shape, meaning, next }]) => [
          `[${code(name)}](errors/${name}.md)`,
          String(status),
          shape,
          meaning,
          next,
        ]),
      ),
    ],
  )
}

interface ErrorDetails {
  readonly note: string | undefined
  /** The operations that name it among their errors. */
  readonly answering: readonly string[]
}

export function errorPage(name: string, { status, shape, meaning, next }: ErrorRow, { note, answering }: ErrorDetails): string {
  const when =
    shape === 'text'
      ? 'The request was refused before any work began: `text/plain`.'
      : 'The work failed, or could not begin: JSON with `Message`, `Code` and `Next`.'
  const links = answering.map(id => `[${code(id)}](../http.md#${id.toLowerCase()})`).join(', ')
  return page(name, meaning, [
    ...(note === undefined ? [] : [note]),
    `**What to do.** ${next}`,
    `**On the wire.** HTTP status ${status}, header \`X-Error-Code: ${name}\`. ${when}`,
    answering.length === 0
      ? '**Who answers it.** No operation by itself: any call may, or the command line and the agent say it of themselves.'
      : `**Who answers it.** ${links}.`,
    `On a host: \`gear explain ${name}\`. All codes: [errors](../errors.md).`,
  ])
}

interface LimitRow {
  readonly value: number
  readonly unit: string
  readonly why: string
}

export function limitsPage(limits: Readonly<Record<string, LimitRow>>): string {
  const rows = Object.entries(limits).map(([name, { value, unit, why }]) => [code(name), amount(value, unit), why])
  return page('Limits', 'Whatever a caller, a container or a slow peer could make grow has a bound.', [
    table(['Name', 'Limit', 'What it bounds'], rows),
  ])
}

const bytes = [
  ['MiB', 1024 * 1024],
  ['KiB', 1024],
] as const

const times = [
  ['min', 60_000],
  ['s', 1000],
] as const

function amount(value: number, unit: string): string {
  if (unit === 'port') return String(value)
  const larger = unit === 'bytes' ? bytes : unit === 'ms' ? times : []
  const [name, size] = larger.find(([, divisor]) => value >= divisor && value % divisor === 0) ?? [unit, 1]
  const number = String(value / size).replaceAll(/(?<=\d)(?=(?:\d{3})+$)/g, ' ')
  return name === 'count' ? number : `${number} ${name}`
}

interface SettingRow {
  readonly name: string
  readonly variable: string
  readonly fallback: unknown
  readonly description: string
}

export function configurationPage(settings: readonly SettingRow[]): string {
  return page(
    'Configuration of the agent',
    [
      'Each setting takes the first of these that names it: a flag of `gear daemon`, the environment, the file `/etc/gear/gear.json` (or the one that',
      '`--config` or `GEARD_CONFIG` names; a JSON object with the names below), the default. `gear daemon --show-config` prints what is in effect and where it comes',
      'from. `gear.service` takes flags and environment from `/etc/default/gear`.',
    ].join('\n'),
    [
      table(
        ['Setting', 'Environment', 'Default', 'Meaning'],
        settings.map(({ name, variable, fallback, description }) => [
          code(name),
          code(variable),
          code(JSON.stringify(fallback)),
          description,
        ]),
      ),
    ],
  )
}
