/** Tools that answer what a test has prepared. One that nobody prepared is missing, as on a host without its package. */
import { Faults } from '../faults.ts'
import { commandFailed } from './errors.ts'
import { type CommandResult, type Commands, type OpenCommand, type Tool, tools } from './port.ts'

type Answer = (args: readonly string[]) => Partial<CommandResult> | Promise<Partial<CommandResult>>

export class FakeCommands extends Faults<'run'> implements Commands {
  readonly #answers = new Map<Tool, Answer>()

  async run(tool: Tool, args: readonly string[], options: { readonly signal?: AbortSignal } = {}): Promise<CommandResult> {
    options.signal?.throwIfAborted()
    await Promise.race([this.meet('run', [tool, ...args].join(' ')), aborted(options.signal)])
    const answer = this.#answers.get(tool)
    if (answer === undefined) throw commandFailed(tool, args, new Error(`spawn ${tools[tool].path} ENOENT`))
    return { exitCode: 0, stdout: '', stderr: '', ...(await answer(args)) }
  }

  /** One that is missing, or that says what it was told to say and ends. */
  open(tool: Tool, args: readonly string[]): OpenCommand {
    const answer = this.#answers.get(tool)
    const ended = (async () => ({ exitCode: answer === undefined ? 127 : 0, stdout: '', stderr: '', ...(await answer?.(args)) }))()
    async function* output() {
      const { stdout, stderr } = await ended
      yield { stream: 'stdout' as const, bytes: Buffer.from(stdout) }
      yield { stream: 'stderr' as const, bytes: Buffer.from(stderr) }
    }
    return {
      pid: undefined,
      output: output(),
      exitCode: ended.then(({ exitCode }) => exitCode),
      write: async () => undefined,
      end: () => undefined,
    }
  }

  /** What the tool answers from now on; what is left out is exit code 0 and no output. */
  answer(tool: Tool, answer: Answer): void {
    this.#answers.set(tool, answer)
  }
}

/** Never resolves; rejects with the signal's reason. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true }))
}
