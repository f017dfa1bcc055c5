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

/** Takes the place of what was found of the same claim before. */
export function keepRecord(record: ClaimRecord): void {
  const others = readRecords().filter(({ claim }) => claim !== record.claim)
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${file}.new`, `${JSON.stringify({ claims: inOrder([...others, record]) }, shortened, 1)}\n`)
  renameSync(`${file}.new`, file)
}

function inOrder(records: readonly ClaimRecord[]): readonly ClaimRecord[] {
  return Object.keys(claims).flatMap(name => records.filter(({ claim }) => claim === name))
}

/** Four digits that count: more would be noise. */
function shortened(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value
}
