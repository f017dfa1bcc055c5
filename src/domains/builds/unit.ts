/** The transient unit of a build (spec §6.6), and what runs in it: `gear build --request FOLDER`. */
import { asGearError, explain, GearError, limits, type UnitName } from '../../api/index.ts'
import type { TransientUnit } from '../../host/index.ts'
import type { BuildRequest } from './build.ts'
import { LogWriter } from './kept-log.ts'
import { type BuildRecord, buildUnit, readRecord, readRequest, writeRecord } from './record.ts'
import { type BuildRunHost, type BuildRunOptions, runBuild } from './run.ts'

const program = '/usr/bin/gear'

/** What is asked for is in the folder: addresses may hold passwords, and anybody may read a unit's arguments. */
export function transientUnit(
  { id, tag, image }: Pick<BuildRequest, 'id' | 'tag' | 'image'>,
  { folder, engine }: { readonly folder: string; readonly engine: string },
): TransientUnit {
  return {
    name: buildUnit(id),
    description: `Build of ${tag} with ${image}`,
    command: [program, 'build', `--request=${folder}`],
    // the engine that the agent's containers are on
    variables: { GEARD_ENGINE: engine },
    slice: 'container-build.slice' as UnitName,
    runMs: limits.buildMs,
    // the time to remove its containers
    stopMs: 60_000,
  }
}

export interface UnitRunOptions extends BuildRunOptions {
  readonly folder: string
}

/** Runs what the folder asks for, keeps the output there, and at last how it ended. False when it failed, which has been said by then. */
export async function runRequested(host: BuildRunHost, { folder, ...options }: UnitRunOptions): Promise<boolean> {
  const [request, record] = await Promise.all([readRequest(host, folder), readRecord(host, folder)])
  if (request === undefined || record === undefined) throw new GearError('BUILD_UNKNOWN', `There is nothing to build in ${folder}`)
  const log = new LogWriter(host, folder)
  const say = (text: string): Promise<unknown> => Promise.all([log.add(text), options.say(text)])
  const end = async (ended: Partial<BuildRecord>): Promise<void> => {
    await log.flush()
    await writeRecord(host, folder, { ...record, ...ended, finishedAt: new Date(host.clock.nowMs()).toISOString() })
    await host.files.remove(`${folder}/request.json`)
    await host.files.syncFolders([folder])
  }
  try {
    const { imageId, commit, isIncremental } = await runBuild(host, request, { ...options, say })
    await end({ result: 'built', imageId, commit, incremental: isIncremental })
    return true
  } catch (failure) {
    if (options.signal.aborted) {
      await end({ result: 'stopped', code: 'BUILD_STOPPED', cause: 'it was stopped' })
      return false
    }
    const error = asGearError(failure)
    const lines = (error.data as { readonly lines?: readonly string[] } | undefined)?.lines
    await end({ result: 'failed', code: error.code, cause: explain(error), ...(lines === undefined ? {} : { lines }) })
    return false
  }
}
