/** The port to time and chance, so that tests own both. */
export interface Clock {
  /** Milliseconds since the epoch, as the wall clock has it: for what people and other hosts are told. */
  nowMs(): number
  /** Milliseconds since the host booted, the same for every process. It goes on evenly when the wall clock is set: for whatever takes or ends after a time. */
  elapsedMs(): number
  /** Waits; rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  randomBytes(length: number): Uint8Array
}
