/** `gear completion` */
import { defineCommand } from '../command.ts'
import { completedPrograms, completionScripts, completionShells } from '../completion-scripts.ts'
import { didYouMean, UsageError } from '../usage-error.ts'

export const command = () =>
  defineCommand({
    name: 'completion',
    usage: 'SHELL [PROGRAM] [flags]',
    description: [
      'Prints what bash, zsh or fish have to be told to complete the command line, live names of containers, environments and images among it. `make install` puts it where the shells look. The program is gear, or sti.',
      'Names on another host are proposed after its name and a slash, if it answers within a second. The hosts are those in GEAR_HOSTS, or else in /etc/hosts and ~/.ssh/known_hosts.',
    ],
    argument: {
      placeholder: 'SHELL',
      brief: 'bash, zsh or fish; then the program, gear or sti',
      verbs: Object.fromEntries(completionShells.map(shell => [shell, ['program']])),
    },
    examples: [
      'gear completion bash sti > ~/.local/share/bash-completion/completions/sti',
      'gear completion fish > ~/.config/fish/completions/gear.fish',
      'source <(gear completion bash)',
    ],
    flags: {},
    run: async (context, _, args) => {
      const [, word = 'gear'] = args
      const shell = completionShells.find(name => name === args[0])
      const program = completedPrograms.find(name => name === word)
      if (shell !== undefined && program === undefined) throw new UsageError(`${word} is neither gear nor sti`)
      if (shell === undefined || program === undefined || args.length > 2) {
        const hint = args[0] === undefined ? '' : didYouMean(args[0], completionShells)
        throw new UsageError(`name one shell: ${completionShells.join(', ')}${hint}`)
      }
      await context.out.write(completionScripts[shell](program))
      return 0
    },
  })
