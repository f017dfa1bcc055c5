/** The port to time and chance, so that tests own both. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number
  /** Waits; rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  randomBytes(length: number): Uint8Array
}
