/** What became of a program that a test ran, whatever its exit code. */
export interface Outcome {
  readonly stdout: string
  readonly stderr: string
  readonly code: number
}

/** Of what `execFile` promises, which it breaks for any exit code but 0. */
export async function outcomeOf(running: Promise<{ readonly stdout: string; readonly stderr: string }>): Promise<Outcome> {
  try {
    return { ...(await running), code: 0 }
  } catch (error) {
    const { stdout, stderr, code } = error as Outcome
    return { stdout, stderr, code }
  }
}
