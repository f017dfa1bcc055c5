/** The port to time and chance, so that tests own both. */
export interface Clock {
  nowMs(): number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  randomBytes(length: number): Uint8Array
}
