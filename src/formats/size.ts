/** Limits of a container as people write them: memory (`512m`, `1g`, plain bytes), processors (`1.5`) and files (`10g`). 0 means no limit. */
import { FormatError, quoted } from './format-error.ts'

/** Docker refuses less. */
export const memoryBytesMin = 6 * 1024 * 1024
/** Far beyond any machine, and exact in every number format on the way. */
export const memoryBytesMax = 2 ** 50
/** A container that can write nothing at all does not start. */
const quotaBytesMin = 1024 * 1024
/** The kernel's shortest share: 1 ms in each period of 100 ms. */
export const cpusMin = 0.01
export const cpusMax = 1024

const units = [
  { letter: 'g', sizeBytes: 2 ** 30 },
  { letter: 'm', sizeBytes: 2 ** 20 },
  { letter: 'k', sizeBytes: 2 ** 10 },
] as const

/** Reads a memory size, in bytes. Units are docker's: `b`, `k`, `m`, `g`, in either case. */
export function parseMemory(text: string): number {
  const [, digits, letter] = /^([0-9]{1,16})([bkmg]?)$/i.exec(text) ?? []
  if (digits === undefined) {
    throw new FormatError('size.memory', `a memory size must be a number with b, k, m or g, as in 512m, not ${quoted(text)}`, {
      input: text,
    })
  }
  const unitBytes = units.find(unit => unit.letter === letter?.toLowerCase())?.sizeBytes ?? 1
  const sizeBytes = Number(digits) * unitBytes
  checkMemory(sizeBytes)
  return sizeBytes
}

/** Reads how much files may take, in bytes: as memory, and from 1m on. 0 means no limit. */
export function parseQuota(text: string): number {
  const [, digits, letter] = /^([0-9]{1,16})([bkmg]?)$/i.exec(text) ?? []
  const unitBytes = units.find(unit => unit.letter === letter?.toLowerCase())?.sizeBytes ?? 1
  const sizeBytes = Number(digits) * unitBytes
  if (digits === undefined || (sizeBytes !== 0 && (sizeBytes < quotaBytesMin || sizeBytes > memoryBytesMax))) {
    throw new FormatError('size.quota', `a quota must be 0 (no limit) or a size from 1m to 1048576g, not ${quoted(text)}`, { input: text })
  }
  return sizeBytes
}

export function checkMemory(sizeBytes: number): void {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
    throw new FormatError('size.memory', 'a memory size must be a whole number of bytes')
  if (sizeBytes !== 0 && (sizeBytes < memoryBytesMin || sizeBytes > memoryBytesMax)) {
    throw new FormatError('size.memory-range', 'a memory size must be 0 (no limit) or between 6m and 1048576g')
  }
}

/** The shortest exact form: `512m` rather than `536870912`. */
export function printMemory(sizeBytes: number): string {
  const unit = units.find(candidate => sizeBytes !== 0 && sizeBytes % candidate.sizeBytes === 0)
  return unit === undefined ? String(sizeBytes) : `${sizeBytes / unit.sizeBytes}${unit.letter}`
}

/** Reads a number of processors, such as `0.5` or `2`. */
export function parseCpus(text: string): number {
  if (!/^[0-9]{1,4}(?:\.[0-9]{1,9})?$/.test(text)) {
    throw new FormatError('size.cpus', `a number of processors must be a decimal number, as in 1.5, not ${quoted(text)}`, { input: text })
  }
  const cpus = Number(text)
  checkCpus(cpus)
  return cpus
}

export function checkCpus(cpus: number): void {
  if (cpus !== 0 && !(cpus >= cpusMin && cpus <= cpusMax)) {
    throw new FormatError('size.cpus-range', `a number of processors must be 0 (no limit) or between ${cpusMin} and ${cpusMax}`)
  }
}

/** At most nine decimals, which is what the engines count in. */
export function printCpus(cpus: number): string {
  return String(Number(cpus.toFixed(9)))
}
