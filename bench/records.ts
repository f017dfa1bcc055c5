/**
 * What was found of each claim when it was measured last, kept in `docs/performance/findings.json`: `docs/performance.md` and its pictures are made from
 * that file alone, so that one claim can be measured again without the others.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { claims } from './claims/index.ts'
import type { Finding } from './finding.ts'

/** What one claim found, and when and where. */
export interface ClaimRecord {
  readonly claim: string
  /** When it began, to the minute, UTC. */
  readonly date: string
  /** The commit, and whether files of the program differed from it. */
  readonly build: string
  readonly machine: string
  /** The file system that held the agent's state. */
  readonly disk: string
  readonly otherWork: string
  /** With the boot of its hosts, without what it waited for the end of other work. */
  readonly seconds: number
  readonly findings: readonly Finding[]
}

const folder = fileURLToPath(new URL('../docs/performance', import.meta.url))
const file = `${folder}/findings.json`

/** In the order of the claims. What was found of a claim that is no more is left out. */
export function readRecords(): readonly ClaimRecord[] {
  if (!existsSync(file)) return []
  return inOrder((JSON.parse(readFileSync(file, 'utf8')) as { readonly claims: readonly ClaimRecord[] }).claims)
}

/** Takes the place of what was found of the same claim before. The file is whole at every moment. */
export function keepRecord(record: ClaimRecord): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${file}.new`, recordsText(withRecord(readRecords(), record)))
  renameSync(`${file}.new`, file)
}

export function withRecord(records: readonly ClaimRecord[], record: ClaimRecord): readonly ClaimRecord[] {
  return inOrder([...records.filter(({ claim }) => claim !== record.claim), record])
}

function inOrder(records: readonly ClaimRecord[]): readonly ClaimRecord[] {
  return Object.keys(claims).flatMap(name => records.filter(({ claim }) => claim === name))
}

/** With four digits that count of each number: more would be noise. */
export function recordsText(records: readonly ClaimRecord[]): string {
  const shortened = (_key: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value
  return `${JSON.stringify({ claims: records }, shortened, 1)}\n`
}
