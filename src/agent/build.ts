/**
 * Builds in the process of a command, on this machine's engine: what a user asks for, and what an agent has put down for the unit that the
 * command runs in. No agent and no writer lock, since nothing of gear's state changes but what belongs to the build.
 */
import type { BuildAsked, Plan, RequestId } from '../api/index.ts'
import { type Built, buildFor, buildPlace, planFor, runRequested, usageFor, workRootBeside } from '../domains/builds/index.ts'
import { newRequestId } from '../formats/index.ts'
import { type Host, linuxHost } from '../host/index.ts'
import { DryRun } from '../lib/index.ts'
import { hostPaths, loadConfig } from './config.ts'

export interface BuildHereOptions {
  readonly signal: AbortSignal
  /** Told the output, in any pieces; a promise is waited for before more is read. */
  readonly say: (text: string) => unknown
  /** Address of the engine, such as `unix:///run/podman/podman.sock`; its usual one unless given. */
  readonly engineAddress?: string | undefined
  /** The folder of the build stays, for whoever looks for a mistake. */
  readonly isFolderKept?: boolean
}

/** Throws a GearError, or the reason of the signal; then nothing of the build is left. */
export async function buildHere(asked: BuildAsked, options: BuildHereOptions): Promise<Built> {
  const { host, place, here } = openHost(options.engineAddress)
  return buildFor(host, asked, { ...options, ...place, ...here })
}

/** What `buildHere` would do; nothing is pulled, cloned or made for it. */
export async function planBuildHere(asked: BuildAsked, { engineAddress }: Pick<BuildHereOptions, 'engineAddress'>): Promise<Plan> {
  const { host, here } = openHost(engineAddress)
  const dryRun = new DryRun()
  dryRun.add(await planFor(host, asked, here))
  return { steps: dryRun.steps }
}

/** Runs what the builder image has to say of itself. */
export async function showUsage(asked: BuildAsked, options: BuildHereOptions): Promise<void> {
  const { host, place, here } = openHost(options.engineAddress)
  await usageFor(host, asked, { ...options, ...place, ...here })
}

/** What the unit of a build runs. False when it failed, which has been said. */
export async function buildRequested(folder: string, options: BuildHereOptions): Promise<boolean> {
  const { host } = openHost(undefined)
  return runRequested(host, { ...options, workRoot: workRootBeside(folder), isSweeping: true, folder })
}

interface Opened {
  readonly host: Host
  readonly place: ReturnType<typeof buildPlace>
  /** Which build it is, and where relative paths begin. */
  readonly here: { readonly id: RequestId; readonly folder: string }
}

function openHost(engineAddress: string | undefined): Opened {
  const { config } = loadConfig()
  const kind = engineAddress?.includes('podman') ? 'podman' : 'docker'
  const builder = engineAddress === undefined ? {} : { builder: { kind, address: engineAddress } as const }
  const host = linuxHost({ paths: hostPaths(config), engine: config.engine, ...builder })
  const here = { id: newRequestId(host.clock.randomBytes(16)) as RequestId, folder: process.cwd() }
  return { host, place: buildPlace(host.paths, { isRoot: process.getuid?.() === 0 }), here }
}
