/** A failure that an agent reported, as far as its answer tells: ours send a code and a next step, an original only a message. */
import { type ErrorCode, errorCatalogue, type FieldError, GearError, type Operation } from '../api/index.ts'

export interface ReportedFailure {
  readonly status: number
  readonly message: string
  readonly code: string | undefined
  readonly next: string | undefined
  readonly fields: readonly FieldError[]
  readonly data: unknown
}

export class RemoteError extends GearError {
  readonly status: number
  /** The code as the agent wrote it, also one that this version does not know; undefined when it gave none and the status leaves it open. */
  readonly reportedCode: string | undefined
  readonly next: string | undefined

  constructor(failure: ReportedFailure, operation: Operation) {
    const inferred = codeOfStatus(failure.status, operation)
    const code = isKnown(failure.code) ? failure.code : (inferred ?? 'INTERNAL')
    super(code, failure.message, { fields: failure.fields, data: failure.data })
    this.status = failure.status
    this.reportedCode = failure.code ?? inferred
    this.next = failure.next ?? (this.reportedCode === code ? errorCatalogue[code].next : undefined)
  }
}

/** What the last event of a report says of its failure. */
export function reportedFailure(event: Pick<ReportedFailure, 'message'> & Partial<ReportedFailure>, operation: Operation): RemoteError {
  const { message, code, next } = event
  return new RemoteError({ status: 500, message, code, next, fields: [], data: undefined }, operation)
}

/** What the reader should do about an error: what its agent said, or what the catalogue says. */
export function nextStep(error: GearError): string | undefined {
  return error instanceof RemoteError ? error.next : error.entry.next
}

/** The code to show, if there is one. */
export function shownCode(error: GearError): string | undefined {
  return error instanceof RemoteError ? error.reportedCode : error.code
}

function isKnown(code: string | undefined): code is ErrorCode {
  return code !== undefined && Object.hasOwn(errorCatalogue, code)
}

/** Statuses that mean one thing whatever the operation. */
const generalCodes: ReadonlyMap<number, ErrorCode> = new Map([
  [400, 'INPUT_INVALID'],
  [401, 'TOKEN_REQUIRED'],
  [403, 'CALLER_REFUSED'],
  [404, 'ROUTE_UNKNOWN'],
  [405, 'METHOD_NOT_ALLOWED'],
  [406, 'NOT_ACCEPTABLE'],
  [413, 'BODY_TOO_LARGE'],
  [417, 'DRY_RUN_UNSUPPORTED'],
])

/**
 * The code that a status without one stands for: the only error of the operation that has this status, or what it means everywhere. An original
 * says 500 for everything that went wrong.
 */
function codeOfStatus(status: number, operation: Operation): ErrorCode | undefined {
  if (status === 500) return undefined
  const ofOperation = operation.errors.filter(code => errorCatalogue[code].status === status)
  if (ofOperation.length === 1) return ofOperation[0]
  return ofOperation.length === 0 ? generalCodes.get(status) : undefined
}
