/** `gear daemon` */
import { defineCommand } from '../command.ts'
import { choice, parsed, text, toggle, wholeNumber } from '../flags.ts'
import { UsageError } from '../usage-error.ts'

interface DaemonFlags {
  readonly socketPath?: string
  readonly insecureHttp?: boolean
  readonly hostNames?: readonly string[]
  readonly engine?: string
  readonly basePath?: string
  readonly runPath?: string
  readonly cloneRoot?: string
  readonly logFormat?: 'text' | 'json'
  readonly logLevel?: string
  readonly idleExitMinutes?: number
  readonly config?: string
  readonly showConfig?: boolean
  readonly check?: boolean
  readonly keyPath?: string
}

export const command = () =>
  defineCommand<DaemonFlags>({
    name: 'daemon',
    usage: '[URL...] [flags]',
    description: [
      'Serves the API on the Unix socket /run/gear/gear.sock and on the URLs, http://127.0.0.1:43273 unless others are given. It stays in the foreground; systemd runs it as gear.service.',
      'Every setting may also be made in the environment (GEARD_LISTEN, GEARD_TOKEN_FILE, ...) or in /etc/gear/gear.json. Whoever may call the agent is as good as root: addresses that other machines reach need a token.',
    ],
    argument: { placeholder: 'URL', brief: 'Where to listen: http://address:port' },
    examples: [
      'gear daemon',
      'gear daemon http://0.0.0.0:43273 --token-file /etc/gear/token',
      'gear daemon --check',
      'gear daemon --show-config',
    ],
    flags: {
      socketPath: text('PATH', 'The Unix socket; empty for none'),
      insecureHttp: toggle('Serve everybody who reaches an address, without a token'),
      hostNames: { ...text('NAMES', 'Other names of this host, to which requests may be addressed'), parse: input => input.split(',') },
      engine: text('NAME', 'The engine of new containers: auto, docker or podman'),
      basePath: text('FOLDER', 'Where the state is (/var/lib/containers)'),
      runPath: text('FOLDER', 'Where the state is that ends with a boot (/var/run/containers)'),
      cloneRoot: text('FOLDER', 'Repositories of this host may be cloned from below it (/srv/git)'),
      logFormat: choice(['text', 'json'], 'The form of the log'),
      logLevel: text('LEVEL', 'The least important lines to log: debug, info, warn, error'),
      idleExitMinutes: parsed(
        'MINUTES',
        'Exit after so long without a connection; gear.socket starts the agent again',
        wholeNumber(10_080),
      ),
      config: text('FILE', 'The configuration file (/etc/gear/gear.json)'),
      showConfig: toggle('Print the settings and where each comes from, and end'),
      check: toggle('Check that the host has what gear needs, and end'),
      keyPath: { ...text('FOLDER', 'Keys for signed requests'), hidden: true },
    },
    run: async (context, flags, args) => {
      const { config, showConfig, check, keyPath, tokenFile, hasEnvFile, hasForeground, output, ...settings } = flags
      if (keyPath !== undefined) throw new UsageError('--key-path is not supported yet: use --token-file')
      if (output === 'json') throw new UsageError('--output json is not for the daemon: use --log-format json')
      if (showConfig && check) throw new UsageError('--show-config and --check exclude each other')
      const { socketPath, insecureHttp, hostNames, engine, basePath, runPath, cloneRoot, logFormat, logLevel, idleExitMinutes } = settings
      const { runDaemon } = await import('../../agent/index.ts')
      return runDaemon({
        version: context.version,
        mode: showConfig ? 'show-config' : check ? 'check' : 'run',
        file: config,
        flags: {
          listen: args.length === 0 ? undefined : args,
          socketPath,
          tokenFile,
          insecureHttp,
          hostNames,
          engine,
          basePath,
          runPath,
          cloneRoot,
          logFormat,
          logLevel,
          idleExitMinutes,
          hasEnvFile,
          hasForeground,
        },
        stdout: text => void context.out.write(text),
        stderr: text => void context.err.write(text),
      })
    },
  })
